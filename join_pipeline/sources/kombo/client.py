"""Kombo's client: key and integration as headers, the envelope, lists page by page with cursors.

Belongs here: what only Kombo's requests and responses have. Not here: sending, waiting and retrying (http), which lists
there are (feeds), what is in a body (answers), what a record means (mapping). No message has the API key or the
integration id in it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Unpack

import httpx

from join_pipeline.errors import ContractError, NotFoundError, RefusedError, SourceError, TransientError
from join_pipeline.http.bodies import shown
from join_pipeline.http.client import Asked, HttpClient, Judgement, Options
from join_pipeline.http.pages import Page
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.kombo.answers import Integration, Refusal, integration_of, is_refusal, list_of, refusal_of
from join_pipeline.sources.kombo.names import KOMBOS, Names
from join_pipeline.sources.kombo.refusals import CODE_ERRORS, CURES, WORDS, error_for

PAGE_SIZE: Final = 250  # Kombo's largest
# without `ignore_unsupported_filters` a filter that the connector does not support would empty the list
EVERYTHING: Final = {"include_deleted": "true", "ignore_unsupported_filters": "true"}

ENVELOPE: Final = "Kombo's envelope"
MOST_EMPTY: Final = 100
"""The most empty pages one after the other. Kombo may send some, because it filters after it has cut its pages."""


class KomboClient(HttpClient):
    """A client of one integration at Kombo. It is a context manager, and several threads may use it."""

    words = WORDS

    def __init__(
        self, url: str, api_key: str, integration_id: str, names: Names = KOMBOS, **options: Unpack[Options]
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}", "X-Integration-Id": integration_id}
        super().__init__(url, headers, **options)
        self._integration_id = integration_id
        self.names = names
        self._secrets = (api_key, integration_id)

    def judge(self, response: httpx.Response) -> Judgement:
        refusal = refusal_of(response.content)
        return self._judgement(refusal, error_for(refusal.code, response.status_code))

    def complaint(self, body: bytes) -> Judgement | None:
        if not is_refusal(body):
            return None
        refusal = refusal_of(body)
        return self._judgement(refusal, CODE_ERRORS.get(refusal.code or "", TransientError))

    def _judgement(self, refusal: Refusal, kind: type[SourceError]) -> Judgement:
        said = shown(refusal.message or refusal.title, self._secrets)
        reason = " ".join(part for part in (shown(refusal.code, self._secrets), said) if part)
        return Judgement(kind, reason or None, CURES.get(refusal.code or ""))

    def integration(self) -> Integration:
        """The condition of the integration. A session fetches it first, because it proves key and id."""
        asked = Asked(f"/integrations/{self._integration_id}", None, "/integrations/{id}", due=ENVELOPE)
        return self.fetch(asked, integration_of)[0]

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Page]:
        """The pages of a list, deleted records included. Each request repeats the filters beside the cursor.

        A cursor that comes again, the same records behind two cursors, and very many empty pages have no end, and are
        errors. Records that come again are asked for once more before that.
        """
        asked = {"page_size": str(PAGE_SIZE), **EVERYTHING, **(params or {})}
        given: set[str] = set()
        seen: set[int] = set()
        cursor: str | None = None
        n_empty = 0
        while True:
            params_now = asked if cursor is None else {**asked, "cursor": cursor}
            page, following = self._page(path, params_now, len(given) + 1)
            if _fingerprint(page) in seen:
                page, following = self._page(path, params_now, len(given) + 1)
            content = _fingerprint(page)
            n_empty = 0 if page.records else n_empty + 1
            if content in seen or n_empty > MOST_EMPTY or following in given:
                what = "the same cursor twice" if following in given else "the same records at two cursors"
                what = "only empty pages" if n_empty > MOST_EMPTY else what
                raise ContractError(
                    f"GET {path} returned {what}, so nobody can tell where the list ends. Run it again later. If it "
                    "fails again, report it to Kombo's support."
                )
            yield page
            if following is None:
                return
            if page.records:
                seen.add(content)
            given.add(following)
            cursor = following

    def found(self, feed: Feed, record_id: str) -> bytes | None:
        """One record by the lake's key, or None if Kombo does not have it."""
        try:
            for page in self.listed(feed, self.names.asked([record_id], feed)):
                for record in page.records:
                    if record.id == record_id:
                        return record.payload
        except (NotFoundError, RefusedError):
            return None
        return None

    def listed(self, feed: Feed, params: Mapping[str, str] | None = None) -> Iterator[Page]:
        """The pages of a feed's list. Their records have the lake's keys."""
        for page in self.pages(feed.path, params):
            yield self.names.page(feed, page)

    def _page(self, path: str, params: Mapping[str, str], number: int) -> tuple[Page, str | None]:
        listed, n_bytes, fetched_at = self.fetch(Asked(path, params, due=ENVELOPE), list_of)
        return Page(number, listed.records, fetched_at, n_bytes), listed.next


def _fingerprint(page: Page) -> int:
    return hash(tuple(sorted(record.id or record.payload.decode(errors="replace") for record in page.records)))
