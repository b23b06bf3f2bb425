"""Who somebody is: users of a desk, their passwords and tokens, and what each of them has read. Kept outside any case."""
