"""Suppression: no small group of a shared table can be computed from the other numbers of the file."""
