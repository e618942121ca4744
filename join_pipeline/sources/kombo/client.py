"""Kombo's client: key and integration as headers, the envelope, lists page by page with cursors.

Belongs here: what only Kombo's requests and responses have. Not here: sending, waiting and retrying (http), which lists
there are (feeds), what is in a body (answers), what a record means (mapping). No message has the API key or the
integration id in it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Unpack

import httpx

from join_pipeline.errors import ContractError, NotFoundError, RefusedError
from join_pipeline.http.bodies import shown
from join_pipeline.http.client import HttpClient, Judgement, Options
from join_pipeline.http.pages import Page
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.kombo.answers import Integration, integration_of, list_of, refusal_of
from join_pipeline.sources.kombo.refusals import CURES, WORDS, error_for

PAGE_SIZE: Final = 250  # Kombo's largest
# without `ignore_unsupported_filters` a filter that the connector does not support would empty the list
EVERYTHING: Final = {"include_deleted": "true", "ignore_unsupported_filters": "true"}


class KomboClient(HttpClient):
    """A client of one integration at Kombo. It is a context manager, and several threads may use it."""

    words = WORDS

    def __init__(self, url: str, api_key: str, integration_id: str, **options: Unpack[Options]) -> None:
        headers = {"Authorization": f"Bearer {api_key}", "X-Integration-Id": integration_id}
        super().__init__(url, headers, **options)
        self._integration_id = integration_id
        self._secrets = (api_key, integration_id)

    def judge(self, response: httpx.Response) -> Judgement:
        refusal = refusal_of(response.content)
        said = shown(refusal.message or refusal.title, self._secrets)
        reason = " ".join(part for part in (shown(refusal.code, self._secrets), said) if part)
        return Judgement(error_for(refusal.code, response.status_code), reason or None, CURES.get(refusal.code or ""))

    def integration(self) -> Integration:
        """The condition of the integration. A session fetches it first, because it proves key and id."""
        body, _ = self.get(f"/integrations/{self._integration_id}", shown_as="/integrations/{id}")
        integration = integration_of(body)
        if integration is None:
            raise self._strange("/integrations/{id}")
        return integration

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Page]:
        """The pages of a list, deleted records included. Each request repeats the filters beside the cursor."""
        asked = {"page_size": str(PAGE_SIZE), **EVERYTHING, **(params or {})}
        given: set[str] = set()
        cursor: str | None = None
        while True:
            page, cursor = self._page(path, asked if cursor is None else {**asked, "cursor": cursor}, len(given) + 1)
            yield page
            if cursor is None:
                return
            if cursor in given:
                raise ContractError(
                    f"GET {path} returned the same cursor twice, so the list has no end. Report it to Kombo's support."
                )
            given.add(cursor)

    def record(self, feed: Feed, record_id: str) -> bytes | None:
        """One record by its id, or None if Kombo does not have it."""
        try:
            page = next(self.pages(feed.path, {"ids": record_id}))
        except (NotFoundError, RefusedError):
            return None
        return next((record.payload for record in page.records if record.id == record_id), None)

    def _page(self, path: str, params: Mapping[str, str], number: int) -> tuple[Page, str | None]:
        body, fetched_at = self.get(path, params)
        listed = list_of(body)
        if listed is None:
            raise self._strange(path)
        return Page(number, listed.records, fetched_at, len(body)), listed.next

    def _strange(self, path: str) -> ContractError:
        return ContractError(f"GET {path} returned JSON that is not Kombo's envelope. Check KOMBO_API_URL.")
