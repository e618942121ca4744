"""Sources: the ways to an account's data. Each has its own room."""
