"""Compares the bounds of every event, computed by the marts' own SQL, with its true instant.

Belongs here: running `int_application_event` on a lake, the truth of each kind of event, and comparing both. Not here:
whether the versions behind them are right (checks).
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from join_pipeline_tests.oracle.truth import PENDING
from join_pipeline_tests.simulation.memory import Memory
from join_pipeline_tests.simulation.modelled import modelled
from join_pipeline_tests.simulation.observed import Observed

EVENTS = "int_application_event"


@dataclass(frozen=True)
class Event:
    """One event as the marts tell it: what came about, and where the application is then."""

    key: str
    kind: str
    stage: str | None
    outcome: str | None
    lo: datetime | None
    hi: datetime

    @property
    def what(self) -> str:
        """A first sight of somebody undecided is dated by the stage."""
        if self.kind in ("VANISHED", "REAPPEARED"):
            return self.kind
        is_move = self.kind == "STAGE_CHANGED" or (self.kind == "FIRST_SEEN" and self.outcome == PENDING)
        return f"STAGE {self.stage}" if is_move else f"OUTCOME {self.outcome}"


def complaints(lake: Observed, memory: Memory, counted: Counter[str]) -> list[str]:
    """Events that did not happen within their bounds, and applications that did not end as their events say.

    To be asked after a last full sync of a world that stands still. Counts what was judged, by kind of event.
    """
    if not _is_claimed(lake, memory):
        return []
    told = [event for event in events(lake) if event.key not in memory.misread]
    counted.update(event.kind for event in told)
    return [*_outside(told, memory), *_astray(told, memory)]


def _is_claimed(lake: Observed, memory: Memory) -> bool:
    """Whether bounds mean anything in this history.

    They are instants of the server's clock: one that was set back has two of each. And where lastUpdatedAt keeps
    silent about changes, only full syncs are trusted, from the moment on that one of them has found it out.
    """
    is_found_out = any(record.n_unannounced for record in lake.records)
    return not any(span.is_set_back for span in memory.spans) and (memory.announces or is_found_out)


def _outside(told: Iterable[Event], memory: Memory) -> Iterator[str]:
    for event in told:
        # the last time before it was seen: what came and went unseen is nobody's
        happened = truly(memory, event.key).get(event.what, [])
        n = bisect_right(happened, event.hi + _resolution(memory))
        if not n:
            yield f"{event} never happened by then: {happened}"
        elif event.lo is not None and happened[n - 1] < event.lo:
            yield f"{event} happened before, at {happened[n - 1]}"


def _resolution(memory: Memory) -> timedelta:
    """hi may be JOIN's own lastUpdatedAt, and without milliseconds that is up to a second earlier than the change."""
    return timedelta(0) if memory.account.config.has_milliseconds else timedelta(seconds=1)


def _astray(told: Iterable[Event], memory: Memory) -> Iterator[str]:
    """The events of each application lead to where it is."""
    ends: dict[str, Event] = {}
    for event in told:
        before = ends.get(event.key, event)
        ends[event.key] = replace(
            event,
            stage=before.stage if event.stage is None else event.stage,
            outcome=before.outcome if event.outcome is None else event.outcome,
        )
    for key, end in ends.items():
        if key in memory.tainted["applications"]:
            continue
        state = memory.line(key).states[-1]
        is_there = memory.exists("applications", key, memory.account.now, memory.spans[-1])
        if (end.kind == "VANISHED") == is_there:
            yield f"application {key} is there: {is_there}, and its last event is {end}"
        elif is_there and (end.stage, end.outcome) != (state.stage, state.outcome):
            yield f"application {key} is in {state}, and its last event is {end}"


def truly(memory: Memory, key: str) -> dict[str, list[datetime]]:
    """When each thing came about: an entry into a stage, an outcome, a disappearance, a return; in order."""
    found: dict[str, list[datetime]] = {}
    before = None
    for state in memory.line(key).states:
        if before is None or state.stage != before.stage:
            found.setdefault(f"STAGE {state.stage}", []).append(state.at)
        if before is None or state.outcome != before.outcome:
            found.setdefault(f"OUTCOME {state.outcome}", []).append(state.at)
        if state.is_deleted:
            found.setdefault("VANISHED", []).append(state.at)
        before = state
    was_hidden = False
    for at, hidden in memory.veils:
        is_hidden = key in hidden
        if is_hidden != was_hidden:
            found.setdefault("VANISHED" if is_hidden else "REAPPEARED", []).append(at)
        was_hidden = is_hidden
    return {what: sorted(instants) for what, instants in found.items()}


def events(lake: Observed) -> Iterator[Event]:
    """The events of all applications in their order, by the marts' own SQL."""
    with modelled(lake.path, EVENTS) as con:
        rows = con.execute(
            f"""SELECT a.remote_id, e.event_type, s.name, e.to_outcome, e.event_at_lo, e.event_at_hi
            FROM intermediate.{EVENTS} AS e
            JOIN ats.pseudonyms AS p ON p.pseudonym = e.application_key AND p.model = 'applications'
            JOIN ats.applications AS a ON a.id = p.id
            LEFT JOIN ats.application_stages AS s ON s.id = e.to_stage_id
            ORDER BY e.application_key, e.event_number"""
        )
        yield from (Event(*row) for row in rows.fetchall())
