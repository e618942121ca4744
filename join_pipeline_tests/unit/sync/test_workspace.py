"""The workspace: each table lives from one phase to another, and a forgotten table is rejected by name."""

from pathlib import Path

import duckdb
import pytest

from join_pipeline.lake.hashing import HEAVY
from join_pipeline.models import MODELS
from join_pipeline.sync.workspace import TABLES, ForgottenError, Phase, Table, Workspace, seen_schema
from join_pipeline_tests.unit.sync.tables import LAST_SYNC, NOW, Tables

PHASES = [phase for phase in Phase if phase is not Phase.OPEN]
DECODED = {table.name for table in TABLES if table.made_in is Phase.DECODE}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Tables(duckdb.connect(), tmp_path).workspace()
    workspace.con.execute(f"SET temp_directory = '{tmp_path / 'spill'}'")
    return workspace


def names(table: Table) -> list[str]:
    return [f"{table.name}_{model}" for model in MODELS] if table.is_per_model else [table.name]


def there(workspace: Workspace) -> set[str]:
    found = workspace.con.execute("SELECT table_name FROM information_schema.tables").fetchall()
    return {name for (name,) in found}


def make_all(workspace: Workspace, phase: Phase, *, but: str = "") -> None:
    """What a phase has to make, but one table."""
    if phase is Phase.DECODE:
        workspace.begin_decode()
    for table in TABLES:
        if table.made_in is phase and table.name not in DECODED:
            for model in MODELS:
                if f"{table.name}_{model}" != but:
                    workspace.make(table.name, model, "SELECT 1 AS id")


@pytest.mark.parametrize("table", [table for table in TABLES if table.made_in >= Phase.RECALL and table.is_required],
                         ids=lambda table: table.name)  # fmt: skip
@pytest.mark.parametrize("model", ["users", "job_hiring_team"])
def test_a_phase_that_forgets_a_model_is_refused_by_its_name(workspace: Workspace, table: Table, model: str) -> None:
    forgotten = f"{table.name}_{model}"
    for phase in PHASES[: PHASES.index(table.made_in)]:
        with workspace.phase(phase):
            make_all(workspace, phase)
    told = rf"^{table.made_in.name.lower()} has not made {forgotten}$"
    with pytest.raises(ForgottenError, match=told), workspace.phase(table.made_in):
        make_all(workspace, table.made_in, but=forgotten)


def test_a_decode_that_never_began_is_refused_with_all_that_it_has_not_made(workspace: Workspace) -> None:
    told = r"^decode has not made seen_users, .*, missing, said_gone, unread$"
    with pytest.raises(ForgottenError, match=told), workspace.phase(Phase.DECODE):
        pass


def test_what_only_some_models_have_need_not_be_made(workspace: Workspace) -> None:
    with workspace.phase(Phase.DIFF):
        workspace.make("new", "users", "SELECT 1 AS id")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_lives_from_the_phase_that_makes_it_to_the_one_that_drops_it(
    workspace: Workspace, table: Table
) -> None:
    lived: dict[Phase, bool] = {Phase.OPEN: set(names(table)) <= there(workspace)}
    for phase in PHASES:
        with workspace.phase(phase):
            make_all(workspace, phase)
            is_there = set(names(table)) <= there(workspace)
            assert is_there == (table.made_in <= phase <= table.until)
        lived[phase] = bool(set(names(table)) & there(workspace))
    assert lived == {phase: table.made_in <= phase < table.until for phase in Phase}


def test_nothing_is_left_after_the_last_phase(workspace: Workspace) -> None:
    for phase in PHASES:
        with workspace.phase(phase):
            make_all(workspace, phase)
    assert there(workspace) == set()


def test_a_step_goes_with_its_phase(workspace: Workspace) -> None:
    for phase in (Phase.DECODE, Phase.RECALL):
        with workspace.phase(phase):
            make_all(workspace, phase)
            workspace.step("for_itself", "SELECT 1 AS id")
            assert "for_itself" in there(workspace)
        assert "for_itself" not in there(workspace)


@pytest.mark.parametrize(
    ("table", "phase", "told"),
    [
        ("now", Phase.RECALL, "now is made in reconcile, not in recall"),
        ("known", Phase.RECONCILE, "known is made in recall, not in reconcile"),
        ("new", Phase.RECONCILE, "new is made in diff, not in reconcile"),
    ],
)
def test_a_table_of_another_phase_is_refused(workspace: Workspace, table: str, phase: Phase, told: str) -> None:
    with pytest.raises(ForgottenError, match=f"^{told}$"), workspace.phase(phase):
        workspace.make(table, "users", "SELECT 1 AS id")


def test_a_model_that_is_none_is_refused(workspace: Workspace) -> None:
    with pytest.raises(ForgottenError, match=r"^interviews is no model$"), workspace.phase(Phase.RECALL):
        workspace.make("known", "interviews", "SELECT 1 AS id")


def test_a_phase_that_fails_is_told_by_its_own_error(workspace: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), workspace.phase(Phase.RECALL):
        raise ZeroDivisionError


def test_tables_that_were_let_go_are_no_longer_there_and_the_phase_ends_well(workspace: Workspace) -> None:
    with workspace.phase(Phase.DECODE):
        workspace.begin_decode()
        workspace.let_go("seen_users", "seen_never_made")
        assert "seen_users" not in there(workspace)


def test_the_versions_in_force_can_be_asked_once_it_is_open(given: Tables) -> None:
    given.know({"users": [{"id": "u1", "email": "ada@example.org"}], "jobs": [{"id": "j1"}, {"id": "j2"}]})
    given.know({"users": [{"id": "u1", "remote_deleted_at": NOW, "sync_id": "later"}]})
    workspace = given.workspace()
    known = [(row["id"], row["sync_id"], row["remote_deleted_at"] is None) for row in given.rows("versions_users")]
    assert sorted(known) == [("u1", LAST_SYNC, True), ("u1", "later", False)]
    assert "email" not in given.rows("versions_users")[0]  # of tier 1 only
    assert {row["email"] for row in given.rows(workspace.personal("users"))} == {"ada@example.org"}
    assert given.rows("versions_tags") == []
    assert workspace.holds_any("FROM versions_jobs")
    assert not workspace.holds_any("FROM versions_jobs WHERE id = 'j3'")


def test_a_table_takes_the_start_of_the_sync_as_a_value(workspace: Workspace) -> None:
    with workspace.phase(Phase.RECALL):
        make_all(workspace, Phase.RECALL)
        workspace.make("known", "users", "SELECT $start::TIMESTAMPTZ AS start", {"start": workspace.started_at})
        assert workspace.con.execute("SELECT start FROM known_users").fetchall() == [(NOW,)]


@pytest.mark.parametrize("model", MODELS)
def test_an_observation_has_the_models_columns_without_the_heavy_one_and_what_is_found_out_later(model: str) -> None:
    later = {"changed_at", "remote_deleted_at", "sync_id", "content_hash", "reason", HEAVY}
    order = ["parent_updated_at", "parent_id", "priority", "shows_tags", "unread", "seq"]
    own = [column.name for column in MODELS[model].version_columns if column.name not in later]
    assert seen_schema(model).names == own + order
