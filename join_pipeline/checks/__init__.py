"""Checks: what a sync, a load and a connection are checked for, and what was found."""
