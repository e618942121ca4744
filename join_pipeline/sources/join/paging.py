"""The state machine of JOIN's pages: bare arrays, numbered from 1. A short page is the last.

Belongs here: deciding which pages to fetch next. Not here: fetching (client), waiting (retry), parsing (payloads).
"""

from dataclasses import dataclass, field
from typing import Final

PAGE_SIZE: Final = 50  # JOIN's largest


@dataclass(slots=True)
class Paging:
    """Which pages to fetch: the first page alone, then windows that double up to `in_flight`, none after the end.

    The list ends with an empty page, or with one that is shorter than the longest page before it. After a first page
    that is shorter than `page_size` comes page 2, because a server may limit the size.

    If a page equals the page before it, there are two explanations: the server ignores paging and sends the whole list
    each time, or exactly one page of new records has moved the others on. So the first page is fetched again. It is the
    same as before only if the server ignores paging.

    A resumed listing begins at page `first`.
    """

    in_flight: int
    page_size: int = PAGE_SIZE
    first: int = 1
    is_ended: bool = False
    is_paging_ignored: bool = False
    _window: int = field(default=1, init=False)
    _asked: int = field(init=False)
    _told: int = field(init=False)
    _longest: int = field(default=0, init=False)
    _last_content: int | None = field(default=None, init=False)
    _is_repeated: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._asked = self._told = self.first - 1

    def window(self) -> range:
        """The pages to fetch now; empty at the end."""
        if self.is_ended:
            return range(0)
        if self._is_repeated:
            return range(self.first, self.first + 1)
        first = self._asked + 1
        self._asked += self._window
        # a short first page may be the whole list, so fetch one more page before many
        is_cautious = self._told == self.first and self._longest < self.page_size
        if is_cautious:
            self._asked = first
        self._window = min(self.in_flight, max(1, self._asked - first + 1) * 2)
        return range(first, self._asked + 1)

    def add(self, page: int, n_records: int, content: int) -> bool:
        """Take the number of records of `page` and a hash of its content. True if its records count.

        Pages must be added in order; `ValueError` if not.
        """
        if self._is_repeated and page == self.first:
            self._is_repeated = False
            self.is_ended = self.is_paging_ignored = content == self._last_content
            return not self.is_ended and n_records > 0
        if page != self._told + 1:
            raise ValueError(f"page {page} added after page {self._told}")
        self._told = page
        self._is_repeated = n_records > 0 and content == self._last_content
        self._last_content = content
        if n_records == 0 or n_records < self._longest:
            self.is_ended = True
        self._longest = max(self._longest, n_records)
        return n_records > 0 and not self._is_repeated
