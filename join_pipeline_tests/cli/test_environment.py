"""The environment of a command: what it holds never changes results, never ends in a traceback, and is never shown."""

import contextlib
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

import duckdb
import pytest
from dbt.cli.main import cli

from join_pipeline.environment import DROPPED_BEGINNINGS, DROPPED_NAMES
from join_pipeline.settings import declared, env_name
from join_pipeline_tests.cli.commands import Ended, Shell, is_good, is_told, process
from join_pipeline_tests.cli.companies import Grown

HOSTILE: Final = {
    "DBT_EMPTY": "true",
    "DBT_TARGET": "nowhere",
    "DBT_PROFILE": "nobody",
    "DBT_PROFILES_DIR": "/nowhere",
    "DBT_PROJECT_DIR": "/nowhere",
    "DBT_SAMPLE": "3 days",
    "DBT_EVENT_TIME_START": "2020-01-01",
    "DBT_EVENT_TIME_END": "2020-01-02",
    "DBT_WARN_ERROR": "true",
    "DBT_WARN_ERROR_OPTIONS": '{"include": "all"}',
    "DBT_RESOURCE_TYPES": "seed",
    "DBT_EXCLUDE_RESOURCE_TYPES": "model test",
    "DBT_INDIRECT_SELECTION": "empty",
    "DBT_STATE": "/nowhere",
    "DBT_TARGET_PATH": "/nowhere",
    "DBT_LOG_PATH": "/nowhere",
    "DBT_PARTIAL_PARSE_FILE_PATH": "/nowhere",
    "DBT_ENGINE_EMPTY": "true",
    "DBT_ENV_SECRET_X": "x",
    "DBT_ENV_CUSTOM_ENV_X": "x",
    "DBT_FAVOR_STATE": "true",
    "MAX_GROUPING_DEPTH": "1",
    "MAX_GROUPING_TOKENS": "1",
    "DUCKDB_MEMORY_LIMIT": "1MB",
    "ARROW_DEFAULT_MEMORY_POOL": "none",
    "PYTHONWARNINGS": "error",
    "TZ": "Pacific/Kiritimati",
    "COLUMNS": "x",
    "TERMINAL_WIDTH": "x",
}


def every_flag_of_dbt() -> dict[str, str]:
    """The variables of all parameters of dbt's commands, each with a value that changes something or is none."""
    found = {}
    for command in (cli, *cli.commands.values()):
        for parameter in command.params:
            for variable in [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or ():
                found[variable] = "true" if getattr(parameter, "is_flag", False) else "hostile"
    return found


def published(shell: Shell) -> dict[str, list[tuple[object, ...]]]:
    with contextlib.closing(duckdb.connect(shell.settings.published, read_only=True)) as con:
        names = [row[0] for row in con.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()]
        return {name: con.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in names}


def in_a_process(shell: Shell, *arguments: str, given: bytes = b"") -> Ended:
    ran = subprocess.run(
        process(*arguments), env=shell.environment, capture_output=True, input=given, check=False, timeout=300
    )
    return Ended(ran.returncode, ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace"))


def test_no_variable_of_dbt_changes_what_is_published(built: Grown, tmp_path: Path) -> None:
    known = published(built.shell)
    home = tmp_path / "home"
    (home / ".dbt").mkdir(parents=True)
    for name in ("profiles.yml", "dbt_cloud.yml", ".user.yml"):
        (home / ".dbt" / name).write_text("join_pipeline: {target: x, outputs: {x: {type: nothing}}}\n: [")
    hostile = {**every_flag_of_dbt(), **HOSTILE}
    assert len(hostile) > 60
    is_good(built.shell.but(**hostile, HOME=str(home))("build", "--force", "--json"))
    assert published(built.shell) == known


def test_every_documented_variable_of_dbt_is_among_the_dropped() -> None:
    assert [name for name in every_flag_of_dbt() if not name.startswith(DROPPED_BEGINNINGS)] == []
    assert "SSLKEYLOGFILE" in DROPPED_NAMES


@pytest.mark.parametrize("name", ["emoji 😀 {{ x }} {% raw %}{- c%20 [a] *d* '\";$HOME é, 1+1"])
def test_a_folder_of_any_name_works_in_every_command(shell: Shell, tmp_path: Path, name: str) -> None:
    odd = Shell(shell.url, tmp_path / name, {"XDG_CONFIG_HOME": str(tmp_path / f"config {name}")})
    without_key = odd.but(JOIN_PIPELINE_PSEUDONYM_KEY="")
    table = tmp_path / f"{name}.csv"
    table.write_text("stage_name,milestone\nOffer,OFFER\n")
    for command in (["sync"], ["build"], ["query", "FROM dim_job"], ["report"], ["status"], ["doctor"]):
        ended = without_key.but(JOIN_PIPELINE_STAGE_MILESTONE_CSV=str(table))(*command)
        assert (ended.code, ended.err.strip()) == (0, ""), ended


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
    ],
    ids=str,
)
def test_what_is_printed_is_readable_without_utf8(built: Grown, variables: dict[str, str]) -> None:
    odd = built.shell.but(**variables)
    assert in_a_process(odd, "query", "SELECT 'ü😀' AS a", "--json").document == [{"a": "ü😀"}]
    assert in_a_process(odd, "query", "SELECT 'ü😀' AS a", "--csv").out == "a\nü😀\n"
    told = in_a_process(odd, "query", "SELECT 'ü😀' AS a")
    assert (told.code, told.err) == (0, "")


