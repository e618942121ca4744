"""The state machine of JOIN's pages: bare arrays, numbered from 1. Only an empty page ends a list.

Belongs here: deciding which pages to fetch next, and when a list is whole. Not here: fetching (client), waiting
(retry), parsing (payloads).
"""

from dataclasses import dataclass, field
from typing import Final

PAGE_SIZE: Final = 50  # JOIN's largest
READINGS: Final = 2
ALIKE: Final = 3


@dataclass(slots=True)
class Paging:
    """Which pages to fetch: the first page alone, then windows that double up to `in_flight`, none after the end.

    One response proves nothing, because a server can fail for a moment and still answer 200. So a page is asked for
    once more before it is believed, if

    * it is empty. Only after a page that is shorter than another one was (in this list, or in one before: `largest`)
      is it believed at once, because the two prove the end together;
    * it is shorter than others, and the page after it has records. Where three such pages came alike, the server's
      pages have different lengths, and no short page is doubted any more;
    * it has the records of an earlier page. One page of new records may have moved the others on, so if it comes so
      again, the list is read again from its start. If that ends so too, the server does not page, and `is_repeating`.

    The pages of a window that follow a page in doubt are fetched again after it.

    A resumed listing begins at page `first`.
    """

    in_flight: int
    page_size: int = PAGE_SIZE
    first: int = 1
    largest: int = 0
    is_ended: bool = False
    is_repeating: bool = False
    _reading: int = field(default=1, init=False)
    _next: int = field(init=False)  # all pages before it are settled
    _width: int = field(default=1, init=False)
    _asked: range = field(default=range(0), init=False)
    _due: int = field(default=0, init=False)
    # of the pages that are settled
    _longest: int = field(default=0, init=False)
    _seen: set[int] = field(default_factory=set, init=False)
    _last: int | None = field(default=None, init=False)  # the length of the last one
    _last_content: int = field(default=0, init=False)
    _is_last_sure: bool = field(default=False, init=False)
    _n_alike: int = field(default=0, init=False)
    # of the page in doubt
    _is_again: bool = field(default=False, init=False)
    _is_in_doubt: bool = field(default=False, init=False)
    _is_end_likely: bool = field(default=False, init=False)
    _is_short: bool = field(default=False, init=False)
    _came_after: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._next = self.first

    def window(self) -> range:
        """The pages to fetch now; empty at the end."""
        if self.is_ended:
            return range(0)
        width = self._width
        # a short first page may be the whole list, so fetch one more page before many
        is_cautious = self._next == self.first + 1 and self._longest < self.page_size
        if self._is_again or is_cautious:
            width = 1
        if not self._is_again:
            self._width = min(self.in_flight, width * 2)
        self._asked = range(self._next, self._next + width)
        self._due = self._next
        return self._asked

    def add(self, page: int, n_records: int, content: int) -> bool:
        """Take the number of records of `page` and a hash of its content. True if its records count.

        Pages must be added in order; `ValueError` if not.
        """
        if page != self._due or page not in self._asked:
            raise ValueError(f"page {page} added, and page {self._due} is due")
        self._due += 1
        counts = False
        if self._is_in_doubt:
            self._came_after = self._came_after or n_records > 0
        elif self._is_again:
            counts = self._take_again(n_records, content)
        else:
            counts = self._take(page, n_records, content)
        if self._due == self._asked.stop:
            self._close()
        return counts

    def _take(self, page: int, n_records: int, content: int) -> bool:
        if n_records == 0:
            self._is_in_doubt = True
            self._is_end_likely = self._is_last_short()
            return False
        if content in self._seen:
            self._is_in_doubt = True
            return False
        if self._last is not None and self._last < max(self._longest, n_records) and not self._is_last_sure:
            self._next = page - 1
            self._is_in_doubt = self._is_short = self._came_after = True
            return False
        self._settle(n_records, content)
        return True

    def _take_again(self, n_records: int, content: int) -> bool:
        """Take the second response for a page in doubt."""
        self._is_again = False
        if self._is_short:
            self._is_short = self._came_after = False
            self._n_alike += content == self._last_content
            self._is_last_sure = True
            counts = n_records > 0 and content not in self._seen
            if counts:
                self._seen.add(content)
                self._last, self._longest = n_records, max(self._longest, n_records)
            self._next += 1
            return counts
        if n_records == 0:
            self.is_ended = not self._came_after
            self._settle(0, content, is_sure=True)
            return False
        if content in self._seen:
            self._begin_again()
            return False
        self._settle(n_records, content)
        return True

    def _close(self) -> None:
        """Decide about a page in doubt after the last page of the window."""
        if not self._is_in_doubt:
            return
        self._is_in_doubt = False
        if self._is_end_likely and not self._came_after:
            self.is_ended = True
        else:
            self._is_again = True
        self._is_end_likely = False

    def _settle(self, n_records: int, content: int, *, is_sure: bool = False) -> None:
        self._next += 1
        if n_records:
            self._seen.add(content)
        self._last, self._last_content = n_records, content
        self._longest = max(self._longest, n_records)
        self._is_last_sure = is_sure or self._n_alike >= ALIKE
        self._came_after = False

    def _is_last_short(self) -> bool:
        """Whether the last page is so short that an empty one after it is the end."""
        if self._last is None or self._n_alike >= ALIKE:
            return False
        return self._last < max(self.largest, self._longest)

    def _begin_again(self) -> None:
        """Read the list again from its start, or give up."""
        if self._reading == READINGS:
            self.is_ended = self.is_repeating = True
            return
        self._reading += 1
        self.first = self._next = self._width = 1
        self._longest, self._last, self._n_alike = 0, None, 0
        self._seen.clear()
        self._is_last_sure = self._came_after = False
