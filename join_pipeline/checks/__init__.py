"""Checks of a sync, a load and a connection, and their findings."""
