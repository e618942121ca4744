"""JOIN's client: the raw token, errors, and lists page by page.

Belongs here: what only JOIN's requests and responses have. Not here: sending (http), which lists there are (feeds),
when a list ends (paging), what is in a body (answers).
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final, Unpack

import httpx

from join_pipeline.errors import ContractError, NotFoundError, PermanentError, RefusedError, TransientError
from join_pipeline.http.client import Asked, HttpClient, Judgement, Options
from join_pipeline.http.pages import Page
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.join.answers import is_complaint, message_of, object_of, records_of
from join_pipeline.sources.join.paging import PAGE_SIZE, Paging
from join_pipeline.sources.join.refusals import WORDS, error_for_status

NOTHING: Final = b"[]"


class JoinClient(HttpClient):
    """A client of JOIN's API v2. It is a context manager, and several threads may use it."""

    words = WORDS

    def __init__(self, url: str, token: str, **options: Unpack[Options]) -> None:
        super().__init__(url, {"Authorization": token}, **options)  # raw, without `Bearer`
        self._token = token
        self._largest_page = 0

    def judge(self, response: httpx.Response) -> Judgement:
        return Judgement(error_for_status(response.status_code), message_of(response.content, self._token))

    def complaint(self, body: bytes) -> Judgement | None:
        if not is_complaint(body):
            return None
        return Judgement(TransientError, message_of(body, self._token))

    def record(self, path: str, remote_id: str) -> tuple[bytes, datetime]:
        """One record by its own path, and when it was fetched."""
        asked = Asked(path, due="the record that was asked for")
        body, _, fetched_at = self.fetch(asked, lambda body: object_of(body, remote_id))
        return body, fetched_at

    def pages(
        self, path: str, params: Mapping[str, str] | None = None, *, in_flight: int | None = None, first: int = 1
    ) -> Iterator[Page]:
        """The pages of a list from page `first` on. It fetches at most `in_flight` pages at a time.

        They come in order, but for those that are asked for once more, and a list that is read again from its start.
        """
        paging = Paging(in_flight or self._in_flight, first=first, largest=self._largest_page)
        pool = ThreadPoolExecutor(paging.in_flight, thread_name_prefix="join-page")
        try:
            while window := paging.window():
                asked = [
                    pool.submit(self._page, path, {**(params or {}), "page": str(n), "pageSize": str(PAGE_SIZE)}, n)
                    for n in window
                ]
                for number, future in zip(window, asked, strict=True):
                    try:
                        page = future.result()
                    except RefusedError as error:
                        if number == first:
                            raise
                        # a list that JOIN refuses from its first page on is not offered; this one is cut off
                        raise PermanentError(str(error)) from None
                    self._largest_page = max(self._largest_page, len(page.records))
                    if paging.add(page.number, len(page.records), _fingerprint(page)):
                        yield page
            if paging.is_repeating:
                raise ContractError(
                    f"GET {path} returned the same records as two of its pages, and again when the list was read anew. "
                    "So JOIN, or a proxy on the way to it, ignores which page is asked for, and nobody can tell "
                    "whether the list is whole. Check JOIN_API_URL and the proxy, then run it again."
                )
        finally:
            # after an error or an interrupt, do not wait for pages that still wait for the rate limit
            pool.shutdown(wait=False, cancel_futures=True)

    def whole(self, path: str, params: Mapping[str, str] | None = None) -> Page:
        """A list that has no pages, as one page."""
        return self._page(path, dict(params or {}), 1)

    def found(self, feed: Feed, remote_id: str) -> bytes | None:
        """One record by its id, or None if JOIN does not have it."""
        try:
            return self.record(f"{feed.path}/{remote_id}", remote_id)[0]
        except (NotFoundError, RefusedError):  # what is no id to JOIN is refused
            return None

    def _page(self, path: str, params: dict[str, str], number: int) -> Page:
        # 204 is how some servers answer past the end of a list
        asked = Asked(path, params, due="a list", when_empty=NOTHING)
        records, n_bytes, fetched_at = self.fetch(asked, records_of)
        return Page(number, records, fetched_at, n_bytes)


def _fingerprint(page: Page) -> int:
    # by id, because signed URLs in a record may differ at each fetch; in any order, because not every list has one
    return hash(tuple(sorted(record.id or record.payload.decode(errors="replace") for record in page.records)))
