"""What nobody expected: one line, an exit code of its own, and a log file without any data of a person."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from join_pipeline import faults, pipeline
from join_pipeline.cli.query import FORMULAS
from join_pipeline.warehouse import query as queries
from join_pipeline_tests.cli.commands import Shell, is_told, typed
from join_pipeline_tests.cli.companies import Grown
from join_pipeline_tests.unit.test_foreign_errors import CANARY, FORCED


def failing(error: Callable[[], Any]) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        candidate = CANARY  # a value of a frame, which no log may show
        try:
            error()
        except Exception as caught:  # each library has its own, and all are forced here
            raise RuntimeError(candidate) from caught

    return fail


@pytest.mark.parametrize("name", FORCED)
def test_a_fault_is_one_line_with_a_reference_to_the_log(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(pipeline, "sync", failing(FORCED[name]))
    ended = shell("sync")
    is_told(ended, 70, "A fault of join-pipeline (RuntimeError)", "faults.log, reference ", "Please report it")
    log = shell.settings.home / "faults.log"
    text = log.read_text()
    assert CANARY not in ended.err + text
    assert ended.err.partition("reference ")[2].split(".")[0] in text
    assert "RuntimeError" in text
    assert "test_faults.py:" in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_what_the_machine_refuses_is_no_fault_of_ours(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "x", CANARY)

    monkeypatch.setattr(pipeline, "sync", fail)
    is_told(shell("sync"), 1, "The machine refused something (PermissionError: Permission denied)")


def test_a_log_that_cant_be_written_hides_no_fault(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "sync", failing(FORCED["int"]))
    shell.data.write_text("a file")
    is_told(shell("sync"), 70, "A fault of join-pipeline", "The log file could not be written")


def test_the_log_is_rotated(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "sync", failing(FORCED["int"]))
    monkeypatch.setattr(faults, "MOST_BYTES", 300)
    for _ in range(8):
        shell("sync")
    left = sorted(path.name for path in shell.settings.home.iterdir())
    assert left == ["faults.log", "faults.log.1", "faults.log.2", "faults.log.3"]


REQUEST = '{"candidate": {"first_name": "Zoë €"}, "application": {}}'
FILES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "utf-16": (REQUEST.encode("utf-16"), ("candidate.last_name",)),
    "utf-16 without a mark": (REQUEST.encode("utf-16-le"), ("candidate.last_name",)),
    "utf-32": (REQUEST.encode("utf-32"), ("candidate.last_name",)),
    "a mark": (REQUEST.encode("utf-8-sig"), ("candidate.last_name",)),
    "windows": (REQUEST.encode("cp1252"), ("--request: ", ", line 1: ", "UTF-8")),
    "empty": (b"", ("--request is not JSON",)),
    "binary": (bytes(range(256)), ("--request",)),
    "nested": (b"[" * 100_000, ("--request is not JSON",)),
    "number": (b'{"candidate": 1e999}', ("candidate",)),
    "surrogate": (b'{"candidate": "\\ud800"}', ("--request",)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_request_in_any_encoding_is_read_or_told(known: Shell, tmp_path: Path, name: str) -> None:
    content, words = FILES[name]
    path = tmp_path / "request.json"
    path.write_bytes(content)
    ended = known("create", "application", "--request", str(path))
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 1
    if name not in {"surrogate", "number"}:
        assert [word for word in words if word not in ended.err] == [], ended.err


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "missing", "too long", "nul"])
def test_what_is_no_plain_file_is_told_by_name(known: Shell, tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    path = {"folder": str(tmp_path), "device": "/dev/zero", "too long": "x" * 5000, "nul": "a\0b"}.get(
        kind, str(tmp_path / kind)
    )
    for command in (
        ["create", "application", "--request", path],
        ["create", "application", "--attach", f"CV={path}"],
        ["api", "POST", "/x", "--yes", "--data", f"@{path}"],
        ["api", "POST", "/x", "--yes", "--form", f"a=@{path}"],
    ):
        is_told(known(*command), 2, command[-2])


def test_standard_input_of_any_bytes_is_read_or_told(built: Grown) -> None:
    with typed("SELECT 1 AS a"):
        assert built.shell("query", "-", "--json").document == [{"a": 1}]


def test_a_cell_is_no_formula_and_steers_no_terminal(built: Grown) -> None:
    for mark in FORMULAS:
        quoted = built.shell(
            "query", f"SELECT chr({ord(mark)}) || '1+1' AS a, -5 AS b, -1.5::DECIMAL(9,1) AS c", "--csv"
        ).out
        cell = quoted.partition("\n")[2].lstrip('"')
        assert cell.startswith("'"), quoted
        assert quoted.rstrip().endswith(",-5,-1.5")
    assert built.shell("query", "SELECT ' =1+1' AS \"=x\"", "--csv").out == "'=x\n' =1+1\n"
    for flags in ((), ("--csv",)):
        said = built.shell("query", "SELECT 'a' || chr(27) || '[31mb' || chr(8238) || 'c' AS a", *flags).out
        assert "\x1b" not in said
        assert "\u202e" not in said


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT INTERVAL '5000000 years' AS a", "5000000 years"),
        ("SELECT 'infinity'::TIMESTAMPTZ AS a", "infinity"),
        ("SELECT '-infinity'::DATE AS a", "-infinity"),
        ("SELECT DATE '12000-01-01' AS a", "12000-01-01"),
        ("SELECT TIMESTAMP '290000-01-01' AS a;", "290000-01-01 00:00:00"),
    ],
)
def test_what_python_cant_hold_is_shown_as_text(built: Grown, sql: str, text: str) -> None:
    assert built.shell("query", sql, "--json").document == [{"a": text}]
    assert text in built.shell("query", sql).out
    assert built.shell("query", sql, "--csv").out.splitlines()[1].removeprefix("'") == text


def test_rows_before_the_one_that_python_cant_hold_come_once(built: Grown) -> None:
    n = queries.BATCH + 7
    sql = f"SELECT i AS a, CASE WHEN i = {n - 1} THEN INTERVAL '5000000 years' END AS b FROM range({n}) AS t(i)"
    assert [row["a"] for row in built.shell("query", sql, "--json").document] == list(range(n))


def test_an_error_in_the_data_is_told_without_the_value(built: Grown) -> None:
    ended = built.shell("query", f"SELECT ('{CANARY}' || i)::INT FROM range(3) AS t(i)")
    is_told(ended, 2, "query: ConversionException")
    assert CANARY not in ended.err


def test_dagsters_failure_holds_nothing_of_a_payload(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    dagster = pytest.importorskip("dagster")
    metadata = pytest.importorskip("join_pipeline.defs.metadata")

    @dagster.op
    def fail() -> None:
        with metadata.step():
            failing(FORCED["duckdb encoding"])()

    @dagster.job(executor_def=dagster.in_process_executor)
    def failing_job() -> None:
        fail()

    for name, value in shell.environment.items():
        monkeypatch.setenv(name, value)
    with dagster.DagsterInstance.ephemeral() as instance:
        ran = failing_job.execute_in_process(instance=instance, raise_on_error=False)
        assert not ran.success
        events = msgspec.json.encode([str(entry) for entry in instance.all_logs(ran.run_id)]).decode()
    assert "A fault of join-pipeline" in events
    assert CANARY not in events
