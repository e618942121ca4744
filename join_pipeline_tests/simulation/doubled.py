"""Each full sync of a history, derived a second time by mapping every payload: both must write the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import msgspec

from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.record import SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.sync import run
from join_pipeline.sync.derive import derive
from join_pipeline.sync.unchanged import Unchanged
from join_pipeline.sync.workspace import Workspace


@contextmanager
def doubled() -> Iterator[list[tuple[int, int]]]:
    """The list gets, for each such sync, how many payloads came and how many of them were not mapped again."""
    found: list[tuple[int, int]] = []

    def both(
        source: Any, workspace: Workspace, ids: Any, record: SyncRecord, previous: Any, raw_of: Any, **more: Any
    ) -> int:
        unchanged: Unchanged | None = more["unchanged"]
        if unchanged is None or unchanged.since is None:
            return derive(source, workspace, ids, record, previous, raw_of, **more)
        again = msgspec.convert(msgspec.to_builtins(record), SyncRecord)
        others = Workspace(workspace.con, workspace.lake, again.files, again.started_at)
        others.open()
        n_late = derive(source, others, ids, again, previous, raw_of)
        mapped = _written(others, again)
        for group in (again.files.models, again.files.personal, again.files.quarantine):
            for file in (file for files in group.values() for file in files if file.sync_id == again.sync_id):
                (workspace.lake / file.path).unlink()
        workspace.open()
        assert derive(source, workspace, ids, record, previous, raw_of, **more) == n_late
        assert _written(workspace, record) == mapped
        assert msgspec.to_builtins(record) == msgspec.to_builtins(again)
        found.append((record.feeds[unchanged.of.feed].records, unchanged.n_same))
        return n_late

    with mock.patch.object(run, "derive", both):
        yield found


def _written(workspace: Workspace, record: SyncRecord) -> dict[str, list[tuple[Any, ...]]]:
    """Every version that this sync has written, with its personal columns."""
    found = {}
    for name, model in MODELS.items():
        versions = versions_relation(workspace.lake, model, record.files.models.get(name, []))
        personal = personal_relation(workspace.lake, model, record.files.personal.get(name, []))
        found[name] = workspace.con.execute(
            f"FROM {versions} AS v LEFT JOIN {personal} AS p USING (id, sync_id) WHERE sync_id = ? ORDER BY id",
            [record.sync_id],
        ).fetchall()
    return found
