"""What must hold after every committed sync, compared with what truly happened.

Belongs here: one function per claim, each giving readable complaints. Not here: when a claim applies to what happened
before (memory), the bounds of transitions (bounds).
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from join_pipeline.lake import compaction
from join_pipeline.lake.record import SyncRecord
from join_pipeline.models import MODELS
from join_pipeline_tests.oracle.compare import differences
from join_pipeline_tests.oracle.identifiers import unified_id
from join_pipeline_tests.simulation.cells import BORROWERS, REMEMBERED, cells_of, own_part, without_borrowed
from join_pipeline_tests.simulation.memory import INTEGRATION, Memory, Span
from join_pipeline_tests.simulation.observed import OBSERVATION, Observed, Row

ACCUMULATED = ("application_stages", "job_application_stages", "screening_questions", "job_screening_questions")
DERIVED = tuple(name for name in MODELS if name not in ("applications", "jobs"))


def everything(before: Observed | None, after: Observed, memory: Memory, span: Span) -> list[str]:
    """All complaints about one committed sync."""
    checks: tuple[Callable[[Observed | None, Observed, Memory, Span], Iterable[str]], ...] = (
        versions_are_well_formed,
        nothing_is_lost,
        nothing_that_exists_is_deleted,
        a_guarded_loss_takes_nothing_with_it,
        what_exists_is_known,
        content_is_true,
        tables_are_the_truth,
        the_guard_judges_as_it_says,
        looks_come_in_their_order,
        only_broken_records_are_set_aside,
        unannounced_changes_are_counted,
        files_are_those_that_are_listed,
    )
    return [f"{check.__name__}: {complaint}" for check in checks for complaint in check(before, after, memory, span)]


def versions_are_well_formed(_: Observed | None, after: Observed, memory: Memory, span: Span) -> Iterable[str]:
    """Instants follow the syncs, and two versions in a row differ in more than when they were seen."""
    starts = [record.started_at for record in after.records]
    if any(later <= earlier for earlier, later in pairwise(starts)):
        yield f"syncs do not start one after the other: {starts}"
    record = span.record
    if not record.started_at <= record.finished_at or record.as_of < record.started_at:
        yield f"instants out of order: {record.started_at} {record.finished_at} {record.as_of}"
    for name in MODELS:
        for versions in after.versions(name).values():
            last = versions[-1]
            if last["sync_id"] != record.sync_id:
                continue
            label = f"{name} {last['remote_id']}"
            if last["changed_at"] != record.started_at:
                yield f"{label} changed at {last['changed_at']}, its sync began at {record.started_at}"
            if not record.started_at <= last["observed_at"] <= record.as_of:
                yield f"{label} observed at {last['observed_at']}, outside {record.started_at} … {record.as_of}"
            if len(versions) > 1:
                told = _follows(name, versions[-2], last, was_odd=memory.was_odd)
                yield from (f"{label} {complaint}" for complaint in told)


def _follows(model: str, previous: Row, last: Row, *, was_odd: bool) -> Iterable[str]:
    was_deleted, is_deleted = (row["remote_deleted_at"] is not None for row in (previous, last))
    if was_deleted and is_deleted:
        yield "was deleted twice"
    if (last["reason"] == "deleted") != is_deleted or (last["reason"] == "returned") != was_deleted:
        yield f"has a version for the reason {last['reason']!r} after one for {previous['reason']!r}"
    # personal columns of superseded versions go at compaction: then nobody can tell any more
    is_told = previous["is_told_whole"] and last["is_told_whole"]
    # what others showed of a record, and then its own list
    is_told = is_told and (previous["payload_hash"] is None) == (last["payload_hash"] is None)
    # a payload that lacks a key is another content, also if the key's value is not the record's own
    is_told = is_told and _parts(previous.get("remote_data")) == _parts(last.get("remote_data"))
    # where a part was odd, what was known of it stays, and the payload is another content all the same
    if last["reason"] == "observed" and is_told and not was_odd:
        columns = [column.name for column in MODELS[model].version_columns if column.name not in OBSERVATION]
        if all(_own(model, name, last) == _own(model, name, previous) for name in columns):
            yield "has two versions of one content"


def nothing_is_lost(_: Observed | None, after: Observed, memory: Memory, __: Span) -> Iterable[str]:
    """Every application that ever came, and was one, has a version."""
    missing = memory.came["applications"] - _keys(after, "applications", live=False)
    if missing:
        yield f"applications {sorted(missing)} came, and are not in the lake"


def nothing_that_exists_is_deleted(_: Observed | None, after: Observed, memory: Memory, span: Span) -> Iterable[str]:
    """A deletion is of a record that at some instant of the sync was not there; and never of a guarded listing."""
    for model in ("applications", "jobs"):
        for versions in after.versions(model).values():
            last = versions[-1]
            if last["sync_id"] != span.record.sync_id or last["remote_deleted_at"] is None:
                continue
            key = last["remote_id"]
            if all(memory.exists(model, key, at, span) for at in span.instants) and not memory.is_shifty(key, span):
                yield f"{model} {key} is marked deleted, and was there all the time"
            if model in span.record.guarded:
                yield f"{model} {key} is marked deleted, although the guard objected"


def a_guarded_loss_takes_nothing_with_it(_: Observed | None, after: Observed, __: Memory, span: Span) -> Iterable[str]:
    """What follows from records that the guard kept is kept as well."""
    derived = {
        "applications": ("candidates",),
        "jobs": ("job_application_stages", "job_screening_questions", "screening_questions"),
    }
    for feed, models in derived.items():
        if feed in span.record.guarded:
            yield from (
                f"{span.record.models[model].deleted} {model} are deleted, although the guard kept {feed}"
                for model in models
                if span.record.models[model].deleted
            )


def what_exists_is_known(before: Observed | None, after: Observed, memory: Memory, span: Span) -> Iterable[str]:
    """What was there all the time is live: what was known before, and, where nothing moved, everything."""
    live = _keys(after, "applications")
    known = _keys(before, "applications") if before else set()
    there = {key for key in memory.applications() if _was_there(memory, key, span)}
    if known & there - live:
        yield f"applications {sorted(known & there - live)} were known and are there, and are not live any more"
    if not span.record.feeds["applications"].is_whole or not memory.is_trusted(span):
        return
    if span.record.mode == "incremental" and span.record.last_full is None:
        return  # the first list was read once, and a list of changes does not prove it: the record says so
    excused = memory.excused if span.record.mode == "incremental" else set()
    expected = there - memory.tainted["applications"] - excused
    if not span.step.is_still:
        # one listing may miss what shifts; what two syncs in a row could list must be there
        expected &= {key for key in expected if memory.was_there_last_time(key)}
    if expected - live:
        yield f"applications {sorted(expected - live)} are there and are not known"


def content_is_true(_: Observed | None, after: Observed, memory: Memory, span: Span) -> Iterable[str]:
    """The content of each application and job is the true one at some instant of the sync."""
    record = span.record
    if span.step.is_still and _is_complete(memory, span):
        return  # then tables_are_the_truth says all of this, and more
    for model in ("applications", "jobs"):
        if not record.feeds[model].is_whole:
            continue
        if model == "applications" and not (memory.is_trusted(span) and (record.mode == "full" or memory.announces)):
            continue
        excused = memory.excused if record.mode == "incremental" and model == "applications" else set()
        found = cells_of(model, after.frame(model))
        at_the_end = memory.expected(span.instants[-1], model)
        for row in found.values():
            key = row["remote_id"]
            if _is_so(row, at_the_end.get(row["id"])) or key in memory.tainted[model] | excused:
                continue
            if memory.is_shifty(key, span) or not all(memory.exists(model, key, at, span) for at in span.instants):
                continue
            versions = [memory.expected(at, model).get(row["id"]) for at in span.likely_instants()]
            if not any(_is_so(row, version) for version in versions):
                yield from _told_apart(model, versions[0], row)


def tables_are_the_truth(_: Observed | None, after: Observed, memory: Memory, span: Span) -> Iterable[str]:
    """After a full sync: all tables are what the account lists; where it moved, what it listed at some instant."""
    if not _is_complete(memory, span):
        return
    # a sync that is gone on with keeps what it had read: the account may have moved between its attempts
    has_moved = not span.step.is_still or (span.is_resumed and len(set(span.instants)) > 1)
    if has_moved:
        if "shifting" not in span.step.faults:
            for model in DERIVED:
                yield from _was_so(model, after, memory, span)
        return
    for model, expected in memory.tables(span.instants[-1]).items():
        actual = after.frame(model)
        if model in ACCUMULATED:
            remembered = {unified_id(INTEGRATION, model, key) for key in memory.accumulated(model)} | set(
                expected["id"]
            )
            if (ids := set(actual["id"])) != remembered and not memory.was_odd:
                yield f"{model}: {len(ids - remembered)} too many, {len(remembered - ids)} too few"
            actual = actual[actual["id"].isin(expected["id"])]
        wanted = expected.drop(columns=[name for name in REMEMBERED if name in expected])
        found = [without_borrowed(model, frame) for frame in (wanted, actual)]
        yield from (f"{model}: {line}" for line in differences(*found))
    yield from _remembers(after, memory)


def the_guard_judges_as_it_says(before: Observed | None, after: Observed, _: Memory, span: Span) -> Iterable[str]:
    """It objects when more than 20 % and at least 20 of the known are missing, or when all of them are."""
    record = span.record
    if before is None or span.is_resumed:
        return
    for feed in ("applications", "jobs"):
        if feed == "applications" and record.mode == "incremental":
            continue
        listings = [
            raw for raw in after.raw(record.sync_id) if raw.feed == feed and raw.listing not in ("since", "look")
        ]
        known = _keys(before, feed)
        missing = known - {raw.key for raw in listings}
        is_loss = len(missing) >= 20 and len(missing) > 0.2 * len(known)
        should = bool(missing) and (is_loss or not listings) and not span.step.accepts_loss
        does = feed in record.guarded
        if should != does:
            yield f"{feed}: {len(missing)} of {len(known)} are missing, {len(listings)} came, objects: {does}"
        if does and record.feeds[feed].is_whole:
            yield f"{feed} counts as whole although the guard objected"
    if (record.verdict == "guarded") != bool(record.objections):
        yield f"{record.verdict} with objections {record.objections}"


def overdue_looks(before: SyncRecord, record: SyncRecord, feed: str) -> int:
    """The number of looks that are pending for more than seven days: they are taken beyond the limit."""
    since = before.pending_since.get(feed)
    return len(before.pending[feed]) if since and record.started_at - since >= timedelta(days=7) else 0


def looks_come_in_their_order(before: Observed | None, after: Observed, _: Memory, span: Span) -> Iterable[str]:
    """No more looks than are allowed, but for those pending for a week. What was put off comes first, and is kept."""
    if before is None or span.is_resumed:
        return
    put_off = set(before.newest.pending.get("applications", ()))
    still = set(span.record.pending.get("applications", ()))
    raw = [raw for raw in after.raw(span.record.sync_id) if raw.feed == "applications"]
    looked = {raw.key for raw in raw if raw.listing == "look"}
    settled = {raw.key for raw in raw if raw.payload is not None} | looked
    allowed = span.step.max_second_looks + overdue_looks(before.newest, span.record, "applications")
    if len(looked) > allowed:
        yield f"{len(looked)} looks, {allowed} are allowed"
    live = _keys(after, "applications")
    if forgotten := (put_off & live) - settled - still:
        yield f"{sorted(forgotten)} were put off and are forgotten"
    if span.record.mode == "full" and looked - put_off and (put_off & still):
        yield f"{sorted(looked - put_off)} were looked at before {sorted(put_off & still)}, which were put off"


def only_broken_records_are_set_aside(_: Observed | None, after: Observed, memory: Memory, span: Span) -> Iterable[str]:
    if not span.spoils and after.quarantined(span.record.sync_id):
        yield f"set aside without a reason: {after.quarantined(span.record.sync_id)[:3]}"


def unannounced_changes_are_counted(_: Observed | None, __: Observed, memory: Memory, span: Span) -> Iterable[str]:
    """None where lastUpdatedAt tells every change."""
    if memory.is_honest and span.record.n_unannounced:
        yield f"{span.record.n_unannounced} changes are said not to have been announced"


def files_are_those_that_are_listed(before: Observed | None, after: Observed, _: Memory, span: Span) -> Iterable[str]:
    """Every listed file is there; nothing else is, but what the sync before listed."""
    listed = span.record.files.all()
    if missing := listed - after.files():
        yield f"listed and not there: {sorted(missing)}"
    for name, paths in span.record.files.models.items():
        if len(paths) > compaction.MOST_VERSION_FILES:
            yield f"{len(paths)} version files of {name}"
    known = listed | (before.newest.files.all() if before else set())
    if (more := after.files() - known) and not span.died_after_commit:
        yield f"there and not listed: {sorted(more)[:5]}"


def same_end(killed: Observed, unkilled: Observed) -> list[str]:
    """Two lakes that went through the same, but for syncs that died: equal apart from sync ids and instants."""
    told = []
    for name in MODELS:
        one, other = (
            {key: _story(name, rows) for key, rows in lake.versions(name).items()} for lake in (killed, unkilled)
        )
        told += [
            f"{name} {key}: killed {one.get(key)}, unkilled {other.get(key)}"
            for key in sorted(one.keys() | other.keys())
            if one.get(key) != other.get(key)
        ]
    return told[:5]


def same_versions(one: Observed, other: Observed) -> list[str]:
    """Two lakes with the very same versions."""
    return [
        f"{name} {key} differs" for name in MODELS
        for key in one.versions(name).keys() | other.versions(name).keys()
        if _tier_one(name, one.versions(name).get(key, [])) != _tier_one(name, other.versions(name).get(key, []))
    ]  # fmt: skip


# What the claims are made of


def _keys(lake: Observed, model: str, *, live: bool = True) -> set[str]:
    newest = (versions[-1] for versions in lake.versions(model).values())
    return {row["remote_id"] for row in newest if not live or row["remote_deleted_at"] is None}


def _is_complete(memory: Memory, span: Span) -> bool:
    """Whether a sync can have seen everything, and seen it unspoiled."""
    record = span.record
    is_whole = record.mode == "full" and record.verdict == "committed" and not record.pending
    return is_whole and not memory.tainted["applications"] and not memory.tainted["jobs"]


def _was_there(memory: Memory, key: str, span: Span) -> bool:
    return all(memory.exists("applications", key, at, span) for at in span.instants) and not memory.is_shifty(key, span)


def _parts(payloads: Any) -> dict[str, set[str]]:
    """The keys of each payload of a record."""
    found = json.loads(payloads) if isinstance(payloads, str) else payloads or {}
    return {path: set(payload) for path, payload in found.items()}


def _own(model: str, column: str, row: Row) -> Any:
    return own_part(row[column]) if column == "remote_data" and model in BORROWERS else row[column]


def _is_so(row: Row, expected: Row | None) -> bool:
    return expected is not None and all(row[name] == value for name, value in expected.items())


def _told_apart(model: str, expected: Row | None, row: Row) -> Iterable[str]:
    if expected is None:
        yield f"{model} {row['remote_id']} is not expected"
        return
    for name, value in expected.items():
        if row[name] != value:
            yield f"{model} {row['remote_id']} {name}: expected {value!r}, found {row[name]!r}"


def _was_so(model: str, after: Observed, memory: Memory, span: Span) -> Iterable[str]:
    """Each live row's fields are those of some instant; a row of all instants is live."""
    worlds = [memory.expected(at, model) for at in span.likely_instants(most=6)]
    rows = cells_of(model, after.frame(model))
    for key in sorted(set.intersection(*(set(world) for world in worlds)) - rows.keys()):
        yield f"{model} {key} was there all the time and is not live"
    if model in ACCUMULATED:
        return
    for key, row in rows.items():
        versions = [world[key] for world in worlds if key in world]
        for name in versions[0] if versions else ():
            if name != "remote_data" and all(version[name] != row[name] for version in versions):
                yield f"{model} {row['remote_id']} {name}: {row[name]!r} at no instant, e.g. {versions[0][name]!r}"


