"""What a pipeline can know: what arrived so far, what was hidden, what was broken, and what was there when.

Belongs here: the judge's own account of a history, fed from kept raw and from the sandbox's truth, never from versions.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from join_pipeline.lake.record import SyncRecord
from join_pipeline_tests.oracle.identifiers import unified_id
from join_pipeline_tests.oracle.questions import asked_questions
from join_pipeline_tests.oracle.tables import expected_tables
from join_pipeline_tests.oracle.truth import Timeline, timelines
from join_pipeline_tests.oracle.values import instant
from join_pipeline_tests.oracle.words import JOB_STATUS
from join_pipeline_tests.oracle.world import World
from join_pipeline_tests.simulation.account import Account
from join_pipeline_tests.simulation.cells import cells_of
from join_pipeline_tests.simulation.history import Step
from join_pipeline_tests.simulation.observed import Identity, Observed, RawRecord, Row

INTEGRATION = "join:simulated"
# a record that lacks one of these is read, and null where the key was
DUE = {
    "applications": {"createdAt", "lastUpdatedAt", "currentStage", "job", "candidate"},
    "jobs": {"title", "status", "createdAt", "lastUpdatedAt"},
}
REFERENCES = ("categories", "employment_types", "seniority_levels")


@dataclass(frozen=True)
class Span:
    """One committed sync: its record, the instants at which its requests were answered, what was hidden from it."""

    record: SyncRecord
    step: Step
    instants: tuple[datetime, ...]
    hidden: dict[str, frozenset[int]]
    is_resumed: bool = False
    spoils: bool = False
    died_after_commit: bool = False
    is_set_back: bool = False

    def likely_instants(self, most: int = 60) -> list[datetime]:
        """First the end and the start, then some between: a record has the content of one of them."""
        between = self.instants[1:-1]
        stride = max(1, len(between) // most)
        return list(dict.fromkeys((self.instants[-1], self.instants[0], *between[::stride])))


@dataclass
class Memory:
    """Everything up to the last committed sync."""

    account: Account
    came: dict[str, set[str]] = field(default_factory=lambda: {"applications": set(), "jobs": set()})
    tainted: dict[str, set[str]] = field(default_factory=lambda: {"applications": set(), "jobs": set()})
    named: dict[str, set[int]] = field(default_factory=lambda: {feed: set() for feed in REFERENCES})
    misread: set[str] = field(default_factory=set)  # applications that came once with another stage or state than true
    veils: list[tuple[datetime, frozenset[str]]] = field(default_factory=list)  # which were hidden from when on
    excused: set[str] = field(default_factory=set)
    was_odd: bool = False  # records had odd parts, and what they named is remembered
    is_honest: bool = True  # nothing happened that lastUpdatedAt can't have announced
    spans: list[Span] = field(default_factory=list)
    _stage_index: dict[tuple[str, str], int | None] = field(default_factory=dict)
    _asked: set[tuple[str, str]] = field(default_factory=set)
    _status: dict[str, str] = field(default_factory=dict)
    _opened: dict[str, datetime | None] = field(default_factory=dict)
    _lines: dict[str, Timeline] = field(default_factory=dict)
    _gone_jobs: dict[str, list[tuple[datetime, bool]]] = field(default_factory=dict)
    _tables: dict[Hashable, dict[str, pd.DataFrame]] = field(default_factory=dict)
    _expected: dict[tuple[int, str], dict[str, Row]] = field(default_factory=dict)
    _is_blind: bool = False

    def __post_init__(self) -> None:
        self.is_honest = self.announces

    @property
    def announces(self) -> bool:
        return self.account.config.announces_changes

    # What came

    def take(self, after: Observed, span: Span) -> None:
        """Take note of a committed sync, before it is judged."""
        self.spans.append(span)
        self.learn_truth()
        hidden = {str(key) for key in span.hidden["applications"]}
        self.excused |= hidden
        self._is_blind = self._is_blind or span.is_set_back
        if span.spoils or hidden or span.is_set_back:
            self.is_honest = False
        raw = list(after.raw(span.record.sync_id))
        broken = set(after.quarantined(span.record.sync_id))
        good = [r for r in raw if r.payload is not None and r.identity not in broken]
        self._note_taint(span, raw, broken)
        self.was_odd = self.was_odd or bool(self.account.odd)
        for record in good:
            self.came[record.feed].add(str(record.key))
        good = [r for r in good if str(r.key) not in self.account.odd]
        self.misread |= {str(r.payload["id"]) for r in good if r.feed == "applications" and _is_misread(r.payload)}
        self.misread |= self.account.odd.keys()
        for feed, named in self.named.items():
            for entry in after.listed_references(feed, span.record.sync_id):
                if "id" in entry:
                    named |= {one["id"] for one in (entry, *entry.get("subCategories", ())) if "name" in one}
        jobs_last = {str(r.payload["id"]): r.payload for r in sorted(good, key=_when) if r.feed == "jobs"}
        for key, payload in jobs_last.items():
            self._note_opening(key, payload, span)
        for record in good:
            self._note_links(record)
        live_jobs = {row["remote_id"] for row in after.current("jobs")}
        self._stage_index = {pair: n for pair, n in self._stage_index.items() if pair[0] in live_jobs}
        self._asked = {pair for pair in self._asked if pair[0] in live_jobs}

    def forget_excuses(self, span: Span) -> None:
        """A whole listing shows whatever has come back, and whatever was missed."""
        record = span.record
        if record.mode == "full" and record.verdict == "committed" and not record.pending:
            self.excused &= {str(key) for key in span.hidden["applications"]}
            self._is_blind = self._is_blind and span.is_set_back

    def names_are_known(self) -> None:
        """All names of the reference lists came once."""
        world = self.account.read()
        for feed, named in self.named.items():
            for entry in getattr(world, feed):
                named |= {one["id"] for one in (entry, *entry.get("subCategories", ()))}

    def _note_taint(self, span: Span, raw: Iterable[RawRecord], broken: set[Identity]) -> None:
        for record in sorted(raw, key=_when):
            key, tainted = str(record.key), self.tainted[record.feed]
            if record.payload is None:
                tainted.discard(key)
                continue
            text = str(record.payload)
            spoilt = record.identity in broken or "ON_HOLD" in text or "talentScore" in text
            spoilt = spoilt or key in self.account.odd or not record.payload.keys() >= DUE[record.feed]
            if spoilt or (record.feed == "applications" and self._lacks_state(record.payload)):
                tainted.add(key)
            else:
                tainted.discard(key)
        # a record that lost its own id can't be told from others
        if any(key is None for _, key, _, _ in broken):
            self.tainted["applications"].add("unknown")
        elif span.record.mode == "full":
            self.tainted["applications"].discard("unknown")

    def _lacks_state(self, payload: dict[str, Any]) -> bool:
        """True if it lost one of the two names of its state: the other one is enough to read it."""
        return not payload.keys() >= {*self.account.config.state_keys}

    def _note_opening(self, key: str, payload: dict[str, Any], span: Span) -> None:
        word = payload.get("status")
        status = self._status.get(key) if word is None else JOB_STATUS.get(word, word)
        if status is None:
            return
        if self._opened.get(key) is None and status != "DRAFT":
            was_draft = self._status.get(key) == "DRAFT"
            self._opened[key] = span.record.started_at if was_draft else instant(payload.get("createdAt"))
        self._status[key] = status

    def _note_links(self, record: RawRecord) -> None:
        payload = record.payload
        if record.feed == "applications":
            asked = asked_questions([payload], [])
            if payload.get("job") and payload.get("currentStage"):
                pair = str(payload["job"]["id"]), str(payload["currentStage"]["id"])
                self._stage_index[pair] = payload["currentStage"].get("index")
        else:
            asked = asked_questions([], [payload])
        self._asked |= {(job, question.key) for job, question in asked if job is not None}

    def accumulated(self, model: str) -> set[str]:
        """Remote ids of what stays once it was seen, as long as its job is there."""
        match model:
            case "job_application_stages":
                return {f"{job}/{stage}" for job, stage in self._stage_index}
            case "job_screening_questions":
                return {f"{job}/{key}" for job, key in self._asked}
            case "application_stages":
                return {stage for _, stage in self._stage_index}
            case _:
                return {key for _, key in self._asked}

    def global_index(self, stage: str) -> int | None:
        known = [n for (_, one), n in self._stage_index.items() if one == stage and n is not None]
        return max(known, default=None)

    def opened_at(self, job: str) -> datetime | None:
        return self._opened.get(job)

    # What was there

    def learn_truth(self) -> None:
        """What has happened up to now."""
        events = self.account.truth()
        self._lines = {line.application: line for line in timelines(events)}
        self._gone_jobs = {}
        for event in events:
            kind, key = event["record"].split("/")
            if kind == "jobs" and event["type"] in ("CREATED", "DELETED"):
                at = datetime.fromisoformat(event["at"])
                self._gone_jobs.setdefault(key, []).append((at, event["type"] == "CREATED"))

    def applications(self) -> Iterable[str]:
        return self._lines

    def line(self, key: str) -> Timeline:
        return self._lines[key]

    def exists(self, model: str, key: str, at: datetime, span: Span) -> bool:
        """Whether the account would have shown it then."""
        if int(key) in span.hidden[model]:
            return False
        if model == "jobs":
            told = [is_there for moment, is_there in self._gone_jobs.get(key, []) if moment <= at]
            return bool(told) and told[-1]
        state = self._lines[key].state_at(at) if key in self._lines else None
        return state is not None and not state.is_deleted

    def is_shifty(self, key: str, span: Span) -> bool:
        """Whether it came or went by the fault `shifting` in this very sync: at one instant it may be both."""
        if int(key) <= self.account.world.company.n_applications or key not in self._lines:
            return False
        return any(span.instants[0] <= state.at <= span.instants[-1] for state in self._lines[key].states)

    def was_there_last_time(self, key: str) -> bool:
        """Whether the sync before could have listed it all the time."""
        if len(self.spans) < 2 or key not in self._lines:
            return False
        span = self.spans[-2]
        is_whole = span.record.feeds["applications"].is_whole
        return is_whole and all(self.exists("applications", key, at, span) for at in span.instants)

    def is_trusted(self, span: Span) -> bool:
        """Whether the clock was never set back since a full sync: else nobody knows what was updated since when."""
        return span.record.mode == "full" or not self._is_blind

    def expected(self, at: datetime, model: str) -> dict[str, Row]:
        """What is expected then, as cells by id."""
        tables = self.tables(at)
        key = id(tables), model
        if key not in self._expected:
            self._expected[key] = cells_of(model, tables[model])
        return self._expected[key]

    def tables(self, at: datetime) -> dict[str, pd.DataFrame]:
        """What a pipeline that knows what came so far makes of what the account lists then."""
        world = self.account.read(at)
        # a job that was known and is gone is deleted, though applications may still name it
        gone = frozenset(key for key in world.lost_jobs if str(key) in self.came["jobs"])
        key = id(world), gone, sum(map(len, self.named.values()))
        if key not in self._tables:
            self._tables[key] = self._made(self._with_known_names(world), gone)
        return self._tables[key]

    def _made(self, world: World, gone: frozenset[int]) -> dict[str, pd.DataFrame]:
        lost = tuple(key for key in world.lost_jobs if key not in gone)
        tables = expected_tables(replace(world, lost_jobs=lost), INTEGRATION)
        gone_ids = [unified_id(INTEGRATION, "jobs", str(key)) for key in gone]
        for model in ("job_application_stages", "job_screening_questions"):
            tables[model] = tables[model][~tables[model]["job_id"].isin(gone_ids)]
        questions, links = tables["screening_questions"], tables["job_screening_questions"]
        tables["screening_questions"] = questions[questions["id"].isin(links["question_id"])]
        return tables

    def _with_known_names(self, world: World) -> World:
        """The world without names that never came: an entry may lack its name from the first list on.

        A name that came once is expected for ever: names that fail to load fall back to the last known ones.
        """

        def known(feed: str, entries: Iterable[Any]) -> tuple[Any, ...]:
            return tuple(entry for entry in entries if entry["id"] in self.named[feed])

        categories = tuple(
            entry | {"subCategories": list(known("categories", entry["subCategories"]))} for entry in world.categories
        )
        return replace(
            world,
            categories=categories,
            employment_types=known("employment_types", world.employment_types),
            seniority_levels=known("seniority_levels", world.seniority_levels),
        )


def _is_misread(payload: dict[str, Any]) -> bool:
    """Whether a spoiled record still passes for one, with a stage or a state that it does not have."""
    states = [payload[key] for key in ("state", "hiringState") if key in payload]
    return not states or "ON_HOLD" in states or "currentStage" not in payload


def _when(record: RawRecord) -> datetime:
    return record.fetched_at


def spans_of(instants: Sequence[datetime], started_at: datetime) -> tuple[datetime, ...]:
    """The instants of a sync that began then; the server tells whole seconds."""
    later = tuple(at for at in instants if at >= started_at - timedelta(seconds=2))
    return later or tuple(instants[-1:])
