"""Only what was created from here: a filter over raw, before anything is mapped.

Whoever is left out here is in no model, nor is their candidate, tag or stage. What JOIN lists is read and counted whole
all the same: absence, looks and the guard judge the account, not the selection.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from join_pipeline.actions.journal import created_applications
from join_pipeline.lake.raw import RawRow
from join_pipeline.sources.feed import RawOf
from join_pipeline.sources.join.feeds import APPLICATIONS


class _Keyed(msgspec.Struct, rename="camel"):
    integration_external_id: str | None = None


_KEYED = msgspec.json.Decoder(_Keyed)


def only_created(raw_of: RawOf, actions: Path) -> RawOf:
    """The same without applications that the journal does not know.

    By JOIN's id, and by the key: of one whose answer was lost the journal does not know the id yet.
    """
    ids, keys = created_applications(actions)

    def is_ours(row: RawRow) -> bool:
        if row.payload is None or row.record_id in ids:
            return True
        try:
            return _KEYED.decode(row.payload).integration_external_id in keys
        except msgspec.DecodeError:
            return False

    def rows(feed: str) -> Iterable[RawRow]:
        found = raw_of(feed)
        return (row for row in found if is_ours(row)) if feed == APPLICATIONS.name else found

    return rows
