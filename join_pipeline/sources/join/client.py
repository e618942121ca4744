"""JOIN's client: the raw token, errors, and lists page by page.

Belongs here: what only JOIN's requests and responses have. Not here: sending (http), which lists there are (feeds),
when a list ends (paging), what is in a body (answers).
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Unpack

import httpx

from join_pipeline.errors import ContractError, NotFoundError, RefusedError
from join_pipeline.http.client import HttpClient, Judgement, Options
from join_pipeline.http.pages import Page
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.join.answers import message_of, records_of
from join_pipeline.sources.join.paging import PAGE_SIZE, Paging
from join_pipeline.sources.join.refusals import WORDS, error_for_status


class JoinClient(HttpClient):
    """A client of JOIN's API v2. It is a context manager, and several threads may use it."""

    words = WORDS

    def __init__(self, url: str, token: str, **options: Unpack[Options]) -> None:
        super().__init__(url, {"Authorization": token}, **options)  # raw, without `Bearer`
        self._token = token

    def judge(self, response: httpx.Response) -> Judgement:
        return Judgement(error_for_status(response.status_code), message_of(response.content, self._token))

    def pages(
        self, path: str, params: Mapping[str, str] | None = None, *, in_flight: int | None = None, first: int = 1
    ) -> Iterator[Page]:
        """The pages of a list from page `first` on, in order. It fetches at most `in_flight` pages at a time."""
        paging = Paging(in_flight or self._in_flight, first=first)
        pool = ThreadPoolExecutor(paging.in_flight, thread_name_prefix="join-page")
        try:
            while window := paging.window():
                asked = [
                    pool.submit(self._page, path, {**(params or {}), "page": str(n), "pageSize": str(PAGE_SIZE)}, n)
                    for n in window
                ]
                for future in asked:
                    page = future.result()
                    # pages after the end are observations, too: the list may have grown meanwhile
                    if paging.add(page.number, len(page.records), _fingerprint(page)):
                        yield page
        finally:
            # after an error or an interrupt, do not wait for pages that still wait for the rate limit
            pool.shutdown(wait=False, cancel_futures=True)

    def whole(self, path: str, params: Mapping[str, str] | None = None) -> Page:
        """A list that has no pages, as one page."""
        return self._page(path, dict(params or {}), 1)

    def record(self, feed: Feed, remote_id: str) -> bytes | None:
        """One record by its id, or None if JOIN does not have it."""
        try:
            return self.get(f"{feed.path}/{remote_id}")[0]
        except (NotFoundError, RefusedError):  # what is no id to JOIN is refused
            return None

    def _page(self, path: str, params: dict[str, str], number: int) -> Page:
        body, fetched_at = self.get(path, params)
        records = records_of(body)
        if records is None:
            raise ContractError(
                f"GET {path} returned JSON that is not a list. Check that JOIN_API_URL is JOIN's API v2."
            )
        return Page(number, records, fetched_at, len(body))


def _fingerprint(page: Page) -> int:
    # by id, because signed URLs in a record may differ at each fetch
    return hash(tuple(record.id or record.payload for record in page.records))
