"""Checks: what a sync and a load found that a user should know, and what to do about it.

Belongs here: the rules, and their words. Not here: what dbt tests (dbt_project), what shows them (defs, cli).
Grave ones stop what comes after; the others tell and let go on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import duckdb

from join_pipeline.errors import LakeError
from join_pipeline.http.server_clock import SKEW_REPORTED
from join_pipeline.lake.evolution import faults
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import SyncRecord, paths_of
from join_pipeline.models import MODELS, Model
from join_pipeline.sources.base import Source
from join_pipeline.sources.feeds import FeedSpec

BROKEN_SHARE: Final = 0.2
"""A feed of which more than this share breaks the contract is not to be built on: JOIN's answers have changed."""
VOLUME_SHARE: Final = 0.2
VOLUME_COUNT: Final = 20
WORDED: Final = ("applications", "jobs", "screening_questions", "job_hiring_team")
"""Models with JOIN's own words in them, of which the mapping knows a list."""

REFERENCES: Final = {
    "jobs": {"contact_id": "users"},
    "applications": {
        "current_stage_id": "application_stages",
        "job_id": "jobs",
        "candidate_id": "candidates",
    },
    "candidate_tags": {"candidate_id": "candidates", "tag_id": "tags"},
    "job_application_stages": {"job_id": "jobs", "stage_id": "application_stages"},
    "job_screening_questions": {
        "job_id": "jobs",
        "question_id": "screening_questions",
        "precondition_question_id": "screening_questions",
    },
    "job_hiring_team": {"job_id": "jobs", "user_id": "users"},
}
"""By model and column, the model whose `id` it holds."""


@dataclass(frozen=True, slots=True)
class Check:
    """A rule about an asset, by its path (`raw/<feed>`, …). What `stops` is not built on when it is broken."""

    about: str
    name: str
    doc: str
    stops: bool = False


APPLICATIONS: Final = "raw/applications"
LOAD_CHECKS: Final = tuple(Check(f"ats/{model}", "references", "Every id leads to a row") for model in REFERENCES)


def sync_checks(source: Source) -> list[Check]:
    """What is checked of each sync of a source."""
    return [
        *(
            Check(
                f"raw/{feed.name}", "contract", "Records that break the contract; more than a fifth stop the run", True
            )
            for feed in source.feeds
        ),
        *(
            Check(f"raw/{feed.name}", "guard", "A sudden loss of known records: what was known is then kept")
            for feed in source.feeds
            if not feed.is_reference
        ),
        Check(APPLICATIONS, "announced", f"{source.since_word} announces every change: else full syncs are taken"),
        Check(APPLICATIONS, "clock", f"This machine's clock is at most five minutes off {source.title}'s"),
        *(Check(f"models/{model}", "schema", "Every file has the declared columns", True) for model in MODELS),
        *(Check(f"models/{model}", "volume", "Live records did not fall by more than a fifth") for model in MODELS),
        *(
            Check(f"models/{model}", "known_words", f"{source.title}'s words and fields are all known")
            for model in WORDED
        ),
    ]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `message` says why, and what to do, with a command; what is not grave only warns."""

    about: str
    check: str
    is_ok: bool
    message: str
    is_grave: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)


def check_sync(source: Source, lake: Lake, record: SyncRecord, previous: SyncRecord | None) -> list[Finding]:
    """Guard and contract by feed, announcements and clock; schema, volume and unknown words by model."""
    findings = [_clock(source, record)]
    for feed in source.feeds:
        findings.append(_contract(source, feed, record))
        if not feed.is_reference:
            findings.append(_guard(source, feed.name, record))
    findings.append(_announced(source, record))
    for model in MODELS.values():
        findings += [_schema(lake, model, record), _volume(model.name, record, previous)]
        if model.name in WORDED:
            findings.append(_words(source, model.name, record))
    return findings


def check_references(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Ids in `ats` of live records that lead nowhere."""
    findings = []
    for model, columns in REFERENCES.items():
        counts = ", ".join(
            f"count(*) FILTER ({column} IS NOT NULL AND {column} NOT IN (SELECT id FROM ats.{target}))"
            for column, target in columns.items()
        )
        row = con.execute(f"SELECT {counts} FROM ats.{model} WHERE remote_deleted_at IS NULL").fetchall()[0]
        figures = dict(zip(columns, row, strict=True))
        dangling = ", ".join(f"{column} in {n} rows" for column, n in figures.items() if n)
        message = (
            f"Ids that lead nowhere: {dangling}. `join-pipeline sync --mode full` brings what is missing; if it does "
            "not, report it."
        )
        findings.append(
            Finding(f"ats/{model}", "references", not dangling, message if dangling else "", figures=figures)
        )
    return findings


