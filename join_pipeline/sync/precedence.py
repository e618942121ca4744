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

    def prefers(self, row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether `row` holds before `other`. Mostly the first columns tell, and every payload asks often."""
        for column in self.columns:
            mine, theirs = row.get(column), other.get(column)
            if mine != theirs:
                return theirs is None or (mine is not None and mine > theirs)
        return False


LAST: Final = Precedence(("observed_at", "seq"))
"""For records that only their own payload shows: the last observation holds."""

WINNER: Final = Precedence(("priority", "parent_updated_at", "parent_id", "observed_at", "seq"))
"""For records that several parents show: the parent with the greatest (update, id) holds, in any order of fetching.
A record's own payload (`priority` 1) holds before its parents.
"""
