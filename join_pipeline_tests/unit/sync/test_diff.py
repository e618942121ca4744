"""Diff: what is known, what is now and what is gone in; the versions to write, and their files, out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pytest

from join_pipeline.errors import UnsoundError
from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.hashing import content_hash
from join_pipeline.lake.record import Files, ModelRecord, SyncRecord
from join_pipeline.lake.sql import empty_table, insert_rows, quoted
from join_pipeline.models import MODELS, Column
from join_pipeline.models.types import INSTANT, TEXT
from join_pipeline.sync.diff import Writing, write_versions
from join_pipeline.sync.workspace import Phase
from join_pipeline_tests.unit.sync.tables import (
    BEFORE,
    DAY,
    DIGEST,
    LAST_SYNC,
    MINUTE,
    NOW,
    THIS_SYNC,
    Row,
    Rows,
    Tables,
    observe,
    record_of,
)

DELETED = {"remote_deleted_at": BEFORE}
GONE = pa.schema([("id", TEXT), ("observed_at", INSTANT), ("remote_deleted_at", INSTANT)])
AS_OF = NOW + 30 * MINUTE


@dataclass
class Written:
    """What a diff wrote: its figures, the versions by id, and the rows of the personal file by id."""

    figures: ModelRecord
    versions: Mapping[str, Row]
    personal: Mapping[str, Row] = field(default_factory=dict)
    files: Files = field(default_factory=Files)

    def of(self, *columns: str) -> dict[str, Any]:
        """One column, or several, of each version."""
        rows = {key: tuple(row[column] for column in columns) for key, row in self.versions.items()}
        return {key: row[0] if len(columns) == 1 else row for key, row in rows.items()}


def diffed(
    given: Tables,
    name: str,
    *,
    known: Rows = (),
    now: Rows = (),
    gone: Rows = (),
    ended: Rows = (),
    previous: SyncRecord | None = None,
    **record: Any,
) -> Written:
    """A known row has all of its columns, also personal ones: they are in its content hash."""
    model, con = MODELS[name], given.con
    workspace = given.workspace()
    with workspace.phase(Phase.DECODE):
        workspace.begin_decode()
        observe(workspace, [{name: [row]} for row in now])
        workspace.add("ended", name, ended)
    with workspace.phase(Phase.RECALL):
        for other in MODELS:
            workspace.make("known", other, f"FROM versions_{other}")
        schema = pa.schema([(column.name, column.type) for column in model.version_columns])
        empty_table(con, "known_by_hand", schema)
        filled = [{"sync_id": LAST_SYNC, "payload_hash": DIGEST, "changed_at": BEFORE} | row for row in known]
        insert_rows(con, "known_by_hand", schema, filled)
        hashed = content_hash(model, '"{}"'.format)
        workspace.make(
            "known",
            name,
            f"SELECT {quoted(model.plain)} FROM (SELECT * REPLACE ({hashed} AS content_hash) FROM known_by_hand)",
        )
    with workspace.phase(Phase.RECONCILE):
        for other in MODELS:
            workspace.make("now", other, f"FROM seen_{other}")
            workspace.make("gone", other, "SELECT NULL::VARCHAR AS id, NULL::TIMESTAMPTZ AS observed_at WHERE false")
        # not every source tells when a record was deleted
        told = {"id", "observed_at"}.union(*gone)
        lost = pa.schema([GONE.field(name) for name in GONE.names if name in told])
        empty_table(con, "gone_by_hand", lost)
        insert_rows(con, "gone_by_hand", lost, gone)
        workspace.make("gone", name, "FROM gone_by_hand")
    made = record_of(given.files, **record)
    with workspace.phase(Phase.DIFF):
        figures = write_versions(workspace, model, Writing(given.lake, made, previous))
    versions = given.by_id(versions_relation(given.lake, model, made.files.models.get(name, [])))
    personal = given.by_id(personal_relation(given.lake, model, made.files.personal.get(name, [])))
    return Written(figures, versions, personal, made.files)


# What makes a version


def test_what_was_not_known_is_a_version_from_the_start_of_the_sync_as_it_was_observed(given: Tables) -> None:
    written = diffed(given, "tags", now=[{"id": "t1", "remote_id": "gut", "name": "gut"}])
    (version,) = written.versions.values()
    assert {key: value for key, value in version.items() if key != "content_hash"} == {
        "id": "t1",
        "changed_at": NOW,
        "remote_deleted_at": None,
        "observed_at": NOW + MINUTE,
        "sync_id": THIS_SYNC,
        "payload_hash": DIGEST,
        "reason": "observed",
    }
    (text,) = written.personal.values()
    assert text == {"id": "t1", "sync_id": THIS_SYNC, "remote_id": "gut", "name": "gut"}
    assert written.figures == ModelRecord(new=1, live=1)


def test_what_is_as_it_was_known_makes_no_version_and_no_file(given: Tables) -> None:
    person = {"id": "c1", "remote_id": "1", "first_name": "Ada", "source": "indeed", "remote_created_at": BEFORE}
    written = diffed(given, "candidates", known=[person], now=[person | {"remote_data": "another payload"}])
    assert written == Written(ModelRecord(), {})


def test_what_differs_in_any_column_of_its_content_is_a_new_version(given: Tables) -> None:
    person = {"first_name": "Ada", "source": "indeed", "remote_created_at": BEFORE}
    changes: dict[str, Row] = {
        "another name": {"first_name": "Ida"},
        "a name less": {"first_name": None},
        "a phone more": {"phone_numbers": [{"phone_number": "1", "type": None}]},
        "another source": {"source": "google"},
        "another part of the payload": {"payload_hash": "another"},
        "another key, and nothing else": {"remote_id": "2"},
    }
    written = diffed(
        given,
        "candidates",
        known=[{"id": key} | person for key in changes],
        now=[{"id": key} | person | change for key, change in changes.items()],
    )
    assert written.versions.keys() == changes.keys() - {"another key, and nothing else"}
    assert set(written.of("changed_at", "reason").values()) == {(NOW, "observed")}
    assert written.figures == ModelRecord(changed=5)


# A deletion


def test_a_deleted_record_carries_what_is_known_of_it_but_nothing_personal(given: Tables) -> None:
    person = {"id": "c1", "remote_id": "1", "first_name": "Ada", "source": "indeed", "remote_created_at": BEFORE - DAY}
    written = diffed(given, "candidates", known=[person], gone=[{"id": "c1"}])
    (version,) = written.versions.values()
    assert (version["source"], version["remote_created_at"], version["remote_id"]) == ("indeed", BEFORE - DAY, "1")
    assert (version["reason"], version["remote_deleted_at"], version["changed_at"]) == ("deleted", NOW, NOW)
    assert "candidates" not in written.files.personal
    assert written.figures == ModelRecord(deleted=1, live=-1)


@pytest.mark.parametrize("model", [model for model in MODELS.values() if model.remote_id_tier.is_personal],
                         ids=lambda model: model.name)  # fmt: skip
def test_a_key_that_is_personal_is_not_in_any_version_file(given: Tables, model: Any) -> None:
    written = diffed(
        given,
        model.name,
        known=[{"id": "gone", "remote_id": "ada@example.org"}],
        now=[{"id": "new", "remote_id": "ida@example.org"}],
        gone=[{"id": "gone"}],
    )
    assert written.versions.keys() == {"gone", "new"}
    assert "remote_id" not in written.versions["gone"]
    assert {key: row["remote_id"] for key, row in written.personal.items()} == {"new": "ida@example.org"}


def test_a_record_is_deleted_when_the_source_says_or_else_from_the_start_of_the_sync(given: Tables) -> None:
    told = {
        "nothing is told": {},
        "a look is told": {"observed_at": NOW + MINUTE},
        "both are told": {"observed_at": NOW + MINUTE, "remote_deleted_at": BEFORE},
    }
    written = diffed(
        given, "jobs", known=[{"id": key} for key in told], gone=[{"id": key} | row for key, row in told.items()]
    )
    assert written.of("remote_deleted_at", "observed_at") == {
        "nothing is told": (NOW, AS_OF),
        "a look is told": (NOW, NOW + MINUTE),
        "both are told": (BEFORE, NOW + MINUTE),
    }


def test_a_deleted_record_is_as_it_was_at_its_end_as_far_as_the_source_tells(given: Tables) -> None:
    written = diffed(
        given,
        "applications",
        known=[{"id": key, "outcome": "PENDING", "current_stage_id": "s1"} for key in ("told", "not told")],
        gone=[{"id": "told"}, {"id": "not told"}],
        ended=[
            {"id": "told", "outcome": "PENDING", "current_stage_id": "s2", "seq": 1},
            {"id": "told", "outcome": "HIRED", "current_stage_id": None, "seq": 2},
        ],
    )
    assert written.of("outcome", "current_stage_id") == {"told": ("HIRED", "s1"), "not told": ("PENDING", "s1")}


def test_what_is_deleted_already_or_was_never_known_is_not_deleted_again(given: Tables) -> None:
    written = diffed(
        given, "tags", known=[{"id": "deleted", **DELETED}], gone=[{"id": "deleted"}, {"id": "never known"}]
    )
    assert written == Written(ModelRecord(), {})


# A return


def test_a_record_that_returns_is_a_version_though_nothing_else_changed(given: Tables) -> None:
    written = diffed(
        given,
        "tags",
        known=[{"id": key, "name": "gut", **DELETED} for key in ("as it was", "another", "by another mapping")],
        now=[
            {"id": "as it was", "name": "gut"},
            {"id": "another", "name": "besser", "payload_hash": "another"},
            {"id": "by another mapping", "name": "Gut"},
        ],
        mapped_since=THIS_SYNC,
    )
    assert set(written.of("reason", "remote_deleted_at", "changed_at").values()) == {("returned", None, NOW)}
    assert written.figures == ModelRecord(returned=3, live=3)


# A mapping change


def test_a_change_that_the_mapping_alone_made_is_marked_so(given: Tables) -> None:
    before, since, after = "20260401T000000000000Z", "20260501T000000000000Z", "20260502T000000000000Z"
    cases: dict[str, tuple[Row, Row, str]] = {
        "the mapping changed since": ({"sync_id": before}, {"category": "IT"}, "mapping"),
        "mapped by this mapping": ({"sync_id": after}, {"category": "IT"}, "observed"),
        "mapped by the first of this mapping": ({"sync_id": since}, {"category": "IT"}, "observed"),
        "the payload changed, too": ({"sync_id": before}, {"category": "IT", "payload_hash": "another"}, "observed"),
        "what follows from others changed, too": (
            {"sync_id": before},
            {"category": "IT", "opened_at": NOW},
            "observed",
        ),
    }
    written = diffed(
        given,
        "jobs",
        known=[{"id": key} | was for key, (was, _, _) in cases.items()],
        now=[{"id": key} | now for key, (_, now, _) in cases.items()],
        mapped_since=since,
    )
    assert written.of("reason") == {key: reason for key, (_, _, reason) in cases.items()}


def test_a_column_that_a_release_adds_makes_a_version_by_the_mapping_only_of_what_has_a_value(
    given: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = MODELS["tags"]
    known = [{"id": key, "name": key} for key in ("none", "some")]
    monkeypatch.setitem(MODELS, "tags", replace(tag, fields=(*tag.fields, Column("color", TEXT, "", since=9))))
    written = diffed(
        given,
        "tags",
        known=known,
        now=[known[0], known[1] | {"color": "red"}],
        mapped_since=THIS_SYNC,
    )
    assert written.of("reason", "color") == {"some": ("mapping", "red")}


# Files and figures


def test_live_records_are_those_of_before_and_what_came_and_went(given: Tables) -> None:
    previous = record_of(Files())
    previous.models["tags"] = ModelRecord(live=10)
    written = diffed(
        given,
        "tags",
        known=[{"id": "gone"}, {"id": "changed"}, {"id": "returned", **DELETED}, {"id": "untouched"}],
        now=[{"id": "changed", "name": "x"}, {"id": "returned"}, {"id": "new"}, {"id": "new, too"}],
        gone=[{"id": "gone"}],
        previous=previous,
    )
    assert written.figures == ModelRecord(new=2, changed=1, returned=1, deleted=1, live=12)


def test_live_records_stay_as_many_where_nothing_was_seen(given: Tables) -> None:
    previous = record_of(Files())
    previous.models["tags"] = ModelRecord(live=10, new=3)
    assert diffed(given, "tags", known=[{"id": "t1"}], previous=previous) == Written(ModelRecord(live=10), {})


def test_personal_columns_and_the_payload_that_was_observed_lie_in_a_file_of_their_own(given: Tables) -> None:
    written = diffed(
        given,
        "candidates",
        now=[
            {"id": "c1", "first_name": "Ada", "source": "indeed", "remote_data": '{"of": "c1"}'},
            {"id": "c2", "first_name": "Ida", "source": "google", "remote_data": '{"of": "c2"}'},
        ],
    )
    assert written.of("source") == {"c1": "indeed", "c2": "google"}
    assert {"first_name", "remote_data"}.isdisjoint(written.versions["c1"])
    assert {key: (row["sync_id"], row["first_name"], row["remote_data"]) for key, row in written.personal.items()} == {
        "c1": (THIS_SYNC, "Ada", '{"of": "c1"}'),
        "c2": (THIS_SYNC, "Ida", '{"of": "c2"}'),
    }
    assert written.files.all() == {
        f"models/candidates/{THIS_SYNC}.parquet",
        f"models/candidates/{THIS_SYNC}.personal.parquet",
    }


def test_a_sync_that_would_write_a_record_twice_commits_nothing(given: Tables) -> None:
    workspace = given.workspace()
    with workspace.phase(Phase.DECODE):
        workspace.begin_decode()
    with workspace.phase(Phase.RECALL):
        for name in MODELS:
            workspace.make("known", name, f"FROM versions_{name}")
    with workspace.phase(Phase.RECONCILE):
        for name in MODELS:
            workspace.make("now", name, f"FROM seen_{name}")
            workspace.make("gone", name, "SELECT NULL::VARCHAR AS id, NULL::TIMESTAMPTZ AS observed_at WHERE false")
        workspace.con.execute("INSERT INTO now_tags BY NAME SELECT 'a' AS id, 'urgent' AS name FROM range(2)")
    record = record_of(given.files)
    with workspace.phase(Phase.DIFF), pytest.raises(UnsoundError, match=r"tags: .* the record a twice.*Nothing was"):
        write_versions(workspace, MODELS["tags"], Writing(given.lake, record, None))
    assert not list(given.lake.rglob("tags/*.parquet"))
