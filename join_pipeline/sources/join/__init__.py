"""Talking to JOIN: what it offers (feeds), how lists are paged, what is retried, what its payloads look like."""
