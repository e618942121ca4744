"""The commands about one person: input that is no argument, what they print, their exit codes."""

from pathlib import Path

import duckdb
import pytest

from join_pipeline.lake.evolution import personal_relation
from join_pipeline.lake.lake import open_lake
from join_pipeline.models import MODELS
from join_pipeline_tests.cli.commands import Shell, contents, is_told, typed


@pytest.fixture
def address(known: Shell) -> str:
    """The address of somebody whom the lake knows."""
    lake = open_lake(known.settings.lake)
    newest = lake.newest()
    assert newest is not None
    relation = personal_relation(lake.path, MODELS["candidates"], newest.files.personal["candidates"])
    found = duckdb.execute(f"SELECT min(email_addresses[1].email_address) FROM {relation}").fetchall()
    return str(found[0][0])


def test_find_tells_ids_and_neither_name_nor_address(known: Shell, address: str) -> None:
    with typed(f"{address}\n"):
        ended = known("person", "find")
    assert ended.code == 0
    assert {line.split()[0] for line in ended.out.splitlines()} == {"candidate", "application"}
    assert address not in ended.out + ended.err
    local = address.partition("@")[0].split(".")
    assert [part for part in local if part.isalpha() and part.capitalize() in ended.out] == []


def test_verify_ends_with_1_if_somebody_is_found_and_with_0_if_not(known: Shell, address: str, tmp_path: Path) -> None:
    who = tmp_path / "who.txt"
    for given, code in ((address, 1), ("nobody@nowhere.example", 0)):
        who.write_text(given)
        ended = known("person", "verify", "--file", str(who), "--json")
        assert ended.code == code
        assert ended.document["found"] is bool(code)
        assert bool(ended.document["hits"]) is bool(code)
        assert given not in ended.out + ended.err


def test_show_says_where_and_how_long(known: Shell, address: str) -> None:
    with typed(address):
        ended = known("person", "show", "--json")
    assert ended.code == 0
    assert address in ended.document["contacts"]
    assert {place["place"] for place in ended.document["places"]} >= {"raw payloads"}
    assert any("backups" in one for one in ended.document["outside"])


def test_without_an_answer_nobody_is_erased(known: Shell, address: str, tmp_path: Path) -> None:
    before, who = contents(known.settings.lake), tmp_path / "who.txt"
    who.write_text(address)
    with typed("n\n"):
        ended = known("person", "erase", "--file", str(who))
    assert ended.code == 1
    assert contents(known.settings.lake) == before
    assert not (known.settings.home / "people").exists()


@pytest.mark.parametrize(("given", "words"), [("", "nothing was given"), ("17\n", "candidate: or application:")])
def test_what_tells_nobody_is_refused(known: Shell, given: str, words: str) -> None:
    with typed(given):
        is_told(known("person", "find"), 2, words)


def test_after_no_restore_nobody_is_erased_again(known: Shell) -> None:
    ended = known("person", "reapply")
    assert (ended.code, ended.out) == (0, "Nobody who was erased is in the lake.\n")
