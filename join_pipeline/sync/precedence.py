"""Precedence: which of several observations of one record holds. Each rule stands here once, for SQL and for Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Precedence:
    """The observation that is greatest by these columns holds. An absent value is the least."""

    columns: tuple[str, ...]

    @property
    def order(self) -> str:
        """SQL: the observation that holds comes first."""
        return "ORDER BY " + ", ".join(f"{column} DESC NULLS LAST" for column in self.columns)

    @property
    def first_by_id(self) -> str:
        """SQL: of each id, the observation that holds."""
        return f"QUALIFY row_number() OVER (PARTITION BY id {self.order}) = 1"

    def key(self, row: Mapping[str, Any]) -> tuple[tuple[bool, Any], ...]:
        """The same for `max` over rows."""
        return tuple((row.get(column) is not None, row.get(column)) for column in self.columns)


LAST: Final = Precedence(("observed_at", "seq"))
"""A record that speaks for itself: what it said last holds."""

WINNER: Final = Precedence(("priority", "parent_updated_at", "parent_id", "observed_at", "seq"))
"""A record that comes through several parents: what the parent says that is greatest by (update, id) holds, in whatever
order they came. What a record says of itself (`priority` 1) comes before what others show of it.
"""
