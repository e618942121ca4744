"""A plan, service levels and costs in files of any kind: read rightly, or refused by setting, line and column.

Belongs here: every command that reads such a file, on a company that was built. Not here: what one cell may be
(unit/transform/test_cells), one file apart from commands (unit/transform/test_figures).
"""

import contextlib
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from join_pipeline_tests.cli.commands import Ended, Shell
from join_pipeline_tests.cli.companies import Grown

PLAN, LEVELS, COSTS = (f"JOIN_PIPELINE_{name}_CSV" for name in ("HIRING_PLAN", "SERVICE_LEVEL", "COST"))
HEADERS = {PLAN: "job,hires,by", LEVELS: "milestone,days", COSTS: "source,month,cost"}
OF_ALL = {
    "empty": (b"", "line 1: needs the columns"),
    "blank lines only": (b"\n\r\n \n;;;\n", "line 1: needs the columns"),
    "nothing but a mark": (b"\xef\xbb\xbf", "line 1: needs the columns"),
    "a page in place of a file": (b"<html><body>Sign in</body></html>", "line 1: needs the columns"),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)), "line 2: not UTF-8"),
    "zeros": (b"\0" * 4096, "line 1: has a NUL character"),
    "another separator": (b"{header}|\n1|2|3\n".replace(b",", b"|"), "line 1: needs the columns"),
    "a NUL": (b"{header}\na,b\0,c\n", "line 2: has a NUL character"),
    "Windows-1252": (b"{header}\nK\xf6chin,1,1\n", "line 2: not UTF-8. Save it as CSV UTF-8"),
    "a quote that does not end": (b'{header}\n"Nurse,1,1\n', "line 2: "),
    "too many cells": (b"{header}\na,b,c,d\n", "line 2: 4 columns, not "),
    "a column of another name": (b"{header},wage\n", "line 1: the column 'wage' is not one of "),
    "a column twice": (b"{header},{header}\n", "line 1: the header has a column twice"),
    "a long cell": (b"{header}\n" + b"x" * 200_000 + b",1,1\n", "line 2: a cell has more than 100,000 characters"),
}
OF_ONE = {
    "no such column": (PLAN, "stelle;hires;by\nA;1;2026-12\n", "line 1: the column 'stelle' is not one of job,"),
    "an optional column twice": (PLAN, "job,job,hires,by\nA,B,1,2026-12\n", "line 1: the header has a column twice"),
    "fewer than none": (PLAN, "job,hires,by\nA,-1,2026-12\n", "line 2, column hires: '-1' is not a whole number"),
    "huge": (PLAN, f"job,hires,by\nA,{'9' * 30},2026-12\n", "line 2, column hires: '999"),
    "half a hire": (PLAN, "job;hires;by\nA;1,5;2026-12\n", "line 2, column hires: '1,5' is not a whole number"),
    "no such day": (PLAN, "job;hires;by\nA;1;31.11.2026\n", "line 2, column by: '31.11.2026' is not a day"),
    "a day that can be read in two ways": (PLAN, "job,hires,by\nA,1,01/02/2026\n", "line 2, column by: '01/02/2026'"),
    "a name twice": (PLAN, "job,hires,by\n\nA,1,2026-06\n\na ,1,2026-12\n", "line 5: the same job as in line 3"),
    "a job and a category": (PLAN, "job,category,hires,by\nA,B,1,2026-12\n", "line 2: needs a job or a category"),
    "what steers a terminal": (PLAN, 'job,hires,by\n"A\x1b[2J",1,2026-12\n', "line 2: has a control character"),
    "another milestone": (LEVELS, "milestone,days\nAngebot,3\n", "line 2, column milestone: 'Angebot' is not one of"),
    "no days": (LEVELS, "milestone,days\nOFFER,0\n", "line 2, column days: '0' is not a whole number"),
    "too many days": (LEVELS, "milestone,days\nOFFER,99999999999\n", "line 2, column days: '99999999999' is not"),
    "a milestone twice": (LEVELS, "milestone,days\nOFFER,1\noffer,2\n", "line 3: the same milestone as in line 2"),
    "a negative cost": (COSTS, "source,month,cost\nA,2026-01,-5\n", "line 2, column cost: '-5' is not a number"),
    "a cost that can be read in two ways": (COSTS, "source;month;cost\nA;2026-01;1.234\n", "can be read in two ways"),
    "a huge cost": (COSTS, "source,month,cost\nA,2026-01,1000000000001\n", "line 2, column cost: is more than"),
    "no cost": (COSTS, "source,month,cost\nA,2026-01,\n", "line 2, column cost: is empty"),
    "decimals that part cells": (COSTS, "source,month,cost\nA,2026-01,12,50\n", "line 2: 4 columns, not 3"),
    "no such month": (COSTS, "source,month,cost\nA,2026-13,5\n", "line 2, column month: '2026-13' is not a month"),
    "a source twice": (COSTS, "source,month,cost\nA,2026-01,5\na,Jan 26,5\n", "line 3: the same source and month"),
}
FILES = {
    **{
        f"{setting}: {name}": (setting, content.replace(b"{header}", header.encode()), words)
        for setting, header in HEADERS.items()
        for name, (content, words) in OF_ALL.items()
    },
    **{name: (setting, content.encode(), words) for name, (setting, content, words) in OF_ONE.items()},
}
COMMANDS = {"build": 2, "doctor": 1}  # a failed check of the doctor's is no wrong use
KINDS = {
    "folder": "is no plain file",
    "pipe": "is no plain file",
    "/dev/zero": "is no plain file",
    "missing": "can't be read (FileNotFoundError",
    "link to nothing": "can't be read (FileNotFoundError",
    "link to itself": "can't be read (",
    "long name": "can't be read (OSError: File name too long)",
    "large": "is larger than 200 MB",
}


