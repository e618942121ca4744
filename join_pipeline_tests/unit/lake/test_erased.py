"""The list of erased people: whom a payload names, whom the list holds, and what a list without its key says."""

from pathlib import Path

import pytest

from join_pipeline.errors import LakeError
from join_pipeline.lake.erased import Naming, erased_list, named_in
from join_pipeline.sources.join.feeds import APPLICATIONS
from join_pipeline.sources.kombo import feeds as kombo

CANDIDATE = ("candidates", "remote_id", "7")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"id": 12, "candidate": {"id": 7}}', {("applications", "remote_id", "12"), CANDIDATE}),
        ('{"id": "12", "candidate": {"id": 7.0}}', {("applications", "remote_id", "12"), CANDIDATE}),
        ('{"id": null, "candidate": {"id": 7}}', {CANDIDATE}),
        ('{"id": true, "candidate": [7]}', set()),
        ("[1, 2]", set()),
        ('{"id": 12', set()),
        (None, set()),
    ],
)
def test_whom_a_payload_names(text: str | None, named: set[tuple[str, str, str]]) -> None:
    assert set(named_in(text, APPLICATIONS.people)) == named


def test_a_record_of_kombo_names_people_by_both_of_their_ids() -> None:
    text = '{"id": "a", "remote_id": "12", "candidate_id": "c", "candidate": {"id": "c", "remote_id": "7"}}'
    ours, theirs = ("candidates", "id", "c"), ("applications", "id", "a")
    assert {ours, theirs, CANDIDATE} <= set(named_in(text, kombo.APPLICATIONS.people))


def test_the_list_holds_who_was_added_until_they_are_removed(tmp_path: Path) -> None:
    assert not erased_list(tmp_path)
    assert list(tmp_path.iterdir()) == [], "nobody was erased, so nothing is written"
    erased_list(tmp_path, create=True).add("first", [CANDIDATE])
    erased_list(tmp_path, create=True).add("second", [("applications", "remote_id", "12")])
    erased = erased_list(tmp_path)
    assert erased.holds([CANDIDATE])
    assert not erased.holds([("candidates", "remote_id", "8"), ("candidates", "id", "7")])
    assert erased.holds_record("applications", "remote_id", "12", None, APPLICATIONS.people)
    assert erased.holds_record("applications", "remote_id", "13", '{"candidate": {"id": 7}}', APPLICATIONS.people)
    assert not erased.holds_record("jobs", "remote_id", "12", '{"candidate": {"id": 7}}', ())
    assert erased.remove(["first", "unknown"]) == 1
    assert not erased_list(tmp_path).holds([CANDIDATE])


def test_the_list_tells_nobody_without_its_key(tmp_path: Path) -> None:
    erased_list(tmp_path, create=True).add("first", [CANDIDATE])
    folder = tmp_path / "people"
    said = (folder / "erased.json").read_text()
    assert "candidates" not in said
    assert '"7"' not in said
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    (folder / "erased.key").write_text("another key of the same length")
    with pytest.raises(LakeError, match="is not the key"):
        erased_list(tmp_path)
    (folder / "erased.json").write_text("{")
    with pytest.raises(LakeError, match="Restore"):
        erased_list(tmp_path)


def test_a_naming_reads_an_id_at_any_depth() -> None:
    assert Naming("candidates", "id", ("a", "b")).of({"a": {"b": 3}}) == "3"
    assert Naming("candidates", "id", ("a", "b")).of({"a": 3}) is None
