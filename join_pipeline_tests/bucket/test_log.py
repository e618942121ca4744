"""Two and three writers on one bucket, in every order: none undoes another, and no commit that was told is lost.

Belongs here: the lease and the log as a model. Not here: files (test_mirror), a real server (test_server).
"""

import threading
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from join_pipeline.bucket.lease import Lease
from join_pipeline.bucket.log import Log, OutrunError, Slot, name_of, objects_of
from join_pipeline.bucket.store import UnsureError
from join_pipeline.errors import LockedError
from join_pipeline_tests.bucket.model import DATA, TTL, MemoryBucket, Told, Turns, write

NAMES = ("anna", "ben", "carl")
LANDS_EVERY = 40


def play(
    choose: Callable[[list[str], int], tuple[str, str, float]], n_writers: int
) -> tuple[MemoryBucket, dict[str, Told]]:
    """Play writers; `choose` gets who waits and the number of the step, and says who goes, how, and after how long."""
    bucket, told, step = MemoryBucket(), {name: Told() for name in NAMES[:n_writers]}, 0

    def turn(waiting: list[str]) -> tuple[str, str]:
        nonlocal step
        name, verdict, seconds = choose(waiting, step)
        step, bucket.seconds = step + 1, bucket.seconds + seconds
        if step % LANDS_EVERY == 0:
            bucket.land()
        return name, verdict

    turns = Turns(turn)
    bucket.before = lambda _operation, _name: turns.wait(threading.current_thread().name)
    turns.play({name: lambda name=name: write(bucket, name, told[name]) for name in told})  # type: ignore[misc]
    bucket.before = lambda _operation, _name: "go"
    bucket.land()
    return bucket, told


def check(bucket: MemoryBucket, told: dict[str, Told]) -> Slot:
    """What holds after any history. Returns the newest slot."""
    log = Log(bucket)
    newest = log.newest()
    acknowledged = [(number, path) for one in told.values() for number, path in one.acknowledged]
    assert len({number for number, _ in acknowledged}) == len(acknowledged), "two commits on one slot"
    assert {path for _, path in acknowledged} <= set(newest.files), "a commit that was told is lost"
    assert objects_of(newest.files) <= set(bucket.objects), "the newest commit lists what is not there"
    for number in range(1, newest.slot + 1):
        assert name_of(number) in bucket.objects, "a slot is gone, so its fence is"
    holder = ""
    for what, name in bucket.events:
        assert what == "taken" or name == holder, f"{name} commits after {holder} has got the lease"
        holder = name
    # who comes next: works, keeps everything, and leaves no object that nothing lists
    bucket.seconds += 2 * TTL
    last = Told()
    write(bucket, "last", last, n_commits=1)
    assert last.ended == "done"
    after = log.newest()
    assert set(newest.files) <= set(after.files)
    if all(one.ended for one in told.values()) and not any("UnsureError" in one.ended for one in told.values()):
        assert {name for name in bucket.objects if name.startswith(DATA)} == objects_of(after.files)
    return newest


@pytest.mark.parametrize("pause", range(60))
def test_a_writer_that_is_paused_at_any_operation_commits_nothing_after_a_takeover(pause: int) -> None:
    """One is paused at each of its operations in turn, for longer than its lease lasts; the other works meanwhile."""

    def choose(waiting: list[str], step: int) -> tuple[str, str, float]:
        if step < pause and "anna" in waiting:
            return "anna", "go", 0.1
        if "ben" in waiting:
            return "ben", "go", 2 * TTL if step == pause else 0.1
        return "anna", "go", 0.1

    bucket, told = play(choose, 2)
    newest = check(bucket, told)
    assert told["ben"].ended == "done"
    assert {"lake/ben-0", "lake/ben-1"} <= set(newest.files)


@pytest.mark.parametrize("pause", range(2, 30))
def test_two_writers_in_every_order_with_one_pause_of_each(pause: int) -> None:
    """The first one stops, the second one goes some operations on, the first one ends, and then the second one."""
    for n_others in range(1, 30):

        def choose(waiting: list[str], step: int, n_others: int = n_others) -> tuple[str, str, float]:
            others = pause < step <= pause + n_others
            name = "ben" if others and "ben" in waiting else "anna" if "anna" in waiting else "ben"
            return name, "go", 2 * TTL if step == pause else 0.1

        check(*play(choose, 2))


def test_a_commit_that_arrives_late_is_refused_once_another_command_has_begun() -> None:
    """The put of the commit is under way when its writer gives up. It arrives after any number of the other's steps."""
    arrived = set()
    for n_others in range(1, 30):
        bucket, told = MemoryBucket(), {name: Told() for name in NAMES[:2]}
        bucket.before = lambda operation, name: "delay" if (operation, name) == ("create", name_of(2)) else "go"
        write(bucket, "anna", told["anna"])
        assert told["anna"].ended == "UnsureError"
        left = n_others

        def before(_operation: str, _name: str, bucket: MemoryBucket = bucket) -> str:
            nonlocal left
            left -= 1
            if left == 0:
                bucket.land()
            return "go"

        bucket.before = before
        write(bucket, "ben", told["ben"])
        bucket.before = lambda _operation, _name: "go"
        check(bucket, told)
        arrived.add(("commit", "anna") in bucket.events)
    assert arrived == {True, False}


