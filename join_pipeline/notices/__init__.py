"""Notices: telling somebody that a connection failed, was guarded or is stale, and when it is well again.

Belongs here: what is told, when it is told again, and the two ways, a webhook and e-mail. Not here: noticing (cli,
component).
"""
