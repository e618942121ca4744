"""Precedence: which of several observations of one record holds. Each rule is here once, for SQL and for Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Precedence:
    """The observation with the greatest values of these columns holds. A null is less than any value."""

    columns: tuple[str, ...]

    @property
    def order(self) -> str:
        """SQL: the observation that holds comes first."""
        return "ORDER BY " + ", ".join(f"{column} DESC NULLS LAST" for column in self.columns)

    @property
    def first_by_id(self) -> str:
        """SQL: the observation of each id that holds."""
        return f"QUALIFY row_number() OVER (PARTITION BY id {self.order}) = 1"

    def key(self, row: Mapping[str, Any]) -> tuple[tuple[bool, Any], ...]:
        """The key by which `max` finds the row that holds."""
        return tuple([(value is not None, value) for value in map(row.get, self.columns)])


LAST: Final = Precedence(("observed_at", "seq"))
"""For records that only their own payload shows: the last observation holds."""

WINNER: Final = Precedence(("priority", "parent_updated_at", "parent_id", "observed_at", "seq"))
"""For records that several parents show: the parent with the greatest (update, id) holds, in any order of fetching.
A record's own payload (`priority` 1) holds before its parents.
"""
