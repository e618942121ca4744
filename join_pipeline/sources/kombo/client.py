"""Kombo's client: key and integration as headers, the envelope, cursors to their end.

Belongs here: what is Kombo's own in talking. Not here: sending, waiting and retrying (http), which lists there are
(feeds), what a record means (mapping). Neither the API key nor the integration id is ever in a message.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Unpack

import httpx
import msgspec

from join_pipeline.errors import ContractError, JoinError
from join_pipeline.http.bodies import shown
from join_pipeline.http.client import HttpClient, Options
from join_pipeline.http.pages import Page, Record
from join_pipeline.sources.kombo.refusals import CURES, WORDS, error_for, refusal_of

PAGE_SIZE: Final = 250  # Kombo's largest
# only `updated_after` leaves records out; a filter of a later version that the connector lacks would empty the list
EVERYTHING: Final = {"include_deleted": "true", "ignore_unsupported_filters": "true"}


class _Results(msgspec.Struct):
    results: list[msgspec.Raw]
    next: str | None


class _List(msgspec.Struct):
    data: _Results


class Part(msgspec.Struct):
    """A model or an action of an integration, and whether it is there."""

    id: str
    is_available: bool = True


class Integration(msgspec.Struct):
    """How an integration is."""

    status: str
    setup_status: str
    read_models: list[Part] = []


class _Details(msgspec.Struct):
    data: Integration


class _Keyed(msgspec.Struct):
    id: str
    changed_at: Any = None


_LIST: Final[msgspec.json.Decoder[_List]] = msgspec.json.Decoder(_List)
_KEYED: Final[msgspec.json.Decoder[_Keyed]] = msgspec.json.Decoder(_Keyed)


class KomboClient(HttpClient):
    """Talks to one integration at Kombo. Usable from several threads; a context manager."""

    words = WORDS

    def __init__(self, url: str, api_key: str, integration_id: str, **options: Unpack[Options]) -> None:
        headers = {"Authorization": f"Bearer {api_key}", "X-Integration-Id": integration_id}
        super().__init__(url, headers, **options)
        self._integration_id = integration_id
        self._secrets = (api_key, integration_id)

    def kind_of(self, response: httpx.Response) -> type[JoinError]:
        return error_for(refusal_of(response.content).code, response.status_code)

    def reason_of(self, response: httpx.Response) -> str | None:
        refusal = refusal_of(response.content)
        said = shown(refusal.message or refusal.title, self._secrets)
        return " ".join(part for part in (shown(refusal.code, self._secrets), said) if part) or None

    def next_step(self, response: httpx.Response, kind: type[JoinError]) -> str:
        return CURES.get(refusal_of(response.content).code or "", self.words.next_step(kind))

    def integration(self) -> Integration:
        """How the integration is: the first call, since it proves key and id and tells the time."""
        body, _ = self.get(f"/integrations/{self._integration_id}", told="/integrations/{id}")
        try:
            return msgspec.json.decode(body, type=_Details).data
        except msgspec.DecodeError:
            raise self._strange("/integrations/{id}") from None

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Page]:
        """A list to its end, deleted records with the others. Filters are repeated with each cursor."""
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
                    f"GET {path} gave the same cursor twice: the list has no end. Tell Kombo's support."
                )
            given.add(cursor)

    def _page(self, path: str, params: Mapping[str, str], number: int) -> tuple[Page, str | None]:
        body, fetched_at = self.get(path, params)
        try:
            listed = _LIST.decode(body).data
        except msgspec.DecodeError:
            raise self._strange(path) from None
        return _as_page(listed, number, fetched_at, len(body)), listed.next

    def _strange(self, path: str) -> ContractError:
        return ContractError(f"GET {path} answered JSON that is not Kombo's envelope. Check KOMBO_API_URL.")


def _as_page(listed: _Results, number: int, fetched_at: datetime, n_bytes: int) -> Page:
    return Page(number, [_record(bytes(raw)) for raw in listed.results], fetched_at, n_bytes)


def _record(payload: bytes) -> Record:
    try:
        keyed = _KEYED.decode(payload)
    except msgspec.DecodeError:
        return Record(None, None, payload)
    return Record(keyed.id, keyed.changed_at if isinstance(keyed.changed_at, str) else None, payload)
