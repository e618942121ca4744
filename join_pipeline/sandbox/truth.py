"""The truth: the log of all events up to an instant, which the API does not show."""

import heapq
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from join_pipeline.sandbox.candidates import TAGGED, UNTAGGED
from join_pipeline.sandbox.instants import iso
from join_pipeline.sandbox.jobs import DISCARDED, REPRICED, RETITLED, STATUS_OF
from join_pipeline.sandbox.journeys import ABSENT, DELETED, POSITION
from join_pipeline.sandbox.payloads import state_word
from join_pipeline.sandbox.postings import Stage
from join_pipeline.sandbox.vocabulary.forms import SOURCES, TAGS
from join_pipeline.sandbox.world import World

Event = tuple[int, int, dict[str, Any]]  # instant, rank among those of one instant, what is told
_JOB, _APPLICATION, _CANDIDATE = range(3)


def _event(at: int, rank: int, kind: str, record: str, before: Any, after: Any) -> Event:
    return at, rank, {"type": kind, "record": record, "from": before, "to": after, "at": iso(at)}


def truth(world: World, now: int) -> Iterator[bytes]:
    """Every event up to `now` in order of time, as lines of JSON, a few thousand at a time."""
    streams = (_jobs(world, now), _applications(world, now), _written(world, now), _tags(world, now))
    encoder = msgspec.json.Encoder()
    lines: list[bytes] = []
    for _, _, event in heapq.merge(*streams, key=lambda event: event[:2]):
        lines.append(encoder.encode(event))
        if len(lines) == 2_000:
            yield b"\n".join(lines) + b"\n"
            lines.clear()
    if lines:
        yield b"\n".join(lines) + b"\n"


def _jobs(world: World, now: int) -> Iterator[Event]:
    jobs, postings = world.company.jobs, world.postings
    status: dict[int, str] = {}
    n_titles: dict[int, int] = {}
    n_prices: dict[int, int] = {}
    for at, job, kind in zip(jobs.event_at.tolist(), jobs.event_job.tolist(), jobs.event_kind.tolist(), strict=True):
        if at > now:
            return
        record = f"jobs/{job + 1}"
        before: dict[str, Any]
        after: dict[str, Any]
        if job not in status:
            status[job] = STATUS_OF[kind]
            title = postings.title(job, 0)
            yield _event(at, _JOB, "CREATED", record, None, {"title": title, "status": status[job]})
            continue
        if kind == DISCARDED:
            yield _event(at, _JOB, "DELETED", record, status[job], None)
            continue
        if kind == RETITLED:
            n = n_titles.get(job, 0)
            n_titles[job] = n + 1
            before, after = {"title": postings.title(job, n)}, {"title": postings.title(job, n + 1)}
        elif kind == REPRICED:
            n = n_prices.get(job, 0)
            n_prices[job] = n + 1
            before, after = {"salary": postings.salary(job, n)}, {"salary": postings.salary(job, n + 1)}
        else:
            before, after = {"status": status[job]}, {"status": STATUS_OF[kind]}
            status[job] = STATUS_OF[kind]
        yield _event(at, _JOB, "JOB_CHANGED", record, before, after)


def _created(job: int, candidate: int, pipeline: tuple[Stage, ...], product: str) -> dict[str, Any]:
    return {"jobId": job + 1, "candidateId": candidate + 1, "stage": pipeline[0], "state": "APPLIED", "source": product}


def _applications(world: World, now: int) -> Iterator[Event]:
    log, arrivals = world.company.log, world.company.arrivals
    end = int(np.searchsorted(log.at, now, side="right"))
    for start in range(0, end, 10_000):
        rows = slice(start, min(start + 10_000, end))
        part = log.take(rows)
        part = part.take(part.before != part.after)
        columns = (part.at.tolist(), part.application.tolist(), part.before.tolist(), part.after.tolist())
        for at, application, before, after in zip(*columns, strict=True):
            job = int(arrivals.job[application])
            pipeline, record = world.postings.pipeline(job), f"applications/{application + 1}"
            if before == ABSENT:
                product = SOURCES[arrivals.source[application]].product
                told = _created(job, int(arrivals.candidate[application]), pipeline, product)
                yield _event(at, _APPLICATION, "CREATED", record, None, told)
                continue
            word = state_word(before, len(pipeline))
            if after & DELETED:
                yield _event(at, _APPLICATION, "DELETED", record, word, None)
                continue
            if (before ^ after) & POSITION:
                left, entered = pipeline[before & POSITION], pipeline[after & POSITION]
                yield _event(at, _APPLICATION, "STAGE_CHANGED", record, left, entered)
            next_word = state_word(after, len(pipeline))
            if _outcome(word) != _outcome(next_word):
                yield _event(at, _APPLICATION, "OUTCOME_CHANGED", record, word, next_word)


def _outcome(word: str) -> str:
    return word if word in ("HIRED", "REJECTED") else "pending"


def _written(world: World, now: int) -> Iterator[Event]:
    events: list[Event] = []
    for written in world.written.applications:
        record = f"applications/{written.application + 1}"
        if written.created <= now:
            pipeline = world.postings.pipeline(written.job)
            told = _created(written.job, written.candidate, pipeline, written.product)
            events.append(_event(written.created, _APPLICATION, "CREATED", record, None, told))
        if written.gone <= now:
            events.append(_event(written.gone, _APPLICATION, "DELETED", record, "APPLIED", None))
    yield from sorted(events, key=lambda event: event[0])


def _tags(world: World, now: int) -> Iterator[Event]:
    people = world.company.people
    for row in np.argsort(people.at, kind="stable").tolist():
        at = int(people.at[row])
        if at > now:
            return
        kind, record, tag = people.kind[row], f"candidates/{people.candidate[row] + 1}", TAGS[people.tag[row]]
        if kind == TAGGED:
            yield _event(at, _CANDIDATE, "TAG_ADDED", record, None, tag)
        elif kind == UNTAGGED:
            yield _event(at, _CANDIDATE, "TAG_REMOVED", record, tag, None)