def test_a_paused_writer_is_told_that_it_has_lost() -> None:
    ends = set()
    for pause in range(60):

        def choose(waiting: list[str], step: int, pause: int = pause) -> tuple[str, str, float]:
            if step < pause and "anna" in waiting:
                return "anna", "go", 0.1
            if "ben" in waiting:
                return "ben", "go", 2 * TTL if step == pause else 0.1
            return "anna", "go", 0.1

        ends.add(play(choose, 2)[1]["anna"].ended)
    assert {"done", "OutrunError"} <= ends
    assert any("locked" in one for one in ends)


@pytest.mark.parametrize("lost", range(60))
@pytest.mark.parametrize("verdict", ["lose", "delay", "die"])
def test_a_lost_answer_or_a_death_at_any_operation_loses_no_commit(lost: int, verdict: str) -> None:
    def choose(waiting: list[str], step: int) -> tuple[str, str, float]:
        if "anna" in waiting:
            return "anna", verdict if step == lost else "go", 0.1
        return "ben", "go", 2 * TTL

    bucket, told = play(choose, 2)
    check(bucket, told)
    assert told["ben"].ended == "done"


def test_a_lost_answer_to_a_commit_is_found_out_by_reading() -> None:
    bucket = MemoryBucket()
    tries = 0

    def before(operation: str, name: str) -> str:
        nonlocal tries
        tries += operation == "create" and name == name_of(1)
        return "lose" if operation == "create" and tries == 1 else "go"

    bucket.before = before
    Log(bucket).put(Slot(slot=1, writer="me"))
    assert (tries, Log(bucket).newest().writer) == (2, "me")
    with pytest.raises(UnsureError):
        Log(MemoryBucket(before=lambda *_: "delay")).put(Slot(slot=1, writer="me"))


def test_of_two_writers_that_follow_on_one_slot_one_commits() -> None:
    bucket = MemoryBucket()
    Log(bucket).put(Slot(slot=1, writer="me"))
    with pytest.raises(OutrunError):
        Log(bucket).put(Slot(slot=1, writer="you"))
    assert Log(bucket).newest().writer == "me"


def test_a_lease_is_refused_while_its_holder_lives_and_no_longer() -> None:
    bucket = MemoryBucket()
    first, second = (
        Lease(bucket, Log(bucket), TTL, who=f"process {n} on host", nonce=str(n), monotonic=lambda: bucket.seconds)
        for n in (1, 2)
    )
    assert first.take().slot == 1
    for _ in range(3):
        bucket.seconds += TTL - 1
        first.renew()
        with pytest.raises(LockedError, match="process 1 on host") as refused:
            second.take()
    assert refused.value.who == "process 1 on host"
    bucket.seconds += TTL + 2
    assert second.take().kind == "barrier"
    with pytest.raises(LockedError, match="taken over"):
        first.renew()
    assert first.is_lost
    second.release()
    assert first.is_lost
    third = Lease(bucket, Log(bucket), TTL, who="3", nonce="3")
    assert third.take().slot == 2, "a lease that was given back needs no fence"


def test_a_list_of_the_bucket_is_not_believed() -> None:
    bucket = MemoryBucket()
    for number in (1, 2, 3):
        Log(bucket).put(Slot(slot=number, writer="me"))
    for seen in ([], [name_of(1)], [name_of(3)], ["log/000000000009.json"]):
        bucket.names = lambda _folder, seen=seen: seen  # type: ignore[method-assign, misc]
        assert [Log(bucket).newest(hint).slot for hint in (0, 1, 3, 7)] == [3, 3, 3, 3]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["go"] * 40 + ["lose"] * 2 + ["delay"] * 3 + ["die"]),
        st.sampled_from([0.1] * 40 + [TTL / 2, 2 * TTL]),
    ),
    min_size=300,
    max_size=300,
)


@given(steps=STEPS, n_writers=st.sampled_from([2, 3]))
@settings(max_examples=60)
def test_any_interleaving_of_writers_keeps_every_commit_that_was_told(
    steps: list[tuple[int, str, float]], n_writers: int
) -> None:
    check(
        *play(lambda waiting, step: (waiting[steps[step % 300][0] % len(waiting)], *steps[step % 300][1:]), n_writers)
    )


def test_slots_are_emptied_and_never_removed() -> None:
    bucket, told = MemoryBucket(), Told()
    for name in ("one", "two", "three"):
        write(bucket, name, told)
    log = Log(bucket)
    kinds = [slot.kind for number in range(1, log.newest().slot + 1) if (slot := log.read(number))]
    assert kinds == ["emptied"] * 5 + ["commit"] * 2, "the first one, a barrier, and two commits of each of three"
