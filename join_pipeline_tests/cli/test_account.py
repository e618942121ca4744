"""A lake knows whose it is: another account writes nothing to it, unless the user says so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest

from join_pipeline.errors import AccountError
from join_pipeline.lake.lake import open_lake
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.sources.kombo.options import KomboOptions
from join_pipeline.sync import run
from join_pipeline_tests.cli.commands import TOKEN, Shell, contents, is_good, is_told, typed
from join_pipeline_tests.cli.companies import company, without_applications
from join_pipeline_tests.kombo.accounts import KOMBO, Account, account
from join_pipeline_tests.syncing import run_sync

HINT = "sync --mode full --accept-account"
START = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    """Another company: it has other records under the same ids."""
    with running(SandboxConfig(port=0, applications=80, seed=8, rate_limit=None)) as url:
        yield url


def untouched(shell: Shell) -> dict[str, str]:
    """The whole data folder but the lock, which names the last process."""
    return {path: digest for path, digest in contents(shell.data).items() if not path.endswith("/lock")}


@pytest.mark.parametrize("mode", ["full", "incremental", pytest.param("auto", marks=pytest.mark.slow)])
def test_another_company_writes_nothing_and_is_told_how_to_go_on(shell: Shell, foreign: str, mode: str) -> None:
    is_good(shell("sync"))
    before = untouched(shell)
    is_told(Shell(foreign, shell.data)("sync", "--mode", mode), 2, "not the account", "JOIN_PIPELINE_CONNECTION", HINT)
    assert untouched(shell) == before
    is_good(shell("sync", "--mode", mode))


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_an_account_that_lists_nothing_writes_nothing(shell: Shell, mode: str) -> None:
    is_good(shell("sync"))
    before = untouched(shell)
    is_told(Shell(company(0), shell.data)("sync", "--mode", mode), 2, "none of the records that the lake knows", HINT)
    assert untouched(shell) == before


def test_an_account_that_lost_everything_is_accepted_by_name(shell: Shell) -> None:
    is_good(shell("sync"))
    said = Shell(company(0), shell.data)("sync", "--mode", "full").err
    losses = said.rstrip().removesuffix(".").rpartition(", add ")[2].split()
    for accepted in (["--accept-account", *losses], losses):
        taken = Shell(company(0), shell.data)("sync", "--mode", "full", *accepted, "--json")
        assert (taken.code, taken.err.strip()) == (0, "")
        assert {model["live"] for model in taken.document["models"].values()} == {0}
        is_good(shell("sync", "--mode", "full"))  # nothing live is known, so any account is a new one


def test_another_company_is_accepted_by_name_and_then_is_the_account(shell: Shell, foreign: str) -> None:
    is_good(shell("sync"))
    other = Shell(foreign, shell.data)
    is_told(other("sync", "--accept-account"), 2, "--accept-account goes with --mode full")
    losses = ["--accept-loss", "applications", "--accept-loss", "jobs"]
    taken = other("sync", "--mode", "full", "--accept-account", *losses, "--json").document
    assert "another account accepted" in taken["reason"]
    is_good(other("sync"))
    is_told(shell("sync"), 2, HINT)


@pytest.mark.parametrize(("applications", "jobs"), [(0, 5), pytest.param(3, None, marks=pytest.mark.slow)])
def test_a_small_account_is_known_too(tmp_path: Path, foreign: str, applications: int, jobs: int | None) -> None:
    shell = Shell(company(applications, jobs=jobs), tmp_path / "data")
    for mode in ("full", "full", "incremental"):
        is_good(shell("sync", "--mode", mode))
    is_told(Shell(foreign, shell.data)("sync"), 2, HINT)
    is_good(shell("sync"))


def test_a_lake_that_knows_nothing_takes_any_account(tmp_path: Path, foreign: str) -> None:
    for url in (company(0), company(0), foreign):
        is_good(Shell(url, tmp_path / "data")("sync", "--mode", "full"))


def test_a_sync_that_was_cut_off_is_not_gone_on_with_from_another_account(tmp_path: Path, foreign: str) -> None:
    mine, other = (Shell(url, tmp_path / "data") for url in (company(), foreign))

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    for url_of_first in (other, mine):
        with mock.patch.object(run, "_store", cut_off), pytest.raises(KeyboardInterrupt):
            run_sync(url_of_first.settings, "full")
    with mock.patch.object(run, "_store", cut_off), pytest.raises(KeyboardInterrupt):
        run_sync(other.settings, "full")
    record = run_sync(mine.settings, "full")
    assert "resumed" not in record.reason
    alone = run_sync(Shell(company(), tmp_path / "alone").settings, "full")
    assert {name: model.live for name, model in record.models.items()} == {
        name: model.live for name, model in alone.models.items()
    }

    with mock.patch.object(run, "_store", cut_off), pytest.raises(KeyboardInterrupt):
        run_sync(mine.settings, "full")
    with pytest.raises(AccountError):
        run_sync(other.settings, "full")
    assert not (mine.settings.builds / "spool").exists()


def test_the_same_company_at_another_address_goes_on_with_what_was_read(tmp_path: Path) -> None:
    first = Shell(company(), tmp_path / "data")
    with running(SandboxConfig(port=0, applications=100, rate_limit=None)) as url:

        def cut_off(*_: object) -> None:
            raise KeyboardInterrupt

        with mock.patch.object(run, "_store", cut_off), pytest.raises(KeyboardInterrupt):
            run_sync(first.settings, "full")
        assert "resumed" in run_sync(Shell(url, tmp_path / "data").settings, "full").reason
    state = (tmp_path / "data").rglob("*")
    assert not [path for path in state if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_an_account_that_lost_most_is_the_guards_business(shell: Shell) -> None:
    is_good(shell("sync"))
    with without_applications():
        assert shell("sync", "--mode", "full").code == 3


def test_connect_and_doctor_tell_of_another_account_before_a_sync_does(
    shell: Shell, foreign: str, tmp_path: Path
) -> None:
    is_good(shell("sync"))
    assert "has what the lake knows" in shell("doctor").out
    other = Shell(foreign, shell.data)
    examined = other("doctor", "--json")
    told = [one for one in examined.document if one["check"] == "account"]
    assert [one["verdict"] for one in told] == ["failed"]
    assert HINT in told[0]["message"]
    newcomer = other.but(JOIN_API_TOKEN="")
    token_file = tmp_path / "config" / "join-pipeline" / "tokens" / "join"
    with typed(f"{TOKEN}\n"):
        refused = newcomer("connect", "--token-stdin", "--no-sync")
    assert refused.code == 2
    assert "connect --accept-account" in refused.err
    assert not token_file.exists()
    with typed(f"{TOKEN}\n"):
        assert newcomer("connect", "--token-stdin", "--no-sync", "--accept-account").code == 0
    assert token_file.exists()


def test_the_demo_and_a_company_do_not_mix(shell: Shell, tmp_path: Path) -> None:
    """The demo's lake has a folder of its own. A sandbox in the place of the company is told."""
    is_good(shell("sync"))
    with running(SandboxConfig(port=0, applications=2000, seed=7, rate_limit=None)) as sandbox:
        is_told(Shell(sandbox, shell.data)("sync"), 2, HINT)


# By Kombo


def test_an_incremental_sync_by_kombo_that_shows_nothing_is_fine_and_another_account_is_not(tmp_path: Path) -> None:
    config = SandboxConfig(port=0, applications=40, seed=9, now=START, rate_limit=None, kombo=KOMBO)
    with account(tmp_path / "mine", START, 40) as mine, running(config) as url:
        other = Account(url, tmp_path / "other", KOMBO)
        mine.force()
        other.force()
        settings = mine.kombo()
        for mode in ("full", "incremental", "incremental"):
            run_sync(settings, mode)
        n = len(open_lake(settings.lake).records())
        address = {"kombo_api_url": other.kombo().of(KomboOptions).kombo_api_url}
        for mode in ("incremental", "full"):
            with pytest.raises(AccountError, match="accept-account"):
                run_sync(mine.kombo(**address), mode)
        assert len(open_lake(settings.lake).records()) == n
        mine.move(START + timedelta(days=30))
        mine.force()
        assert run_sync(settings, "incremental").models["applications"].versions
