"""The code of guidance: the consolidated agreement under a question, each sentence with its source. Pure: nothing is read."""
