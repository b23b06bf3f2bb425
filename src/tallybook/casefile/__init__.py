"""A case on disk: a folder that a person can read, diff and keep in git."""
