"""Mapping JOIN's payloads to rows: pure functions, with the vocabularies as tables.

Belongs here: what a payload means. Not here: which of several payloads holds, what is new, what is gone (sync).
"""

from typing import Final

MAPPING_VERSION: Final = 3
"""Raise it whenever a payload maps to other rows. The versions that follow from it have the reason `mapping`."""
