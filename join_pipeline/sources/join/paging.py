"""Page state machine for JOIN's lists: bare arrays, 1-based pages, a short page ends.

Belongs here: deciding what to ask for next. Not here: asking (client), waiting (retry), parsing (payloads).
"""

from dataclasses import dataclass, field
from typing import Final

PAGE_SIZE: Final = 50  # JOIN's largest


@dataclass(slots=True)
class Paging:
    """Which pages to ask for: page 1 alone, then windows that double up to `in_flight`, none after the end.

    The end is an empty page, or one shorter than the longest before it. A first page that is shorter than asked for is
    followed by page 2, since a server may cap the size. A page equal to the one before it means that the server ignores
    paging, and that its whole list came with the first answer; or that just one page of new records has pushed the
    others on meanwhile. So the first page is asked for again: only where paging is ignored it is the same once more. A
    listing that is resumed begins at page `first`.
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
        """The pages to ask for now, all of them; empty at the end."""
        if self.is_ended:
            return range(0)
        if self._is_repeated:
            return range(self.first, self.first + 1)
        first = self._asked + 1
        self._asked += self._window
        # a short first page may be the whole list: ask for one more page before asking for many
        is_cautious = self._told == self.first and self._longest < self.page_size
        if is_cautious:
            self._asked = first
        self._window = min(self.in_flight, max(1, self._asked - first + 1) * 2)
        return range(first, self._asked + 1)

    def add(self, page: int, n_records: int, content: int) -> bool:
        """What came for `page`, in the order of pages; `content` is a hash of it. True if its records count."""
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
