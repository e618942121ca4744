"""Which tests there are, which of them are slow, and in what order they are played.

Belongs here: the order, and what a run notes of its tests. Not here: hooks (conftest), what must hold (test_tiers).
"""

from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
# A worker begins with one half of the tests and takes over others from the end. Folders that look at the same built
# company stand beside each other; what is cheap comes last, to be taken over.
FIRST: Final = ("browser", "report", "docs", "cli", "warehouse", "readme")
LAST: Final = ("contract", "actions", "oracle", "unit")

COLLECTED: Final = pytest.StashKey[dict[str, bool]]()
"""Every test that was found, by its id, and whether it is slow; before any was left out."""
LEFT_OUT: Final = pytest.StashKey[set[str]]()
"""Tests that were found and are not played."""


def place(path: Path) -> int:
    """Where a file's tests come: a folder that is in neither list comes between them."""
    folder = path.relative_to(HERE).parts[0]
    if folder in FIRST:
        return FIRST.index(folder)
    return len(FIRST) + (1 + LAST.index(folder) if folder in LAST else 0)
