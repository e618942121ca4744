"""`connect` and `doctor`: each prerequisite has a name, and the token is never shown."""

import contextlib
import os
import pty
import subprocess
import termios
import time
from pathlib import Path
from unittest import mock

import pytest

from join_pipeline.actions.create import create_application
from join_pipeline.connections.credentials import store_token, stored_token
from join_pipeline.errors import SettingsError, TransientError
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline_tests.cli.commands import SECRET, TOKEN, Ended, Shell, is_good, is_told, process, typed
from join_pipeline_tests.cli.companies import company

PATIENCE = 60.0
SMALL = {"port": 0, "applications": 20, "rate_limit": None}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def newcomer(home: Path, tmp_path: Path) -> Shell:
    """A shell of somebody who has no token yet, and a home of their own."""
    changes = {"JOIN_API_TOKEN": "", "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    return Shell(company(), tmp_path / "data", changes)


def connected(shell: Shell, *arguments: str, token: str = TOKEN) -> Ended:
    with typed(f"{token}\n"):
        return shell("connect", "--token-stdin", *arguments)


def verdicts(ended: Ended) -> dict[str, tuple[str, str]]:
    return {one["check"]: (one["verdict"], one["message"]) for one in ended.document}


def test_a_token_is_proved_kept_for_its_owner_and_used_from_then_on(newcomer: Shell, home: Path) -> None:
    ended = connected(newcomer, "--json")
    assert ended.code == 0, ended
    document = ended.document
    path = Path(document["token_file"])
    assert (path.read_text(), oct(path.stat().st_mode & 0o777)) == (TOKEN, "0o600")
    assert home in path.parents
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
    assert TOKEN not in ended.out + ended.err
    assert document["integration_id"] == open_lake(newcomer.settings.lake).integration_id
    assert document["sync"] is None
    assert verdicts_of(document["prerequisites"]) == {"ok"}
    is_good(newcomer("sync"))
    assert verdicts(newcomer("doctor", "--json"))["token"] == ("ok", f"stored in {path}")


def verdicts_of(findings: list[dict[str, str]]) -> set[str]:
    return {finding["verdict"] for finding in findings}


def test_the_first_sync_is_run_if_it_is_wanted(newcomer: Shell) -> None:
    ended = connected(newcomer, "--sync", "--json")
    assert ended.document["sync"]["mode"] == "full"
    assert ended.document["sync"]["models"]["applications"]["live"] > 80


def test_people_are_told_what_they_need_and_what_comes_next(newcomer: Shell) -> None:
    said = connected(newcomer).out
    for word in (
        "Advanced and Enterprise",
        "admin",
        "User Settings > API Credentials",
        "asks for a token",
        "Connected",
    ):
        assert word in said
    assert "Next: join-pipeline sync" in said
    assert TOKEN not in said


def test_a_person_is_asked_in_the_terminal_without_an_echo(newcomer: Shell) -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        process("connect", "--no-sync"),
        env=newcomer.environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as child:
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(terminal)[3] & termios.ECHO:  # until it listens without an echo
            assert child.poll() is None, os.read(controller, 4096)
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.close(terminal)
        os.write(controller, TOKEN.encode() + b"\n")
        said = b""
        with contextlib.suppress(OSError):  # the terminal is gone with its process
            while chunk := os.read(controller, 4096):
                said += chunk
        code = child.wait(PATIENCE)
    os.close(controller)
    assert code == 0, said
    assert b"Connected" in said
    assert TOKEN.encode() not in said


def test_a_wrong_token_is_told_and_not_kept(newcomer: Shell, home: Path) -> None:
    ended = connected(newcomer, token=SECRET)
    assert ended.code == 1
    assert "401" in ended.err
    assert "can't be enabled again" in ended.err
    assert SECRET not in ended.out + ended.err
    assert not list(home.rglob("tokens/*"))
    assert not newcomer.settings.lake.exists()


@pytest.mark.parametrize("token", ["", "Bearer abc", "tökén"])
def test_what_can_be_no_token_is_refused_before_it_is_sent(newcomer: Shell, token: str) -> None:
    ended = connected(newcomer, token=token)
    assert ended.code == 2
    assert "Paste the raw token" in ended.err


def test_the_environment_wins_and_is_proved_instead(newcomer: Shell, home: Path) -> None:
    by_environment = newcomer.but(JOIN_API_TOKEN=TOKEN)
    assert "JOIN_API_TOKEN in your environment" in by_environment("connect").out
    assert not list(home.rglob("tokens/*"))
    is_told(connected(by_environment), 2, "JOIN_API_TOKEN is set and wins")


def test_without_a_terminal_nobody_is_asked(newcomer: Shell) -> None:
    with typed(""):
        is_told(newcomer("connect"), 2, "--token-stdin")


def test_what_fails_before_the_token_is_named_and_no_token_asked_for(newcomer: Shell) -> None:
    ended = connected(newcomer.but(JOIN_API_URL="http://127.0.0.1:1/v2"), "--json")
    assert ended.code == 1
    [reach] = [one for one in ended.document["prerequisites"] if one["check"] == "JOIN"]
    assert reach["verdict"] == "failed"
    assert "no response" in reach["message"]
    assert "404" in connected(newcomer.but(JOIN_API_URL=f"{company()}/v3")).out


def test_a_stored_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens" / "join"
    store_token(path, TOKEN)
    assert stored_token(path) == TOKEN
    path.chmod(0o644)
    with pytest.raises(SettingsError, match=f"chmod 600 {path}"):
        stored_token(path)
    assert stored_token(tmp_path / "none") is None


# The doctor


@pytest.mark.parametrize(
    ("forbidden", "check", "words"),
    [
        (("/v2",), "plan", "Advanced or the Enterprise plan"),
        (("/v2/applications",), "permission", "shows this token no applications"),
        (("/v2/jobs",), "permission", "shows this token no jobs"),
        (("/v2/categories", "/v2/seniority"), "names", "no categories, no seniority levels"),
    ],
)
def test_a_missing_plan_or_permission_is_told_by_its_name(
    tmp_path: Path, forbidden: tuple[str, ...], check: str, words: str
) -> None:
    with running(SandboxConfig(**SMALL, forbidden=forbidden)) as url:
        found = verdicts(Shell(url, tmp_path)("doctor", "--json"))
    assert found[check][0] == ("warning" if check == "names" else "failed")
    assert words in found[check][1]


def test_a_company_that_shows_nothing_is_asked_about(tmp_path: Path) -> None:
    with running(SandboxConfig(**{**SMALL, "applications": 0, "jobs": 0})) as url:
        found = verdicts(Shell(url, tmp_path)("doctor", "--json"))
    assert "no jobs and no applications" in found["account"][1]
    # the sandbox's clock stands in June, and that is no fault
    assert found["clock"][0] == "ok"
    assert "simulated" in found["clock"][1]
    assert "days" in found["clock"][1]


def test_the_doctor_knows_the_selection_and_what_is_kept(newcomer: Shell, tmp_path: Path) -> None:
    with running(SandboxConfig(**SMALL)) as url:
        shell = Shell(url, tmp_path / "data", {"JOIN_PIPELINE_ONLY_CREATED": "true"})
        settings = shell.settings
        is_good(shell("sync"))
        assert "only applications that were created here are kept (0 so far)" in shell("doctor").out
        job = next(one for one in shell("api", "GET", "/jobs", "--json").document["data"] if one["status"] == "ONLINE")
        person = {"first_name": "A", "last_name": "B", "email_address": "a.b@example.org"}
        asked = {"candidate": person, "application": {"job_id": f"remote:{job['id']}"}}
        with (
            mock.patch("join_pipeline.actions.send.Submission.post", side_effect=TransientError("no answer")),
            pytest.raises(TransientError),
        ):
            create_application(settings, asked, sleep=lambda _: None)
        assert "1 were not taken whole" in verdicts(shell("doctor", "--json"))["kept creations"][1]
        assert shell("attachments", "resend").code == 0
        assert "kept creations" not in verdicts(shell("doctor", "--json"))
        assert (
            "reads everything"
            in verdicts(shell.but(JOIN_PIPELINE_ONLY_CREATED="false")("doctor", "--json"))["only created"][1]
        )


def test_the_doctor_knows_other_versions_and_a_lock(known: Shell) -> None:
    record = sorted((known.settings.lake / "syncs").glob("*.json"))[-1]
    text = record.read_text()
    record.write_text(text.replace('"package_version": "', '"package_version": "99.'))
    assert "join-pipeline 99." in verdicts(known("doctor", "--json"))["version"][1]
    record.write_text(text.replace('"mapping_version": ', '"mapping_version": 99'))
    assert "Upgrade join-pipeline" in verdicts(known("doctor", "--json"))["version"][1]
    record.write_text(text)
    with locked(known.settings.home):
        assert verdicts(known("doctor", "--json"))["lock"][0] == "warning"
    assert "version" not in verdicts(known("doctor", "--json"))
