"""JOIN's words to ours: pure functions, payload in, rows out; the vocabularies as tables.

Belongs here: what a payload means. Not here: which of several payloads wins, what is new, what is gone (sync).
"""

from typing import Final

MAPPING_VERSION: Final = 1
"""Raise it with every change of what a payload maps to: the versions that the change makes are marked `mapping`."""
