"""What is shipped of dbt: it is of this project and of the usual settings, and holds for nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from join_pipeline.settings import load_settings
from join_pipeline.transform import shipped as room
from join_pipeline.transform.compiled import Compiled, Made
from join_pipeline.transform.run import project_dir, variables_digest
from join_pipeline.transform.shipped import STATEMENTS, digest_of, kept_of, shipped


def made(name: str, code: str) -> Made:
    return Made(unique_id=f"model.p.{name}", schema="main", name=name, message="OK", code=code)


def as_json(*nodes: Made) -> list[dict[str, Any]]:
    return [
        {"unique_id": one.unique_id, "schema": "main", "name": one.name, "message": "OK", "code": one.code}
        for one in nodes
    ]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shipped files of two models, of which each is another one with a file of the user's."""
    holds = {"project": "p", "variables": "v", "made": as_json(made("a", "1"), made("b", "2")), "tests": []}
    with_file = {"cost_csv": as_json(made("a", "own")), "tags_csv": as_json(made("b", "mine"))}
    path = tmp_path / "statements.json"
    path.write_text(json.dumps(holds | {"with_file": with_file}))
    (tmp_path / "manifest.json").write_text("{}")
    monkeypatch.setattr(room, "STATEMENTS", path)
    monkeypatch.setattr(room, "MANIFEST", tmp_path / "manifest.json")
    return path


def test_what_is_shipped_is_of_this_project_and_of_the_usual_settings(tmp_path: Path) -> None:
    holds = json.loads(STATEMENTS.read_bytes())
    assert holds["project"] == digest_of(project_dir()), "run `make statements`"
    assert holds["variables"] == variables_digest(load_settings(data=tmp_path)), "run `make statements`"


def test_nothing_shipped_names_a_place_of_the_machine_that_made_it() -> None:
    for path in (STATEMENTS, room.MANIFEST):
        text = path.read_text()
        assert str(Path.home()) not in text
        assert str(project_dir()) not in text
        assert "generated_at" not in text


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ((), ["1", "2"]),
        (("cost_csv",), ["own", "2"]),
        (("tags_csv", "cost_csv"), ["own", "mine"]),
        (("x",), ["1", "2"]),
    ],
)
def test_a_file_of_the_users_changes_the_models_that_read_it(
    files: Path, names: tuple[str, ...], code: list[str]
) -> None:
    del files
    found = shipped("p", "v", names)
    assert found == (Compiled([made("a", code[0]), made("b", code[1])], []), b"{}")


def test_it_holds_for_no_other_project_nor_settings_and_a_broken_file_is_none(files: Path) -> None:
    assert shipped("q", "v", ()) is None
    assert shipped("p", "w", ()) is None
    files.write_text(files.read_text()[:50])
    assert shipped("p", "v", ()) is None
    files.unlink()
    assert shipped("p", "v", ()) is None


def test_the_digest_of_a_project_is_of_what_dbt_reads(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.sql").write_text("select 1")
    before = digest_of(tmp_path)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a.sql").write_text("select 1")
    (tmp_path / ".user.id").write_text("x")
    assert digest_of(tmp_path) == before
    (tmp_path / "models" / "a.sql").write_text("select 2")
    changed = digest_of(tmp_path)
    (tmp_path / "models" / "a.sql").rename(tmp_path / "models" / "b.sql")
    assert len({before, changed, digest_of(tmp_path)}) == 3


def test_of_the_manifest_is_kept_what_is_read() -> None:
    column = {"name": "n", "description": "d", "data_type": "int", "config": {"meta": {"tier": 1}}, "quote": None}
    node = {
        "name": "a",
        "columns": {"n": column},
        "config": {"meta": {}, "tags": []},
        "depends_on": {},
        "root_path": "/r",
    }
    kept = kept_of(
        {
            "metadata": {"generated_at": "now"},
            "nodes": {"model.a": node},
            "sources": {"source.s": {"name": "s", "path": "x"}},
            "parent_map": {"model.a": ["source.s"], "exposure.e": ["model.a"]},
            "child_map": {"model.a": ["exposure.e", "unit_test.u", "test.t"], "unit_test.u": []},
        }
    )
    assert kept == {
        "nodes": {
            "model.a": {
                "name": "a",
                "columns": {
                    "n": {"name": "n", "description": "d", "data_type": "int", "config": {"meta": {"tier": 1}}}
                },
                "config": {"meta": {}},
                "depends_on": {"nodes": []},
            }
        },
        "sources": {"source.s": {"name": "s"}},
        "parent_map": {"model.a": ["source.s"]},
        "child_map": {"model.a": ["test.t"]},
    }