def _clock(source: Source, record: SyncRecord) -> Finding:
    skew = record.clock_skew_seconds
    is_ok = abs(skew) <= SKEW_REPORTED.total_seconds()
    message = (
        f"This machine's clock is {abs(skew):.0f} s off {source.title}'s. Syncs use {source.title}'s time, schedules "
        "use this machine's: set it, or let NTP do it; `join-pipeline doctor` looks again."
    )
    return Finding(APPLICATIONS, "clock", is_ok, "" if is_ok else message, figures={"seconds": round(skew)})


def _guard(source: Source, feed: str, record: SyncRecord) -> Finding:
    objections = [objection for objection in record.objections if objection.feed == feed]
    message = "; ".join(map(str, objections))
    if objections:
        message += (
            f". What was known is kept. If {source.title} really lost them, accept it: `join-pipeline sync --mode full "
            f"--accept-loss {feed}`, or launch the job sync_full with `accept_loss: [{feed}]`."
        )
    return Finding(f"raw/{feed}", "guard", not objections, message, is_grave=True)


def _announced(source: Source, record: SyncRecord) -> Finding:
    unannounced = record.last_full.n_unannounced if record.last_full else 0
    message = (
        f"The last full sync found {unannounced} changes that {source.since_word} had not announced. Until a full one "
        "finds none, every sync in mode auto is full: it takes longer, and misses nothing. Leave the mode at auto; "
        "`join-pipeline sync --mode full` looks again now."
    )
    figures = {"unannounced": unannounced}
    return Finding(APPLICATIONS, "announced", not unannounced, message if unannounced else "", figures=figures)


def _contract(source: Source, feed: FeedSpec, record: SyncRecord) -> Finding:
    about, figures = f"raw/{feed.name}", record.feeds.get(feed.name)
    # a reference list came in one answer, or not at all
    if figures is None or (feed.is_reference and not figures.is_whole):
        message = (
            f"{source.title} did not offer the list; the last known names hold. The next sync asks again: "
            "`join-pipeline doctor` tells what the token may read."
        )
        return Finding(about, "contract", False, message)
    if not figures.quarantined:
        return Finding(about, "contract", True, "")
    where = next(iter(paths_of(record.files.quarantine.get(feed.name, [])[-1:])), "no file")
    message = (
        f"{figures.quarantined} of {figures.records + figures.looks} records broke the contract and were set aside "
        f"({where} in the lake, with reasons). Mend them in JOIN or upgrade join-pipeline; the next sync that lists "
        "them takes them: `join-pipeline sync --mode full`."
    )
    return Finding(
        about,
        "contract",
        False,
        message,
        is_grave=figures.quarantined > BROKEN_SHARE * (figures.records + figures.looks),
        figures={"quarantined": figures.quarantined},
    )


def _words(source: Source, model: str, record: SyncRecord) -> Finding:
    unknown = {name: n for name, n in record.unknown.items() if name.startswith(f"{model}.")}
    listed = ", ".join(f"{name} ({n})" for name, n in unknown.items())
    sent = f"{source.title} sent words or fields that are not known: {listed}"
    message = (
        f"{sent}. They are kept as they came; upgrade join-pipeline, then `join-pipeline rebuild --from raw` reads "
        "them with the words that it knows by then."
    )
    return Finding(f"models/{model}", "known_words", not unknown, message if unknown else "", figures=unknown)


def _schema(lake: Lake, model: Model, record: SyncRecord) -> Finding:
    """Whether every file can be read as the model is declared: load must not guess."""
    name = model.name
    try:
        differences = faults(lake.path, model, record.files.models.get(name, []), record.files.personal.get(name, []))
    except LakeError as error:
        message = f"{error} Then run `join-pipeline build`."
        return Finding(f"models/{name}", "schema", False, message, is_grave=True, figures={"differences": 1})
    message = ", ".join(sorted(f"{fault.value} is in a file" for fault in differences))
    if differences:
        message += ". The next `join-pipeline build` writes it anew."
    figures = {"differences": len(differences)}
    return Finding(f"models/{name}", "schema", not differences, message, is_grave=True, figures=figures)


def _volume(model: str, record: SyncRecord, previous: SyncRecord | None) -> Finding:
    now = record.models[model].live
    before = previous.models[model].live if previous and model in previous.models else 0
    lost = before - now
    is_ok = lost < VOLUME_COUNT or lost <= VOLUME_SHARE * before
    message = (
        f"{before} were live before this sync, {now} are now. Check in JOIN that they are really gone; if they are "
        "not, `join-pipeline sync --mode full` reads them again."
    )
    return Finding(f"models/{model}", "volume", is_ok, "" if is_ok else message, figures={"before": before, "now": now})
