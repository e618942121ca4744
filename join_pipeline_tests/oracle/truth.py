"""The true history of each application, from the sandbox's event log, and what successive syncs could see of it.

A sync at an instant sees the state after every event at or before it. Nothing between two syncs is seen.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx

Event = Mapping[str, Any]

PENDING, HIRED, DECLINED = "PENDING", "HIRED", "DECLINED"
_OUTCOME = {"APPLIED": PENDING, "ACTIVE": PENDING, "OFFER": PENDING, "HIRED": HIRED, "REJECTED": DECLINED}


@dataclass(frozen=True)
class State:
    """An application from `at` on. `outcome` and `stage` keep their last value once it `is_deleted`."""

    at: datetime
    stage: str
    outcome: str
    is_deleted: bool = False


@dataclass(frozen=True)
class Timeline:
    """One application: its keys as JOIN's ids in text, and its states, one for each event, in order."""

    application: str
    job: str
    candidate: str
    source: str | None
    states: tuple[State, ...]

    @property
    def applied_at(self) -> datetime:
        return self.states[0].at

    def state_at(self, instant: datetime) -> State | None:
        """The state then, None before it applied."""
        n = bisect_right(self.states, instant, key=lambda state: state.at)
        return self.states[n - 1] if n else None

    def until(self, as_of: datetime) -> "Timeline | None":
        """The same application, as far as it had come by then."""
        states = tuple(state for state in self.states if state.at <= as_of)
        return replace(self, states=states) if states else None

    def sights(self, syncs: Sequence[datetime]) -> tuple[State, ...]:
        """What each sync saw, from the first that saw it on, `at` being the sync's instant; empty where none did.

        A sync that misses a known application sees its deletion.
        """
        seen: list[State] = []
        for sync in sorted(syncs):
            state = self.state_at(sync)
            if state is None or (state.is_deleted and not seen):
                continue
            # What happened between the last sight and the deletion went unseen.
            last_seen = seen[-1] if state.is_deleted else state
            seen.append(replace(last_seen, at=sync, is_deleted=state.is_deleted))
        return tuple(seen)


def read_truth(base_url: str) -> list[Event]:
    """Every event up to the sandbox's now, in its order. `base_url` is without /v2."""
    answer = httpx.get(f"{base_url}/control/truth", timeout=60.0, trust_env=False)
    answer.raise_for_status()
    return [json.loads(line) for line in answer.text.split("\n") if line]


def timelines(events: Iterable[Event]) -> list[Timeline]:
    """One timeline for each application ever created, in the order of creation."""
    found: dict[str, Timeline] = {}
    for event in events:
        kind, application = event["record"].split("/")
        if kind != "applications":
            continue
        at = datetime.fromisoformat(event["at"]).astimezone(UTC)
        to = event["to"]
        if event["type"] == "CREATED":
            first = State(at, to["stage"]["name"], _OUTCOME[to["state"]])
            keys = (str(to["jobId"]), str(to["candidateId"]), to["source"])
            found[application] = Timeline(application, *keys, states=(first,))
            continue
        line = found[application]
        last = line.states[-1]
        match event["type"]:
            case "STAGE_CHANGED":
                state = replace(last, at=at, stage=to["name"])
            case "OUTCOME_CHANGED":
                state = replace(last, at=at, outcome=_OUTCOME[to])
            case "DELETED":
                state = replace(last, at=at, is_deleted=True)
            case unknown:
                raise ValueError(f"an application has no event {unknown}")
        found[application] = replace(line, states=(*line.states, state))
    return list(found.values())
