"""Several companies in one file: what is listed, checked, and done for one of them or for all."""

import contextlib
import re
from pathlib import Path

import duckdb
import pytest

from benchmarks.portfolio import make
from join_pipeline.connections.edited import text_of
from join_pipeline_tests.cli.commands import KEY, SECRET, TOKEN, Shell, is_good, is_told, is_told_as_json
from join_pipeline_tests.cli.companies import company

PAGE = Path(__file__).parents[2] / "docs" / "several-companies.md"


@pytest.fixture
def many(tmp_path: Path) -> Shell:
    """A shell with two good companies of different size, and one whose API is not there."""
    shell = Shell(
        company(),
        tmp_path / "data",
        {
            "JOIN_PIPELINE_CONNECTIONS_TOML": str(tmp_path / "connections.toml"),
            "TOKEN_OF_MANY": TOKEN,
            "KEY_OF_ACME": KEY,
        },
    )
    for name, url in (("acme", company()), ("broken", "http://127.0.0.1:9"), ("globex", company(0, jobs=5))):
        keys = ["--secret", "pseudonym_key=env:KEY_OF_ACME"] if name == "acme" else []
        token = ["--secret", "join_api_token=env:TOKEN_OF_MANY", *keys]
        is_good(shell("connections", "add", name, "--set", f"join_api_url={url}/v2", *token))
    return shell


def test_the_file_is_listed_and_checked_by_line(many: Shell, tmp_path: Path) -> None:
    listed = many("connections", "list", "--json").document["connections"]
    assert [one["name"] for one in listed] == ["acme", "broken", "globex"]
    assert [one["home"] for one in listed] == [str(many.data / name) for name in ("acme", "broken", "globex")]
    assert "hourly" in many("connections", "list").out
    is_good(many("connections", "check"))
    is_good(many("connections", "add", "slow", "--set", "timeout_seconds=0", "--schedule", "off", "--json"))
    checked = many("connections", "check")
    assert checked.code == 1
    lines = (tmp_path / "connections.toml").read_text().splitlines()
    assert f"line {lines.index('timeout_seconds = 0') + 1}: slow.timeout_seconds: needs a number" in checked.out
    assert many("connections", "check", "acme").code == 0
    is_good(many("connections", "remove", "slow"))
    assert "slow" not in (tmp_path / "connections.toml").read_text()
    is_told(many("connections", "add", "leaky", "--secret", f"join_api_token={SECRET}"), 2, "env:NAME or file:PATH")
    is_told(many("connections", "check", "slow"), 2, "slow is not in")


def test_two_entries_of_one_account_are_told_and_an_empty_file_is_said_to_be_so(many: Shell, tmp_path: Path) -> None:
    both = many.but(ANOTHER_NAME=TOKEN)
    url = re.search(r'join_api_url = "(.*)"', (tmp_path / "connections.toml").read_text())
    assert url is not None
    is_good(
        both(
            "connections",
            "add",
            "again",
            "--set",
            f"join_api_url={url[1]}",
            "--secret",
            "join_api_token=env:ANOTHER_NAME",
        )
    )
    checked = both("connections", "check")
    is_good(checked)
    (said,) = [line for line in checked.out.splitlines() if line.startswith("look")]
    assert said.split()[1] == "again"
    assert "has the secrets and the address of acme." in said
    assert TOKEN not in checked.out + checked.err
    (tmp_path / "connections.toml").write_text("")
    for command in ("check", "list"):
        assert both("connections", command).out.startswith("No connection is in ")


@pytest.mark.parametrize(
    "name", ["Acme", "ACME", "🙂", "{{ 1 }}", "a'b", 'a"b', "a]b", "a\x7fb", "a b", "../acme", "x" * 64]
)
def test_a_name_that_is_none_is_told_and_an_entry_of_it_can_be_removed(many: Shell, tmp_path: Path, name: str) -> None:
    file = tmp_path / "connections.toml"
    before = file.read_text()
    is_told(
        many("connections", "add", name, "--secret", "join_api_token=env:TOKEN_OF_MANY"), 2, "the name needs 1 to 63"
    )
    assert file.read_text() == before
    if "]" in name:  # a comment or a name with such a sign is for the hand
        return
    file.write_text(before + text_of(name, {"k": 5}, {}))
    checked = many("connections", "check")
    assert checked.code == 1
    assert f"line {len(before.splitlines()) + 1}: {printed(name)}: the name needs" in checked.out
    is_good(many("connections", "remove", name))
    assert file.read_text() == before


def printed(name: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in name)


def test_a_command_works_on_the_connection_that_is_named(many: Shell) -> None:
    is_good(many("sync", "--connection", "globex"))
    assert {path.name for path in many.data.iterdir()} == {"globex"}
    assert many("status", "--connection", "globex", "--json").document["connection"] == "globex"
    is_told(many("status", "--connection", "initech"), 2, "initech is not in", "acme, broken, globex")
    is_told_as_json(many("status", "--connection", "acme", "--json"), 1, "LakeError", "join-pipeline sync")
    is_told(many("sync", "--all", "--connection", "acme"), 2, "not both")
    is_told(many("status"), 1, "join-pipeline sync")  # the environment's own, which has no lake


