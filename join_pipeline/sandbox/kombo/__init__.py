"""Kombo in front of the same company: what its unified ATS API would say of this JOIN account, hours late.

Belongs here: Kombo's copy of the account and its syncs (`replica`), its own mapping, its endpoints, its webhooks. The
mapping is written from the specification and apart from `sources.join.mapping`: it is a second opinion, and shares no
code with the first. Not here: the company, its clock and JOIN's API (the rooms around).
"""
