"""What the commands say: JSON for scripts, help for newcomers, exit codes for both; and what the guard does."""

import re
from typing import Any

import pytest

from join_pipeline import cli
from join_pipeline_tests.cli.commands import Ended, Shell, is_good, is_told
from join_pipeline_tests.cli.companies import Grown, company, without_applications

HELP = {
    "sync": ("--mode", "auto|full|incremental", "--accept-loss", "--json", "build"),
    "run": ("timer", "--mode", "--force", "guarded", "--json"),
    "build": ("DuckDB", "dbt", "publish", "--force", "--json"),
    "report": ("HTML file", "published", "--json"),
    "rebuild": ("Delete the warehouse", "no network", "--json"),
    "status": ("last syncs", "--last", "--json"),
    "query": ("read-only", "SQL", "--limit", "--csv", "--xlsx", "--json", "UTC"),
    "export": ("workbook", "--language", "--force", "--json"),
    "portfolio": ("portfolio.duckdb", "Parquet", "benchmarks", "--json"),
    "doctor": ("credentials", "what to do", "--json"),
    "mcp": ("assistant", "Model Context Protocol", "--analyst", "provider"),
    "listen": ("webhooks", "--host", "--port", "signed"),
    "sandbox": (
        "--port",
        "--seed",
        "--applications",
        "--now",
        "--speed",
        "--page-size",
        "--rate-limit",
        "--fault",
        "token",
    ),
    "api": ("--param", "--header", "--data", "--yes", "--base64", "error status"),
    "connect": ("--token-stdin", "--sync", "shows each step", "JOIN_PIPELINE_SOURCE"),
    "demo": ("made-up company", "<data>/sandbox", "--applications", "--data"),
}
WRONG_USAGE = (
    ["sync", "--nonsense"],
    ["sync", "all"],
    ["nonsense"],
    [],
    ["sync", "--mode", "sometimes"],
    ["rebuild", "--from", "memory"],
    ["api", "FETCH", "/jobs"],
    ["sync", "--accept-loss", "applications"],
    ["sync", "--mode", "full", "--accept-loss", "candidates"],
    ["status", "--last", "0"],
    ["query"],
    ["query", "SELECT 1", "--csv", "--json"],
    ["retention"],
    ["pseudonyms"],
    ["pseudonyms", "rotate"],
    ["retention", "due", "--csv", "--json"],
    ["retention", "due", "--until", "soon"],
    ["query", "SELECT 1", "--limit", "-1"],
    ["sandbox", "--port", "70000"],
    ["sandbox", "--fault", "earthquake=1"],
    ["sandbox", "--fault", "slow"],
    ["sandbox", "--now", "tomorrow"],
    ["sandbox", "--rate-limit", "often"],
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def words_of(text: str) -> str:
    """Text without frames, colours and line breaks."""
    return re.sub(r"[\s│╭╮╰╯─]+", " ", ANSI.sub("", text))


def live(ended: Ended) -> dict[str, int]:
    return {name: model["live"] for name, model in ended.document["models"].items()}


def test_every_command_has_help_for_a_newcomer(shell: Shell) -> None:
    overview = words_of(shell("--help").out)
    known = {command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback}
    assert known >= HELP.keys()
    for command in known:
        ended = shell(command, "--help")
        assert (ended.code, ended.err) == (0, "")
        said = words_of(ended.out)
        assert [word for word in HELP.get(command, ()) if word not in said] == [], said
        usage, _, after = said.partition("[OPTIONS] ")
        first_sentence = re.sub(r"^(\{\w+\} |\[ARGS\]\.\.\. )*", "", after or usage).split(". ")[0]
        assert first_sentence[:40] in overview


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_ends_with_2_and_says_what_is_known(shell: Shell, arguments: list[str]) -> None:
    ended = shell(*arguments)
    said = words_of(ended.err + ended.out)
    assert ended.code == 2, said
    assert "Traceback" not in said
    assert "Error" in said or "Usage" in said
    assert not shell.data.exists()


def test_the_port_of_another_sandbox_is_refused_in_words(shell: Shell) -> None:
    ended = shell("sandbox", "--port", shell.url.rpartition(":")[2], "--applications", "0")
    assert ended.code == 2
    assert "in use" in ended.err
    assert "Traceback" not in ended.err


def test_json_is_one_document_and_nothing_else(built: Grown) -> None:
    shell = built.shell
    for ended in (*built.synced, *built.built, shell("status", "--json"), shell("doctor", "--json")):
        assert ended.code == 0
        assert isinstance(ended.document, dict | list)
        assert ended.err.strip() == ""
    assert {table["name"] for table in built.built[-1].document["published"]["tables"]} >= {
        "fct_application",
        "dim_job",
    }
    assert shell("status", "--json").document["syncs"][0]["sync_id"] == built.synced[-1].document["sync_id"]


def test_the_report_is_written_by_a_build_and_anew_by_its_own_command(built: Grown) -> None:
    path, made = built.shell.settings.report, built.built[-1].document["report"]
    before = path.read_bytes()
    ended = built.shell("report", "--json")
    assert ended.document == made == {"path": str(path), "n_bytes": len(before), "sections": made["sections"]}
    assert made["sections"][:3] == ["now", "bottleneck", "jobs"]
    assert path.read_bytes() == before
    is_good(built.shell("report"))


def test_without_a_build_there_is_no_report(known: Shell) -> None:
    is_told(known("report"), 1, "recruiting.duckdb", "join-pipeline build")


def test_people_read_tables_of_80_columns(built: Grown, monkeypatch: pytest.MonkeyPatch) -> None:
    said = built.shell.but(COLUMNS="80")("status").out
    assert "incremental" in said or "full" in said
    assert "…" not in said
    assert str(built.shell.settings.published) in said


def test_an_empty_listing_is_not_believed_until_it_is_accepted(shell: Shell) -> None:
    before = live(shell("sync", "--json"))
    with without_applications():
        guarded = shell("sync", "--mode", "full", "--json")
    assert guarded.code == 3
    assert live(guarded) == before
    assert guarded.document["verdict"] == "guarded"
    advice = "join-pipeline sync --mode full --accept-loss applications"
    assert advice in guarded.err
    assert "listing is empty" in shell("status").out
    assert "kept what is known" in shell("doctor").out

    with without_applications():
        taken = shell(*advice.split()[1:], "--json")
    assert (taken.code, taken.err.strip()) == (0, "")
    assert live(taken)["applications"] == 0


def test_a_shrunken_listing_is_not_believed_until_it_is_accepted(shell: Shell) -> None:
    before = live(shell("sync", "--json"))
    shrunken = Shell(company(60), shell.data)
    guarded = shrunken("sync", "--mode", "full", "--json")
    assert guarded.code == 3
    assert guarded.document["models"]["applications"]["deleted"] == 0
    assert live(guarded)["applications"] >= before["applications"]
    assert "known records are missing" in guarded.err
    assert shell("sync", "--json").code == 0  # the whole company again

    taken = shrunken("sync", "--mode", "full", "--accept-loss", "applications", "--json")
    assert taken.code == 0
    assert 0 < live(taken)["applications"] < 0.8 * before["applications"]


def test_a_sync_tells_people_what_comes_next(shell: Shell) -> None:
    ended = shell("sync")
    is_good(ended)
    assert "applications" in ended.out
    assert "Next: join-pipeline build" in words_of(ended.out)


def test_an_empty_company_has_empty_marts(built: Grown) -> None:
    rows = rows_of(built.built[0])
    assert set(live(built.synced[0]).values()) == {0}
    assert {rows[name] for name in ("dim_job", "dim_candidate", "fct_application", "fct_time_to_hire")} == {0}


def test_a_company_with_jobs_and_no_applications_has_its_jobs(built: Grown) -> None:
    rows = rows_of(built.built[1])
    assert rows["dim_job"] == live(built.synced[1])["jobs"] > 0
    assert rows["fct_application"] == 0


def test_what_such_a_company_becomes_is_taken_up(built: Grown) -> None:
    assert rows_of(built.built[2])["fct_application"] >= live(built.synced[2])["applications"] > 80


def rows_of(ended: Ended) -> dict[str, Any]:
    return {table["name"]: table["rows"] for table in ended.document["published"]["tables"]}
