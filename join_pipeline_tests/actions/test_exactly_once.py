"""Lost responses, late writes, failures after the write, a kill anywhere: one application, complete or reported.

Belongs here: what may go wrong between the request and its end. Not here: what is written (test_create), documents
that JOIN did not take (test_unsent_documents).
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest

from join_pipeline.actions.create import create_application
from join_pipeline.actions.journal import Journal
from join_pipeline.actions.resend import resend
from join_pipeline.errors import LockedError, TransientError
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, process_environment
from join_pipeline.sources.join.client import JoinClient
from join_pipeline_tests.actions.company import CONFIG, FILES, WHOLE, Company, create, no_sleep

PATIENCE = 60.0


@pytest.mark.parametrize("fault", ["write_lost", "write_failed"])
def test_a_lost_answer_makes_no_second_application(company: Company, email: str, fault: str) -> None:
    with company.faulty(**{fault: 1.0}):
        created = create(company, company.request(email, *FILES))
    [shown] = company.applications(email)
    assert created.application["remote_id"] == str(shown["id"])
    assert company.files(shown) == WHOLE
    assert (created.warnings, company.kept()) == ([], [])


def test_a_request_that_is_carried_out_late_is_not_sent_past(company: Company, email: str) -> None:
    """Its sender gave up, looked, found nothing, and sent again: JOIN refuses, and it is found."""
    with company.faulty(write_late=1.0):
        created = create(company, company.request(email, *FILES), timeout_seconds=0.3)
    time.sleep(2 * CONFIG.slow_seconds)  # whatever is still on its way
    [shown] = company.applications(email)
    assert created.application["remote_id"] == str(shown["id"])
    assert company.files(shown) == WHOLE


def test_any_mix_of_faults_ends_in_one_whole_application(company: Company, email: str) -> None:
    faults = {"write_lost": 0.3, "write_failed": 0.3, "write_error": 0.3, "rate_limited": 0.2, "server_error": 0.1}
    asked = [company.request(f"{n}.{email}", *FILES) for n in range(4)]
    for request in asked:
        with company.faulty(documents_error=0.4, **faults):
            for _ in range(8):
                try:
                    create(company, request, max_wait_seconds=1.0)
                    break
                except TransientError:
                    continue
        created = create(company, request)  # in the end, on a good day
        [shown] = company.applications(request["candidate"]["email_address"])
        assert created.application["remote_id"] == str(shown["id"])
        assert company.files(shown) == WHOLE
    assert not company.kept()


def test_an_answer_without_an_id_is_completed_by_looking(tmp_path: Path, email: str) -> None:
    with running(SandboxConfig(port=0, applications=50, rate_limit=None, shows_created_id=False)) as url:
        company = Company(url, tmp_path)
        created = create(company, company.request(email, *FILES))
        assert created.application["remote_id"] == str(company.applications(email)[0]["id"])


def test_it_is_found_by_its_address_where_join_keeps_no_key(tmp_path: Path, email: str) -> None:
    config = SandboxConfig(port=0, applications=50, rate_limit=None, keeps_external_id=False, shows_created_id=False)
    with running(config) as url:
        company = Company(url, tmp_path)
        with company.faulty(write_lost=1.0):
            created = create(company, company.request(email, *FILES))
        [shown] = company.applications(email)
        assert created.application["remote_id"] == str(shown["id"])


# Ends in the middle


class Killed(BaseException):
    """The process is gone: nothing may handle it."""


@contextmanager
def dying_at(step: int) -> Iterator[list[str]]:
    """End at the n-th moment that matters: when something is on the disk, and when JOIN is about to or has answered."""
    steps: list[str] = []

    def reach(what: str) -> None:
        steps.append(what)
        if len(steps) == step:
            raise Killed

    def mortal(owner: Any, name: str) -> Any:
        real = getattr(owner, name)

        def do(self: Any, *arguments: Any, **named: Any) -> Any:
            if name == "ask":
                reach("before ask")
            done = real(self, *arguments, **named)
            reach(f"after {name}")
            return done

        return mock.patch.object(owner, name, do)

    with mortal(Journal, "keep"), mortal(Journal, "write"), mortal(Journal, "drop"), mortal(JoinClient, "ask"):
        yield steps


def test_an_end_anywhere_is_made_good_by_the_same_request(company: Company, email: str) -> None:
    ended = 0
    for step in range(1, 20):
        address = f"{step}.{email}"
        asked = company.request(address, *FILES)
        with dying_at(step) as steps:
            try:
                create(company, asked)
            except Killed:
                ended += 1
        created = create(company, asked)
        [shown] = company.applications(address)
        assert created.application["remote_id"] == str(shown["id"]), steps
        assert company.files(shown) == WHOLE, steps
        assert not company.kept(), steps
        if len(steps) < step:
            break
    assert ended == 6


def test_an_end_anywhere_is_made_good_by_resend(company: Company, email: str) -> None:
    for step in range(1, 20):
        address = f"{step}.{email}"
        with dying_at(step) as steps:
            try:
                create(company, company.request(address, *FILES))
            except Killed:
                was_kept = bool(company.kept())
                resend(company.settings(), sleep=no_sleep)
            else:
                was_kept = True
        found = company.applications(address)
        assert len(found) == was_kept or not was_kept, steps
        assert all(company.files(shown) == WHOLE for shown in found), steps
        assert not company.kept(), steps
        if len(steps) < step:
            break


CHILD = """
import sys, msgspec
from join_pipeline.actions.create import create_application
from join_pipeline.settings import load_settings
created = create_application(load_settings(), msgspec.json.decode(sys.stdin.read()))
print(created.application["remote_id"], created.is_replay)
"""


def child(settings: Settings, asked: dict[str, Any]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env=process_environment(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    process.stdin.write(msgspec.json.encode(asked))
    process.stdin.close()
    process.stdin = None
    return process


def test_a_process_that_is_killed_while_it_waits_for_join_is_made_good(company: Company, email: str) -> None:
    asked = company.request(email, *FILES)
    with company.faulty(write_late=1.0), child(company.settings(), asked) as process:
        deadline = time.monotonic() + PATIENCE
        while not company.kept():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    created = create(company, asked)
    time.sleep(2 * CONFIG.slow_seconds)
    [shown] = company.applications(email)
    assert created.application["remote_id"] == str(shown["id"])
    assert company.files(shown) == WHOLE
    assert not company.kept()


def test_two_processes_with_one_request_create_once(company: Company, email: str) -> None:
    asked = company.request(email, *FILES)
    processes = [child(company.settings(), asked) for _ in range(2)]
    told = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    [shown] = company.applications(email)
    assert sorted(out.split() for out, _ in told) == [
        [str(shown["id"]).encode(), b"False"],
        [str(shown["id"]).encode(), b"True"],
    ]


def test_threads_with_many_requests_for_one_person_create_once(company: Company, email: str) -> None:
    asked, ends = company.request(email, *FILES), list[str]()

    def run(key: str | None) -> None:
        try:
            ends.append(create_application(company.settings(), asked, key=key).application["remote_id"])
        except Exception as error:  # how each thread ends is what is asserted
            ends.append(type(error).__name__)

    threads = [threading.Thread(target=run, args=(key,)) for key in (None, None, "a", "a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    [shown] = company.applications(email)
    assert len(ends) == 5
    assert set(ends) <= {str(shown["id"]), "AlreadyAppliedError"}
    assert company.files(shown) == WHOLE


def test_who_waits_too_long_for_another_is_told(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("join_pipeline.actions.journal.LOCK_SECONDS", 0.2)
    journal = Journal(company.data, b"secret")
    with journal.locked("a", "b", "a"), pytest.raises(LockedError), Journal(company.data, b"other").locked("b"):
        pass
