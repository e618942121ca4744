"""Kombo for the same company: its unified ATS API of this JOIN account, hours late.

The mapping is written from the specification and shares no code with `sources.join.mapping`, so it is a second opinion.
Belongs here: Kombo's copy of the account and its syncs (`replica`), its mapping, endpoints and webhooks. Not here: the
company, its clock and JOIN's API (the modules around).
"""
