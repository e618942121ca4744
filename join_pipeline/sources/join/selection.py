"""Only created: a filter of raw rows, before anything is mapped.

An application that it leaves out is in no model, and neither are its candidate, tags and stage. The sync still fetches
and counts the whole list, because second looks and the guard judge the account, not the selection.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from join_pipeline.actions.journal import created_applications
from join_pipeline.errors import ContractError
from join_pipeline.http.tolerant import UNREAD_JSON, parse
from join_pipeline.lake.raw import RawRow
from join_pipeline.sources.feed import RawOf
from join_pipeline.sources.join.feeds import APPLICATIONS


class _Keyed(msgspec.Struct, rename="camel"):
    integration_external_id: str | None = None


_KEYED = msgspec.json.Decoder(_Keyed)


def _odd_key(payload: str) -> str | None:
    """The key of a payload that the strict reader refuses."""
    try:
        read = parse(payload)
    except ContractError:
        return None
    key = read.get("integrationExternalId") if isinstance(read, dict) else None
    return key if isinstance(key, str) else None


def only_created(raw_of: RawOf, actions: Path) -> RawOf:
    """The raw rows without applications that the journal does not know.

    The journal knows an application by JOIN's id or by its key. If a response was lost, it has the key only.
    """
    ids, keys = created_applications(actions)

    def is_ours(row: RawRow) -> bool:
        if row.payload is None or row.record_id in ids:
            return True
        try:
            return _KEYED.decode(row.payload).integration_external_id in keys
        except UNREAD_JSON:
            return _odd_key(row.payload) in keys

    def rows(feed: str) -> Iterable[RawRow]:
        found = raw_of(feed)
        return (row for row in found if is_ours(row)) if feed == APPLICATIONS.name else found

    return rows