@pytest.fixture(scope="module")
def shell(built: Grown, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A company that was built. What refuses a file changes nothing, so all tests look at one."""
    data = tmp_path_factory.mktemp("figures") / "data"
    shutil.copytree(built.shell.data, data, symlinks=True)
    return Shell(built.shell.url, data)


def is_refused(ended: Ended, code: int, setting: str, path: Path | str, words: str) -> None:
    said = ended.err + ended.out
    assert ended.code == code, said
    assert "Traceback" not in said
    flat = " ".join(said.split())
    assert f"{setting}: {path}" in flat
    assert words in flat


@pytest.mark.parametrize("name", FILES)
def test_a_faulty_file_is_refused_by_each_command_and_nothing_changes(shell: Shell, tmp_path: Path, name: str) -> None:
    setting, content, words = FILES[name]
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    before = [file.stat().st_mtime_ns for file in (shell.settings.warehouse, shell.settings.published)]
    for command, code in COMMANDS.items():
        is_refused(
            shell.but(**{setting: str(path)})(command), code, setting, f"{path}, " if words[:4] == "line" else "", words
        )
    assert [file.stat().st_mtime_ns for file in (shell.settings.warehouse, shell.settings.published)] == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_plain_file_or_too_large_is_told_by_its_setting(shell: Shell, tmp_path: Path, kind: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link to nothing").symlink_to(tmp_path / "missing")
    (tmp_path / "link to itself").symlink_to(tmp_path / "link to itself")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(300_000_000)
    path = "x" * 5000 if kind == "long name" else str(tmp_path / kind)
    for setting in HEADERS:
        for command, code in COMMANDS.items():
            is_refused(shell.but(**{setting: path})(command), code, setting, "", KINDS[kind])


@pytest.mark.parametrize("setting", HEADERS)
@pytest.mark.parametrize("command", ["run", "rebuild"])
def test_the_other_commands_that_read_it_refuse_it_too(
    shell: Shell, tmp_path: Path, setting: str, command: str
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADERS[setting]}\nx,x,x\n" if setting != LEVELS else f"{HEADERS[setting]}\nx,x\n")
    is_refused(shell.but(**{setting: str(path)})(command), 2, setting, f"{path}, line 2, column ", "'x' is not")


NAMES = ('{{ 1/0 }} "x" \'; DROP TABLE a; --', '=HYPERLINK("http://x")', "<script>alert(1)</script>", "👩‍🍳", "x" * 500)


def test_a_company_is_played_with_odd_files_to_the_report(shell: Shell, tmp_path: Path) -> None:
    """As spreadsheets write them: marks, `sep=`, semicolons and tabs, German numbers and days, blank lines, quotes."""
    with contextlib.closing(duckdb.connect(shell.settings.published, read_only=True)) as con:
        job, n_hires = con.execute(
            """SELECT job_name, count(*) FROM fct_time_to_hire INNER JOIN dim_job USING (job_id)
            GROUP BY job_name ORDER BY count(*) DESC, job_name LIMIT 1"""
        ).fetchall()[0]

    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = ["sep=;", "", "Job;Category;Hires;By", f"{quoted(job.upper())};;300,0;31.12.2099", ";;;", "  "]
    texts = {
        PLAN: "\r\n".join([*lines, *(f"{quoted(name)};;2;Dez 26" for name in NAMES), ""]).encode("utf-8-sig"),
        LEVELS: "milestone\tdays\n\nscreening\t3,0\nOFFER\t3650\n".encode("utf-16"),
        COSTS: b"Source;Month;Cost\rlinkedin;01.2026;\"1.234.567,89\"\rlinkedin;M\xc3\xa4rz 2026;0\rx;2099-12;1e\r"
        .replace(b"1e", b"1000000000000"),
    }  # fmt: skip
    files = {}
    for setting, content in texts.items():
        files[setting] = str(tmp_path / f"{setting} {{{{ 1 }}}} 'ü'.csv")
        Path(files[setting]).write_bytes(content)
    data = tmp_path / "data"
    shutil.copytree(shell.data, data, symlinks=True)
    played = Shell(shell.url, data, files)
    built = played("build")
    assert built.code == 0, built.err
    told = " ".join((built.out + built.err).split())
    assert '“<script>alert(1)</script>”, “=HYPERLINK("http://x")”' in told
    assert "“x”, which JOIN_PIPELINE_COST_CSV names" in told
    plan = played("query", "SELECT planned_for, n_wanted, n_hires FROM how_is_the_plan", "--json").document
    assert {row["planned_for"]: (row["n_wanted"], row["n_hires"]) for row in plan} == {
        "all": (300 + 2 * len(NAMES), n_hires),
        job.upper(): (300, n_hires),
        **dict.fromkeys(NAMES, (2, 0)),
    }
    months = "scope = 'source' AND period_key LIKE '20__-__'"
    costs = f"SELECT period_key, cost FROM mart_cost_per_hire WHERE {months} ORDER BY ALL"
    assert played("query", costs, "--json").document == [
        {"period_key": "2026-01", "cost": 1234567.89},
        {"period_key": "2026-03", "cost": 0.0},
        {"period_key": "2099-12", "cost": 1e12},
    ]
    levels = played("query", "SELECT DISTINCT milestone, days_allowed FROM mart_service_level ORDER BY 2", "--json")
    assert [(row["milestone"], row["days_allowed"]) for row in levels.document] == [("SCREENING", 3), ("OFFER", 3650)]
    page = played.settings.report.read_text()
    assert job.upper() in page
    assert "<script>alert(1)" not in page
    (found,) = [line for line in played("doctor").out.splitlines() if line.split()[1:2] == ["figures"]]
    assert found.startswith("look")
