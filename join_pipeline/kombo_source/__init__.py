"""Kombo as a source: what a sync reads of it, what its records become, what deletion means there."""