@pytest.mark.parametrize(
    "redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", "| head -c 1"]
)
@pytest.mark.parametrize("command", ["--help", "status --json"])
def test_closed_and_full_streams_end_without_a_traceback(built: Grown, redirection: str, command: str) -> None:
    line = f"'{sys.executable}' -m join_pipeline.cli {command} {redirection}"
    ran = subprocess.run(
        ["bash", "-c", line], env=built.shell.environment, capture_output=True, check=False, timeout=120
    )
    assert b"Traceback" not in ran.stderr
    assert b"Exception ignored" not in ran.stderr
    if redirection == ">/dev/full":
        assert ran.returncode == 1
        assert b"No space left on device" in ran.stderr


@pytest.mark.parametrize("limit", ["1MB", "5MB", "12MB"])
def test_little_memory_is_told(known: Shell, limit: str) -> None:
    for command in ("sync", "build"):
        ended = known.but(JOIN_PIPELINE_MEMORY_LIMIT=limit)(command)
        if ended.code:
            is_told(ended, 1, "JOIN_PIPELINE_MEMORY_LIMIT")


@pytest.mark.parametrize("limit", ["999999999999GB", "1000001GB"])
def test_more_memory_than_there_can_be_is_refused(shell: Shell, limit: str) -> None:
    is_told(shell.but(JOIN_PIPELINE_MEMORY_LIMIT=limit)("build"), 2, "JOIN_PIPELINE_MEMORY_LIMIT")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_no_file_of_a_user_ends_in_a_traceback(known: Shell, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    pieces = [b"stage_name,milestone\n", b"Offer,OFFER\n", b'"', b";", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"[", b"{"]
    pieces += [b'{"candidate": {}}', b"\r", b"\n", "ü😀".encode(), "ü".encode("cp1252"), b"1e999", b"\x1b[31m"]
    pieces += [b"x" * 200_000]
    file = tmp_path / "file"
    token = tmp_path / "config" / "join-pipeline" / "tokens" / "join"
    token.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(40):
        content = b"".join(draw.choices(pieces, k=draw.randint(0, 5)))
        file.write_bytes(content)
        token.write_bytes(content)
        token.chmod(0o600)
        (known.settings.home / "lock").write_bytes(content)
        for odd, *command in (
            ({}, "create", "application", "--request", str(file)),
            ({"JOIN_PIPELINE_STAGE_MILESTONE_CSV": str(file)}, "doctor"),
            ({"JOIN_PIPELINE_WRITTEN_SOURCE_CSV": str(file)}, "create", "candidate", "--job", "x"),
            ({"JOIN_API_TOKEN": ""}, "status"),
            ({"JOIN_API_TOKEN": ""}, "doctor"),
            ({}, "query", str(content.decode("utf-8", "replace")).replace("\0", "")[:900]),
        ):
            ended = known.but(**odd)(*command)
            said = f"{content[:200]!r} {command}: {ended}"
            assert ended.code in {0, 1, 2}, said
            assert "Traceback" not in ended.out + ended.err, said
            assert "fault of join-pipeline" not in ended.out + ended.err, said
            assert "\x1b[31m" not in ended.out + ended.err, said


ALPHABET: Final = ["a", "Z", "0", "-1", " ", "/", "..", "~", "~x", "{{", "}}", "%", "%s", "?", "#", "'", '"', ";", "\\",
                   "\n", "\t", "\x1b[31m", "\u202e", "😀", "ü", "=", "@", ":", "[::1]", "http://", "socks5://", "nan",
                   "inf", "1e999", "9" * 400, "true", "null", ",", "*", "\udcff", "x" * 300]  # fmt: skip
OTHERS: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
                 "XDG_CONFIG_HOME", "HOME", "TMPDIR", "TZ", "COLUMNS", "LINES", "TERM", "LANG", "TERMINAL_WIDTH",
                 "FORCE_COLOR", "NO_COLOR", "DBT_EMPTY", "UNICODE_VERSION")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_no_value_of_a_variable_ends_in_a_traceback(
    known: Shell, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw = random.Random(seed)
    names = [*map(env_name, sorted(declared())), *OTHERS]
    for _ in range(100):
        value = "".join(draw.choices(ALPHABET, k=draw.randint(0, 4)))
        name = draw.choice(names)
        command = draw.choice([["status"], ["doctor"], ["query", "SELECT 1"], ["attachments", "resend"], ["--help"]])
        ended = known.but(**{"JOIN_PIPELINE_MAX_WAIT_SECONDS": "1", name: value})(*command)
        said = f"{name}={value!r} {command}: {ended}"
        assert ended.code in {0, 1, 2, 3, 4}, said
        assert "Traceback" not in ended.out + ended.err, said
        assert "fault of join-pipeline" not in ended.err, said
        assert "\x1b[31m" not in ended.out + ended.err, said
        if ended.code == 2:
            assert len(ended.err.strip().splitlines()) == 1, said
