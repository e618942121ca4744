"""Names: by which ids a lake knows Kombo's records.

A lake that was begun from Kombo has Kombo's ids. A lake that was begun from the ATS itself has ids that are computed
from the ATS's own, which Kombo tells as `remote_id`. So the history of each record goes on.
Belongs here: keys of records, filters, and rows under the lake's ids. Not here: what a record means (mapping).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

import msgspec

from join_pipeline.http.pages import Page, Record
from join_pipeline.http.tolerant import UNREAD_JSON
from join_pipeline.models import MODELS
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import UNREAD, Mapped, Row
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sources.kombo.feeds import FEEDS
from join_pipeline.sources.kombo.reconcile import LINKS

KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "applications": (
        "remote_created_at",
        "source",
        "is_premium_source",
        "qualified",
        "consent_status",
        "integration_external_id",
    ),
    "jobs": ("post_url",),
}
"""Columns that Kombo does not promise. Where it leaves them empty, the value that the ATS itself told stays."""

Listed = Callable[[str], Mapping[str, str]]
"""A function that returns, for a model, the ATS's own ids of the records in this sync's list, by Kombo's ids."""


class _Keys(msgspec.Struct):
    id: str
    remote_id: str | int | None = None


_KEYS: Final[msgspec.json.Decoder[_Keys]] = msgspec.json.Decoder(_Keys)


@dataclass(frozen=True, slots=True)
class Names:
    """Kombo's ids, or, if `ids` is given, those that a lake has computed from the ATS's own."""

    ids: Ids | None = None

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """The feeds, each with the column that identifies its records in the lake."""
        if self.ids is None:
            return FEEDS
        return tuple(feed if _is_personal(feed.name) else replace(feed, key="remote_id") for feed in FEEDS)

    def page(self, feed: Feed, page: Page) -> Page:
        """A page whose records have the lake's keys."""
        if self.ids is None:
            return page
        return replace(page, records=[replace(one, id=self._key(self.ids, feed, one)) for one in page.records])

    def asked(self, keys: Sequence[str], feed: Feed) -> Mapping[str, str]:
        """The filter for the records with these keys. Without one the whole list is read: a personal id is no key."""
        if self.ids is None:
            return {"ids": ",".join(keys)}
        return {} if _is_personal(feed.name) else {"remote_ids": ",".join(keys)}

    def rows(self, mapped: Mapped, feed: str, text: str, listed: Listed) -> Mapped:
        """The rows of a payload under the lake's ids."""
        return mapped if self.ids is None else _renamed(mapped, feed, text, self.ids, listed)

    @staticmethod
    def _key(ids: Ids, feed: Feed, record: Record) -> str | None:
        remote_id = _remote_id(record.payload)
        if remote_id is None:
            return record.id
        return ids.of(feed.name, remote_id) if _is_personal(feed.name) else remote_id


KOMBOS: Final = Names()
"""Kombo's own ids."""


@dataclass(slots=True)
class Lists:
    """The ATS's own ids of the records in this sync's lists. A list is read when a record is first looked for in it."""

    raw_of: RawOf
    _read: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, model: str) -> Mapping[str, str]:
        """Those of one model, by Kombo's ids."""
        if model not in self._read:
            is_listed = any(feed.name == model for feed in FEEDS)
            self._read[model] = dict(_pairs(row.payload for row in self.raw_of(model))) if is_listed else {}
        return self._read[model]


def _renamed(mapped: Mapped, feed: str, text: str, ids: Ids, listed: Listed) -> Mapped:
    own = _remote_id(text.encode(errors="replace"))
    groups = [*mapped.rows.items(), *mapped.endings.items()]
    names: dict[tuple[str, str], str] = {}
    for model, rows in groups:
        for row in rows:
            # the remote id of a link is made of those of its two records
            if row["remote_id"] is not None and (own is not None or model not in LINKS):
                names[model, row["id"]] = ids.of(model, row["remote_id"])
    for model, rows in groups:
        for row in rows:
            row["id"] = names.get((model, row["id"]), row["id"])
            _refer(model, row, names, ids, listed)
    for row in chain(mapped.rows.get(feed, ())[:1], mapped.endings.get(feed, ())[:1]):
        _mark(row, (name for name in KEPT.get(feed, ()) if row.get(name) is None))
    if own is not None:
        mapped.gone = [(model, ids.of(model, own), at) for model, _, at in mapped.gone]
    return mapped


def _refer(model: str, row: Row, names: Mapping[tuple[str, str], str], ids: Ids, listed: Listed) -> None:
    """Put the lake's ids in place of those that a row refers to. What nobody tells the name of stays as it is known."""
    for column in MODELS[model].fields:
        named = row.get(column.name)
        if column.references is None or named is None:
            continue
        found = names.get((column.references, named))
        if found is None and (remote_id := listed(column.references).get(named)) is not None:
            found = ids.of(column.references, remote_id)
        if found is None:
            _mark(row, (column.name,))
        else:
            row[column.name] = found


def _mark(row: Row, columns: Iterable[str]) -> None:
    row[UNREAD] = [*(row.get(UNREAD) or ()), *columns] or None


def _is_personal(model: str) -> bool:
    """Whether the ATS's own id of these records is personal, so that versions are not found by it."""
    return MODELS[model].remote_id_tier.is_personal


def _remote_id(payload: bytes) -> str | None:
    try:
        found = _KEYS.decode(payload).remote_id
    except UNREAD_JSON:
        return None
    return None if found is None else str(found)


def _pairs(payloads: Iterable[str | None]) -> Iterable[tuple[str, str]]:
    for payload in payloads:
        try:
            keys = None if payload is None else _KEYS.decode(payload)
        except UNREAD_JSON:
            continue
        if keys is not None and keys.remote_id is not None:
            yield keys.id, str(keys.remote_id)
