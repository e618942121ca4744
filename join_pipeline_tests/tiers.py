"""Lists the tests, which of them are slow, and the order in which they run.

Belongs here: the order, and what a run notes of its tests. Not here: hooks (conftest), what must hold (test_tiers).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
# Folders that look at the same built company stand beside each other.
COSTLY: Final = ("browser", "report", "docs", "readme", "cli", "warehouse")
CHEAP: Final = ("contract", "actions", "oracle", "unit")

COLLECTED: Final = pytest.StashKey[dict[str, bool]]()
"""Every test that was found, by its id, and whether it is slow; before any was left out."""
LEFT_OUT: Final = pytest.StashKey[set[str]]()
"""Tests that were found and are not played."""


def ordered(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests for two workers, of which each begins with one half and ends with what is cheap.

    Who has ended first takes over tests from the end of the other's (`--dist worksteal`).
    """
    halves: tuple[list[pytest.Item], list[pytest.Item]] = ([], [])
    cheap: list[pytest.Item] = []
    for item in sorted(items, key=lambda item: _place(COSTLY, item)):
        folder = _folder(item)
        (cheap if folder in CHEAP else halves[folder not in COSTLY]).append(item)
    cheap.sort(key=lambda item: _place(CHEAP, item))
    n = max(0, len(items) // 2 - len(halves[0]))
    return [*halves[0], *cheap[:n], *halves[1], *cheap[n:]]


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


def _place(folders: tuple[str, ...], item: pytest.Item) -> int:
    return folders.index(_folder(item)) if _folder(item) in folders else len(folders)
