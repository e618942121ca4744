"""What users know from other commands: version, completion, verbosity, errors as JSON, help with misspelt names."""

import contextlib
import os
import pty
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from join_pipeline import cli
from join_pipeline_tests.cli.commands import SECRET, TOKEN, Shell, is_good, is_told, is_told_as_json, process
from join_pipeline_tests.cli.companies import Grown, company

PATIENCE = 60.0


def test_the_version_is_printed_alone(shell: Shell) -> None:
    ended = shell("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"join-pipeline {version('join-pipeline')}\n", "")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: Shell, name: str) -> None:
    """The shell calls the command itself, as the script of `--show-completion` does."""
    program = Path(sys.executable).with_name("join-pipeline")
    typed = {
        "bash": {"COMP_WORDS": "join-pipeline que", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "join-pipeline que"},
        "fish": {"_TYPER_COMPLETE_ARGS": "join-pipeline que", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    environment = {**shell.environment, **typed[name], "_JOIN_PIPELINE_COMPLETE": f"complete_{name}"}
    ended = subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert "query" in ended.stdout
    assert "sync" not in ended.stdout.split()
    assert ended.stderr == ""


def test_every_command_takes_both_options_and_its_parent_does(built: Grown) -> None:
    for command in cli.app.registered_commands:
        assert command.callback is not None
        said = built.shell(command.name or command.callback.__name__, "--help").out
        assert "--quiet" in said
        assert "--verbose" in said
    quiet = built.shell("-q", "status")
    assert quiet.out == built.shell("status", "-q").out == built.shell("status").out  # a result is printed
    is_told(built.shell("status", "-q", "-v"), 2, "--verbose or --quiet")


def test_a_quiet_command_prints_nothing_but_warnings(known: Shell) -> None:
    ended = known("sync", "-q")
    assert (ended.code, ended.out) == (0, "")
    assert [line for line in ended.err.splitlines() if not line.startswith("look ")] == []
    assert "requests" in known("sync").out  # the next command says what it always says


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("JOIN_PIPELINE_MINMUM_N", "JOIN_PIPELINE_MINIMUM_N"),
        ("JOIN_PIPELINE_TIMEZONE", "JOIN_PIPELINE_TIME_ZONE"),
        ("JOIN_PIPELINE_API_TOKEN", "JOIN_API_TOKEN"),
        ("JOIN_API_TOKN", "JOIN_API_TOKEN"),
        ("KOMBO_APIKEY", "KOMBO_API_KEY"),
    ],
)
def test_a_misspelt_variable_is_told_once_with_the_nearest_name(known: Shell, name: str, near: str) -> None:
    for arguments in (["status"], ["status", "--json"], ["-q", "status"]):
        ended = known.but(**{name: SECRET})(*arguments)
        assert ended.code == 0
        assert ended.err == f"warning {name} is no setting. Did you mean {near}?\n"
        assert SECRET not in ended.out


def test_a_variable_that_is_like_no_setting_is_told_and_one_of_others_is_not(known: Shell) -> None:
    odd = {"JOIN_PIPELINE_XYZZY": "x", "JOINT": "x", "JOIN_CONFORMANCE_URL": "x", "join_pipeline_k": "5"}
    assert known.but(**odd)("status").err == "warning JOIN_PIPELINE_XYZZY is no setting. See settings.md in docs.\n"
    assert known.but(JOIN_PIPELINE_XYZZY="")("status").err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "kind", "words"),
    [
        (["status", "--json", "--nonsense"], 2, "UsageError", "--nonsense"),
        (["status", "--last", "0", "--json"], 2, "UsageError", "--last"),
        (["statsu", "--json"], 2, "UsageError", "status"),
        (["sync", "--json", "--accept-loss", "applications"], 2, "SettingsError", "--mode full"),
        (["build", "--json"], 1, "LakeError", "join-pipeline sync"),
        (["report", "--json"], 1, "BuildError", "join-pipeline build"),
        (["query", "SELECT 1", "--json"], 1, "BuildError", "join-pipeline build"),
        (["attachments", "list", "--json"], 2, "SettingsError", "--application"),
        (["api", "POST", "/jobs", "--json"], 2, "SettingsError", "--yes"),
    ],
)
def test_an_error_is_a_document_where_json_is_asked_for(
    shell: Shell, arguments: list[str], code: int, kind: str, words: str
) -> None:
    is_told_as_json(shell(*arguments), code, kind, words)


def test_a_faulty_setting_is_a_document_too_and_never_shows_its_value(shell: Shell) -> None:
    ended = shell.but(JOIN_PIPELINE_K=SECRET, JOIN_PIPELINE_CONNECTION=SECRET.upper())("status", "--json")
    is_told_as_json(ended, 2, "SettingsError", "JOIN_PIPELINE_K: needs a whole number", "JOIN_PIPELINE_CONNECTION")
    assert SECRET.upper() not in ended.out + ended.err


def test_without_json_an_error_is_words_alone(shell: Shell) -> None:
    is_told(shell("build"), 1, "join-pipeline sync")
    is_told(shell("query", "--", "--json"), 1, "join-pipeline build")  # behind --, it is the query


def talk(shell: Shell, *answers: bytes) -> tuple[int, bytes]:
    """What `connect` says in a terminal in which each answer is pasted as soon as it is asked for."""
    child, controller = pty.fork()
    if child == 0:
        os.execvpe(sys.executable, process("connect", "--no-sync"), shell.environment)  # noqa: S606  our own child
    said, waiting, deadline = b"", list(answers), time.monotonic() + PATIENCE
    with contextlib.suppress(OSError):  # the terminal is gone with its process
        while chunk := os.read(controller, 4096):
            said += chunk
            assert time.monotonic() < deadline
            while waiting and said.count(b"Paste the token") > len(answers) - len(waiting):
                time.sleep(0.2)  # until the echo is off
                os.write(controller, waiting.pop(0))
    os.close(controller)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def test_a_bad_paste_is_asked_for_again(tmp_path: Path) -> None:
    newcomer = Shell(company(), tmp_path / "data", {"JOIN_API_TOKEN": "", "HOME": str(tmp_path)})
    bad = f"two lines\n{SECRET}\n".encode()
    code, said = talk(newcomer, bad, f"{SECRET}\n".encode(), f"{TOKEN}\n".encode())
    assert code == 0, said
    assert said.count(b"not accepted") == 2
    assert b"401" in said
    assert b"Connected" in said
    assert SECRET.encode() not in said
    assert TOKEN.encode() not in said


def test_three_bad_pastes_end_it_and_nothing_is_kept(tmp_path: Path) -> None:
    newcomer = Shell(company(), tmp_path / "data", {"JOIN_API_TOKEN": "", "HOME": str(tmp_path)})
    code, said = talk(newcomer, *[f"{SECRET}\n".encode()] * 4)
    assert code == 1, said
    assert said.count(b"Paste the token") == 3
    assert b"Error" in said
    assert not list(tmp_path.rglob("tokens/*"))


def test_without_settings_a_command_is_good(known: Shell) -> None:
    is_good(known("doctor"))