def test_all_goes_on_behind_a_company_that_fails_and_the_exit_code_tells(many: Shell, tmp_path: Path) -> None:
    with (tmp_path / "connections.toml").open("a") as file:
        file.write("\n[wrong]\nk = 1\n")
    synced = many("sync", "--all", "--json")
    assert synced.code == 1
    document = synced.document["connections"]
    assert list(document) == ["acme", "broken", "globex", "wrong"]
    assert document["acme"]["verdict"] == document["globex"]["verdict"] == "committed"
    assert document["broken"]["error"]["type"] == "TransientError"
    assert document["wrong"]["error"]["exit_code"] == 2
    assert "wrong.k" in document["wrong"]["error"]["message"]
    assert "broken (1), wrong (2)" in synced.err
    assert TOKEN not in synced.out + synced.err

    said = many("status", "--all")
    assert said.code == 1
    for name in ("acme", "globex"):
        assert f"{name}: last 1 of 1 syncs" in said.out
    for name in ("broken", "wrong"):
        many("connections", "remove", name)
    is_good(many("status", "--all"))


def test_the_page_of_several_companies_is_so(tmp_path: Path) -> None:
    """Its file is good, and its commands do what they say: each company has its own lake, files and key."""
    toml, _, *_ = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (commands,) = re.findall(r"^```\n(join-pipeline .*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    folder = tmp_path / "config" / "join-pipeline"
    folder.mkdir(parents=True)
    for name, text in (("connections.toml", toml), ("globex.token", TOKEN), ("globex.key", KEY)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    shell = Shell(company(), tmp_path / "data", {"ACME_TOKEN": TOKEN, "JOIN_API_TOKEN": SECRET})
    is_good(shell("connections", "check"))
    is_good(shell("connections", "remove", "acme"))
    told = {}
    for line in commands.splitlines():
        words = line.split()
        assert words.pop(0) == "join-pipeline"
        ended = shell(*words, "--quiet")
        assert ended.code == 0, (line, ended)
        told[line] = ended
    (ran,) = [ended for line, ended in told.items() if line.endswith("run --all")]
    assert {line.partition(":")[0] for line in ran.err.splitlines()} == {"acme", "globex"}, (
        "a warning names its company"
    )
    keys = {}
    for name in ("acme", "globex"):
        with contextlib.closing(duckdb.connect(shell.data / name / "published" / "recruiting.duckdb")) as con:
            keys[name] = {key for (key,) in con.execute("SELECT application_key FROM fct_application").fetchall()}
        assert len(keys[name]) > 80
    assert not keys["acme"] & keys["globex"], "the same people have other keys in another company"
    assert [path.name for path in (folder / "keys").iterdir()] == ["acme.key"]
    assert "acme" not in (folder / "connections.toml").read_text()


def test_who_is_removed_leaves_the_folder_of_all_companies(many: Shell, tmp_path: Path) -> None:
    for name in ("acme", "globex"):
        for table in ("_builds", "dim_job"):
            (many.data / "published" / "parquet" / table / f"connection={name}").mkdir(parents=True)
    is_good(many("connections", "remove", "acme"))
    assert {path.name for path in (many.data / "published" / "parquet").glob("*/*")} == {"connection=globex"}
    with (tmp_path / "connections.toml").open("a") as file:
        file.write('\n["*"]\nk = 7\n')
    is_good(many("connections", "remove", "*"))
    assert {path.name for path in (many.data / "published" / "parquet").glob("*/*")} == {"connection=globex"}
    is_told(many("connections", "add", "published"), 2, "Parquet files", "another")


def test_a_portfolio_is_over_all_that_have_parquet_files_and_tells_the_others(many: Shell) -> None:
    is_told(many("portfolio"), 1, "JOIN_PIPELINE_PUBLISH_PARQUET=true")
    make(many.data / "published" / "parquet", ["acme", "globex"])
    made = many("portfolio", "--connection", "acme")
    is_good(made)
    for said in ("company", "2 of 3 companies", "broken: It has no Parquet files", "portfolio.duckdb"):
        assert said in made.out
    told = many("portfolio", "--json").document
    assert {one["connection"]: one["state"] for one in told["companies"]}["broken"] == "left out"
    assert told["rows"]["companies"] == 3
    assert told["benchmarks"] == []


def test_without_a_file_all_is_the_environments_own(known: Shell) -> None:
    assert list(known("status", "--all", "--json").document["connections"]) == ["join"]
    assert known("connections", "list", "--json").document["connections"] == []
    is_good(known("connections", "check"))
