"""The values that the marts must show: true ones from what happened, observed ones from what the syncs could see.

Both come from the same functions: a sequence of states per application, either all of its true states or its sights.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from join_pipeline_tests.oracle.truth import DECLINED, HIRED, PENDING, Event, State, Timeline, timelines

MILESTONES = ("SCREENING", "INTERIM", "OFFER", "HIRED")
_FIXED_STAGES = {"Screening": "SCREENING", "Offer": "OFFER", "Hired": "HIRED"}
_RANK = {milestone: rank for rank, milestone in enumerate(MILESTONES)}

_APPLICATION_COLUMNS = [
    "application", "job", "candidate", "source", "applied_at", "seen_at", "status", "is_deleted", "hired_at",
    "decided_at", "first_decided_at", "stage", "stages", "milestones", "furthest_milestone", "n_stage_changes",
]  # fmt: skip
_CHANGE_COLUMNS = ["application", "kind", "from", "to", "lo", "hi", "true_at", "is_first_sight", "is_historic"]
_HIRE_COLUMNS = ["application", "applied_at", "hired_at", "days_to_hire", "is_last"]
_VISIT_COLUMNS = ["application", "job", "visit", "stage", "milestone", "entered_at", "left_at"]
_COHORT_COLUMNS = [
    "cohort_month", "milestone", "n_applications", "n_before_first_sync", "n_reached_observed", "n_reached_assumed",
    "n_moved_on", "n_out", "n_waiting", "pass_through_mature", "pass_through_low", "pass_through_high",
]  # fmt: skip


def milestone_of(stage: str) -> str:
    return _FIXED_STAGES.get(stage, "INTERIM")


# Applications


def true_applications(events: Iterable[Event], as_of: datetime) -> pd.DataFrame:
    """A row for each application ever created by then, deleted ones too.

    `status` OPEN, HIRED, DECLINED or VANISHED. `hired_at`: first hire. `decided_at`: when the decision that stands was
    made (or it vanished). `first_decided_at`: first of hired, declined, vanished. `stages`: every one it was in, in
    order. `milestones`: those of its stages. `seen_at` equals `applied_at`.
    """
    lines = [line for whole in timelines(events) if (line := whole.until(as_of)) is not None]
    return _applications([(line, line.states) for line in lines])


def observed_applications(events: Iterable[Event], syncs: Sequence[datetime]) -> pd.DataFrame:
    """The same columns, as full syncs at exactly these instants see them: instants are those of the syncs.

    Rows are the applications that a sync ever saw; `seen_at` is the first that did; `applied_at` is JOIN's, and exact.
    """
    return _applications([(line, seen) for line in timelines(events) if (seen := line.sights(syncs))])


def counts_by_status(applications: pd.DataFrame) -> dict[str, int]:
    """Rows of `fct_application` by status."""
    return {str(status): int(n) for status, n in applications["status"].value_counts().items()}


def _applications(known: Iterable[tuple[Timeline, Sequence[State]]]) -> pd.DataFrame:
    rows = []
    for line, states in known:
        last = states[-1]
        stages = [state.stage for n, state in enumerate(states) if n == 0 or state.stage != states[n - 1].stage]
        milestones = {milestone_of(stage) for stage in stages}
        if any(state.outcome == HIRED for state in states):
            milestones.add("HIRED")
        statuses = [_status(state) for state in states]
        standing = next((n + 1 for n in reversed(range(len(states))) if statuses[n] != statuses[-1]), 0)
        rows.append(
            [
                line.application,
                line.job,
                line.candidate,
                line.source,
                line.applied_at,
                states[0].at,
                statuses[-1],
                last.is_deleted,
                next((state.at for state in states if state.outcome == HIRED), None),
                None if statuses[-1] == "OPEN" else states[standing].at,
                next((state.at for state, status in zip(states, statuses, strict=True) if status != "OPEN"), None),
                last.stage,
                tuple(stages),
                frozenset(milestones),
                max(milestones, key=_RANK.__getitem__),
                len(stages) - 1,
            ]
        )
    frame = pd.DataFrame(rows, columns=_APPLICATION_COLUMNS)
    return frame.astype(_instants(name for name in _APPLICATION_COLUMNS if name.endswith("_at")))


def _status(state: State) -> str:
    """A decision survives deletion; without one, what is deleted has vanished."""
    if state.outcome == PENDING:
        return "VANISHED" if state.is_deleted else "OPEN"
    return state.outcome


# Events


def observed_changes(events: Iterable[Event], syncs: Sequence[datetime]) -> pd.DataFrame:
    """Each change that full syncs at these instants notice: a row per application, kind and pair of syncs.

    `kind` OUTCOME, STAGE or DELETION; the change happened after `lo` (the sync before it; for an application first seen
    already moved, its creation) and not after `hi` (the sync that saw it; the pipeline may know better from
    lastUpdatedAt, so its own hi lies in [true_at, hi]). `true_at`: when it last came to be what was seen at hi.
    `is_first_sight`: it was so when first seen; `is_historic`: and that was at the first sync of all.
    """
    first_sync = min(syncs)
    rows = []
    for line in timelines(events):
        before, lo, is_first_sight = line.states[0], line.applied_at, True
        for seen in line.sights(syncs):
            for kind, attribute in (("OUTCOME", "outcome"), ("STAGE", "stage"), ("DELETION", "is_deleted")):
                was, now = getattr(before, attribute), getattr(seen, attribute)
                if was != now:
                    true_at = _came_to_be(line, attribute, seen.at)
                    is_historic = is_first_sight and seen.at == first_sync
                    rows.append([line.application, kind, was, now, lo, seen.at, true_at, is_first_sight, is_historic])
            before, lo, is_first_sight = seen, seen.at, False
    frame = pd.DataFrame(rows, columns=_CHANGE_COLUMNS)
    return frame.astype(_instants(("lo", "hi", "true_at")))


def _came_to_be(line: Timeline, attribute: str, by: datetime) -> datetime:
    """When the value that held at `by` began to hold."""
    states = [state for state in line.states if state.at <= by]
    value = getattr(states[-1], attribute)
    since = next((n + 1 for n in reversed(range(len(states))) if getattr(states[n], attribute) != value), 0)
    return states[since].at


def true_hires(events: Iterable[Event], as_of: datetime) -> pd.DataFrame:
    """Each time that an application became hired: a row per hire, `is_last` for the last one of the application.

    A hire that was undone and made again is two; of an observed one, compare the hire that `observed_changes` names.
    """
    rows = []
    for whole in timelines(events):
        line = whole.until(as_of)
        states = line.states if line is not None else ()
        hired = [
            state.at
            for n, state in enumerate(states)
            if state.outcome == HIRED and (n == 0 or states[n - 1].outcome != HIRED)
        ]
        for at in hired:
            days = (at - whole.applied_at).total_seconds() / 86_400
            rows.append([whole.application, whole.applied_at, at, days, at == hired[-1]])
    frame = pd.DataFrame(rows, columns=_HIRE_COLUMNS)
    return frame.astype(_instants(("applied_at", "hired_at")))


def observed_hires(events: Iterable[Event], syncs: Sequence[datetime]) -> pd.DataFrame:
    """The rows of `observed_changes` that are hires, with `applied_at` and the bounds and truth in days from it."""
    known = list(events)
    changes = observed_changes(known, syncs)
    hires = changes[(changes["kind"] == "OUTCOME") & (changes["to"] == HIRED)].copy()
    applied_at = {line.application: line.applied_at for line in timelines(known)}
    hires.insert(1, "applied_at", hires["application"].map(applied_at).astype("datetime64[us, UTC]"))
    for name, bound in (("days_lo", "lo"), ("days_hi", "hi"), ("days_true", "true_at")):
        hires[name] = (hires[bound] - hires["applied_at"]).dt.total_seconds() / 86_400
    return hires.reset_index(drop=True)


def true_visits(events: Iterable[Event], as_of: datetime) -> pd.DataFrame:
    """Each stay in a stage: `left_at` is null while it lasts, also after a rejection; a deletion ends it."""
    rows = []
    for whole in timelines(events):
        line = whole.until(as_of)
        if line is None:
            continue
        moves = [state for n, state in enumerate(line.states) if n == 0 or state.stage != line.states[n - 1].stage]
        end = line.states[-1].at if line.states[-1].is_deleted else None
        for n, state in enumerate(moves):
            left_at = moves[n + 1].at if n + 1 < len(moves) else end
            stage = state.stage
            rows.append([line.application, line.job, n + 1, stage, milestone_of(stage), state.at, left_at])
    frame = pd.DataFrame(rows, columns=_VISIT_COLUMNS)
    return frame.astype(_instants(("entered_at", "left_at")))


# The funnel


def cohorts(
    applications: pd.DataFrame, time_zone: str, *, by: str | None = None, first_sync: datetime | None = None
) -> pd.DataFrame:
    """Month of applying × milestone (× the column `by`, such as "job"), from either frame of applications.

    `cohort_month` is the month's first day in the time zone. Observed: a stage of the milestone, or its state, was
    seen; assumed: it came as far or further. Of those who came as far (assumed) as the milestone: moved on (further),
    out (declined or vanished there), waiting (open there). Rates are null where nobody counts. A cohort with members
    who applied before the first sync (`n_before_first_sync`) is left-truncated.
    """
    groups = ["cohort_month"] + ([by] if by is not None else [])
    local = applications["applied_at"].dt.tz_convert(ZoneInfo(time_zone))
    known = applications.assign(
        cohort_month=[moment.date().replace(day=1) for moment in local],
        furthest=applications["furthest_milestone"].map(_RANK),
        is_early=applications["applied_at"] < first_sync if first_sync is not None else False,
    )
    rows = []
    for group, members in known.groupby(groups):
        for milestone, rank in _RANK.items():
            reached = members[members["furthest"] >= rank]
            stayed = reached[reached["furthest"] == rank]
            n_moved_on = len(reached) - len(stayed)
            n_out = int(stayed["status"].isin([DECLINED, "VANISHED"]).sum())
            n_waiting = int((stayed["status"] == "OPEN").sum())
            n_all = n_moved_on + n_out + n_waiting
            is_last = milestone == MILESTONES[-1]
            rows.append(
                {
                    **dict(zip(groups, group, strict=True)),
                    "milestone": milestone,
                    "n_applications": len(members),
                    "n_before_first_sync": int(members["is_early"].sum()),
                    "n_reached_observed": sum(milestone in seen for seen in members["milestones"]),
                    "n_reached_assumed": len(reached),
                    "n_moved_on": n_moved_on,
                    "n_out": n_out,
                    "n_waiting": n_waiting,
                    "pass_through_mature": None if is_last else _rate(n_moved_on, n_moved_on + n_out),
                    "pass_through_low": None if is_last else _rate(n_moved_on, n_all),
                    "pass_through_high": None if is_last else _rate(n_moved_on + n_waiting, n_all),
                }
            )
    return pd.DataFrame(rows, columns=[*groups, *_COHORT_COLUMNS[1:]])


def _instants(columns: Iterable[str]) -> dict[str, str]:
    """Types for `astype`: also a column without a single value is one of instants."""
    return dict.fromkeys(columns, "datetime64[us, UTC]")


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