def _remembers(after: Observed, memory: Memory) -> Iterable[str]:
    """What only a pipeline with a past can know: the order of stages over all that was seen, when drafts opened."""
    if memory.was_odd:
        return
    for row in after.current("application_stages"):
        if row["global_index"] != (expected := memory.global_index(row["remote_id"])):
            found = row["global_index"]
            yield f"application_stages {row['remote_id']} global_index: expected {expected}, found {found}"
    for row in after.current("jobs"):
        if row["opened_at"] != (opened := memory.opened_at(row["remote_id"])):
            yield f"jobs {row['remote_id']} opened_at: expected {opened}, found {row['opened_at']}"


def _story(model: str, versions: Collection[Row]) -> list[tuple[Any, ...]]:
    timed = {"changed_at", "observed_at", "sync_id", "remote_deleted_at", "opened_at", "content_hash"}
    personal = {column.name for column in MODELS[model].personal}
    return [
        (
            row["reason"],
            row["remote_deleted_at"] is None,
            *((key, str(row[key])) for key in sorted(row) if key not in timed | personal),
        )
        for row in versions
    ]  # fmt: skip


def _tier_one(model: str, versions: Collection[Row]) -> list[Mapping[str, Any]]:
    plain = [column.name for column in MODELS[model].plain]
    return [{name: row[name] for name in plain} for row in versions]
