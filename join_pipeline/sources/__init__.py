"""Sources: the ways to a company's account. Each has its own room."""
