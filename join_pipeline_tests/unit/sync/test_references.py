"""Before a commit: what a live version refers to has a version, or the sync is refused."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline.errors import UnsoundError
from join_pipeline.lake.record import Files, LakeFile
from join_pipeline.models import MODELS
from join_pipeline.sync.diff import refuse_dangling
from join_pipeline_tests.unit.sync.tables import BEFORE, THIS_SYNC, Row, record_of


def put(lake: Path, name: str, rows: list[Row]) -> LakeFile:
    """A version file of this sync with these rows; other columns are null."""
    path = f"models/{name}/{THIS_SYNC}.parquet"
    (lake / path).parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([(column.name, column.type) for column in MODELS[name].plain])
    pq.write_table(pa.Table.from_pylist([{"sync_id": THIS_SYNC} | row for row in rows], schema), lake / path)
    return LakeFile(path=path, sync_id=THIS_SYNC)


REFERRING = [
    (name, column.name, str(column.references))
    for name, model in MODELS.items()
    for column in model.plain
    if column.references is not None
]


@pytest.mark.parametrize(("name", "column", "target"), REFERRING)
def test_a_reference_that_leads_nowhere_is_refused_before_the_commit(
    tmp_path: Path, name: str, column: str, target: str
) -> None:
    for row, is_there, is_refused in (
        ({"id": "one", column: "other"}, False, True),
        ({"id": "one", column: "other"}, True, False),
        ({"id": "one", column: None}, False, False),
        ({"id": "one", column: "other", "remote_deleted_at": BEFORE}, False, False),
    ):
        rows: dict[str, list[Row]] = {name: [row]}
        if is_there:
            rows.setdefault(target, []).append({"id": "other"})
        files = Files(models={model: [put(tmp_path, model, these)] for model, these in rows.items()})
        record = record_of(files)
        with duckdb.connect() as con:
            if is_refused:
                with pytest.raises(UnsoundError, match=rf"{name}: the {column} other is in no version of {target}"):
                    refuse_dangling(con, tmp_path, record)
            else:
                refuse_dangling(con, tmp_path, record)
