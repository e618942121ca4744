"""JOIN's client: the raw token, its refusals, and its lists page by page.

Belongs here: what is JOIN's own in talking. Not here: sending (http), which lists there are (feeds), when a list
ends (paging), what is in a body (answers).
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Unpack

import httpx

from join_pipeline.errors import ContractError
from join_pipeline.http.client import HttpClient, Judgement, Options
from join_pipeline.http.pages import Page
from join_pipeline.sources.join.answers import message_of, records_of
from join_pipeline.sources.join.paging import PAGE_SIZE, Paging
from join_pipeline.sources.join.refusals import WORDS, error_for_status


class JoinClient(HttpClient):
    """Talks to JOIN. Usable from several threads; a context manager."""

    words = WORDS

    def __init__(self, url: str, token: str, **options: Unpack[Options]) -> None:
        super().__init__(url, {"Authorization": token}, **options)  # raw, without `Bearer`
        self._token = token

    def judge(self, response: httpx.Response) -> Judgement:
        return Judgement(error_for_status(response.status_code), message_of(response.content, self._token))

    def pages(
        self, path: str, params: Mapping[str, str] | None = None, *, in_flight: int | None = None, first: int = 1
    ) -> Iterator[Page]:
        """A paged list from page `first` on, in order; at most `in_flight` asked for side by side, and no more kept."""
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
                    # what came after the end is still an observation: the list may have grown meanwhile
                    if paging.add(page.number, len(page.records), _fingerprint(page)):
                        yield page
        finally:
            # after an error or an interrupt, pages may still wait for the rate limit: nobody waits for them
            pool.shutdown(wait=False, cancel_futures=True)

    def whole(self, path: str, params: Mapping[str, str] | None = None) -> Page:
        """A list that is not paged."""
        return self._page(path, dict(params or {}), 1)

    def _page(self, path: str, params: dict[str, str], number: int) -> Page:
        body, fetched_at = self.get(path, params)
        records = records_of(body)
        if records is None:
            raise ContractError(f"GET {path} answered JSON that is no list. Check that JOIN_API_URL is JOIN's API v2.")
        return Page(number, records, fetched_at, len(body))


def _fingerprint(page: Page) -> int:
    # by id: signed URLs in a record may differ at each read
    return hash(tuple(record.id or record.payload for record in page.records))
