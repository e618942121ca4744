"""`--notify`: what a command tells by webhook and e-mail, and that its end is the same whether somebody was told."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from join_pipeline.connections.listed import parse
from join_pipeline.lake.files import locked
from join_pipeline.settings import declared, env_name, kinds
from join_pipeline_tests.cli.commands import SECRET, TOKEN, Shell, is_told
from join_pipeline_tests.cli.companies import synced, without_applications
from join_pipeline_tests.receivers import CANARIES, MAIL_PASSWORD, RECEIVERS, SENDER, Hook, hook, post

PAGE = Path(__file__).parents[2] / "docs" / "alerting.md"
AWAY = "http://127.0.0.1:1/v2"


@pytest.fixture
def got() -> Iterator[Hook]:
    with hook() as made:
        yield made


def test_a_failure_is_told_both_ways_and_the_command_ends_as_it_would(known: Shell, got: Hook) -> None:
    with post() as mail:
        told = known.but(
            JOIN_PIPELINE_NOTICE_WEBHOOK=got.url,
            JOIN_PIPELINE_MAIL_HOST="localhost",
            JOIN_PIPELINE_MAIL_PORT=str(mail.port),
            JOIN_PIPELINE_MAIL_SECURITY="none",
            JOIN_PIPELINE_MAIL_FROM=SENDER,
            JOIN_PIPELINE_MAIL_TO=RECEIVERS,
        )
        away = told.but(JOIN_API_URL=AWAY, JOIN_API_TOKEN=SECRET)
        silent = away("sync")
        assert (got.got, mail.got) == ([], []), "off by default"
        for _ in range(2):
            ended = away("sync", "--notify")
            assert ended == silent
            is_told(ended, 1, "127.0.0.1")
        assert told("sync", "--notify", "-q").code == 0
    failed, well = got.texts
    assert failed.startswith("join: sync failed: ")
    assert "127.0.0.1" in failed
    assert well == "join: sync is well again."
    assert [one.get_content().strip() for _, _, one in mail.got] == [failed, well]  # type: ignore[attr-defined]
    said = f"{got.got} {ended.out} {ended.err}"
    assert [canary for canary in (SECRET, TOKEN, *CANARIES) if canary in said] == []


def test_a_guarded_run_is_told_and_a_webhook_that_fails_ends_nothing(known: Shell, got: Hook) -> None:
    told = known.but(JOIN_PIPELINE_NOTICE_WEBHOOK=got.url)
    got.answers = 500
    with without_applications():
        refused, guarded = (told("sync", "--mode", "full", "--notify") for _ in range(2))
    assert (refused.code, guarded.code) == (3, 3)
    assert refused.err.splitlines()[-1] == "warning The notice was not sent by webhook: the server answered 500."
    for text in got.texts:
        assert text.startswith("join: sync kept what is known: applications: ")
        assert "--accept-loss applications" in text
    assert len(got.got) == 2


def test_a_command_that_works_already_is_no_failure_and_without_anybody_to_tell_nothing_begins(
    known: Shell, got: Hook
) -> None:
    with locked(known.settings.home):
        assert known.but(JOIN_PIPELINE_NOTICE_WEBHOOK=got.url)("build", "--notify").code == 4
    assert got.got == []
    is_told(known("sync", "--notify"), 2, "JOIN_PIPELINE_NOTICE_WEBHOOK or JOIN_PIPELINE_MAIL_HOST")


def test_all_sends_one_notice_for_each_company_that_has_something_to_say(
    shell: Shell, tmp_path: Path, got: Hook
) -> None:
    """The environment's webhook is for all. A company may have its own, and a wrong entry is told, too."""
    folder = tmp_path / "config" / "join-pipeline"
    folder.mkdir(parents=True)
    token = 'secrets.join_api_token = {environment = "JOIN_API_TOKEN"}\n'
    key = 'secrets.pseudonym_key = {environment = "JOIN_PIPELINE_PSEUDONYM_KEY"}\n'
    with hook() as own:
        (folder / "connections.toml").write_text(
            f'[good]\nintegration_id = "join:test"\n{token}{key}'
            f'[broken]\njoin_api_url = "{AWAY}"\n{token}{key}'
            f'[its]\njoin_api_url = "{AWAY}"\n{token}{key}secrets.notice_webhook = {{environment = "ITS_HOOK"}}\n'
            f"[wrong]\nk = 1\n"
        )
        shutil.copytree(synced(), shell.data)
        (shell.data / "join").rename(shell.data / "good")
        ended = shell.but(JOIN_PIPELINE_NOTICE_WEBHOOK=got.url, ITS_HOOK=own.url)("sync", "--all", "--notify", "-q")
    assert ended.code == 1
    assert [text.partition(": ")[0] for text in got.texts] == ["broken", "wrong"]
    assert "wrong.k: needs a number" in got.texts[1]
    assert [text.partition(": ")[0] for text in own.texts] == ["its"]
    assert not (shell.data / "wrong").exists()


def test_the_page_of_notices_is_so(known: Shell, got: Hook) -> None:
    """Its variables are settings, its trial tells a failure and its end, and its line of a failure is what is said."""
    page = PAGE.read_text()
    variables = dict(re.findall(r"^(JOIN_PIPELINE_\w+)=(\S+)$", page, re.MULTILINE))
    assert len(variables) == 6
    assert (variables.keys() - {env_name(field) for field in declared()}) == set()
    with post() as mail:
        variables["JOIN_PIPELINE_NOTICE_WEBHOOK"] = got.url
        variables |= {"JOIN_PIPELINE_MAIL_HOST": "localhost", "JOIN_PIPELINE_MAIL_PORT": str(mail.port)}
        variables["JOIN_PIPELINE_MAIL_PASSWORD"] = MAIL_PASSWORD
        told = known.but(**variables, JOIN_PIPELINE_MAIL_SECURITY="none")
        (trial,) = re.findall(r"^JOIN_API_TOKEN=wrong join-pipeline (.*)$", page, re.MULTILINE)
        assert told.but(JOIN_API_TOKEN="wrong")(*trial.split()).code == 1
        assert told(*trial.split()).code == 0
        (line,) = re.findall(r"^warning .*", page, re.MULTILINE)
        got.answers = 404
        assert line in told.but(JOIN_API_TOKEN="wrong")(*trial.split()).err
    assert got.texts[0].startswith("join: sync failed: GET /categories returned 401. Check JOIN_API_TOKEN: ")
    assert got.texts[1] == "join: sync is well again."
    assert len(mail.got) == 3
    (toml,) = re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert parse(Path("x.toml"), toml, kinds())["acme"].faults == ()
