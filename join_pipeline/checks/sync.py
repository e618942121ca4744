"""What a sync is checked for, and what to do about it.

Belongs here: the rules, and their words. Not here: what dbt tests (dbt_project), what shows findings (defs, cli).
"""

from collections.abc import Mapping
from typing import Final

from join_pipeline.checks.finding import Check, Finding, Verdict
from join_pipeline.errors import LakeError
from join_pipeline.http.server_clock import SKEW_REPORTED
from join_pipeline.lake.evolution import faults
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import SyncRecord, paths_of
from join_pipeline.models import MODELS, Model
from join_pipeline.sources.base import Source
from join_pipeline.sources.feed import Feed

BROKEN_SHARE: Final = 0.2
"""A feed of which more than this share breaks the contract is not to be built on: the answers have changed."""
VOLUME_SHARE: Final = 0.2
VOLUME_COUNT: Final = 20
WORDED: Final = ("applications", "jobs", "screening_questions", "job_hiring_team")
"""Models with the source's own words in them, of which the mapping knows a list."""

APPLICATIONS: Final = "raw/applications"


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


def check_sync(source: Source, lake: Lake, record: SyncRecord, previous: SyncRecord | None) -> list[Finding]:
    """Guard and contract by feed, announcements and clock; schema, volume and unknown words by model."""
    findings = [_clock(source, record)]
    for feed in source.feeds:
        findings.append(_contract(source, feed, record))
        if not feed.is_reference:
            findings.append(_guard(source, feed.name, record))
    findings.append(_announced(source, record))
    for model in MODELS.values():
        findings += [_schema(lake, model, record), _volume(source, model.name, record, previous)]
        if model.name in WORDED:
            findings.append(_words(source, model.name, record))
    return findings


def _finding(
    about: str, check: str, message: str, figures: Mapping[str, float] | None = None, *, is_grave: bool = False
) -> Finding:
    """What a check found: no message is nothing, one that is not grave only warns."""
    verdict: Verdict = "ok" if not message else "failed" if is_grave else "warning"
    return Finding(check, verdict, message, about, figures or {})


def _clock(source: Source, record: SyncRecord) -> Finding:
    skew = record.clock_skew_seconds
    is_ok = abs(skew) <= SKEW_REPORTED.total_seconds()
    message = (
        f"This machine's clock is {abs(skew):.0f} s off {source.title}'s. Syncs use {source.title}'s time, schedules "
        "use this machine's: set it, or let NTP do it; `join-pipeline doctor` looks again."
    )
    figures = {"seconds": round(skew)}
    return _finding(APPLICATIONS, "clock", "" if is_ok else message, figures)


def _guard(source: Source, feed: str, record: SyncRecord) -> Finding:
    objections = [objection for objection in record.objections if objection.feed == feed]
    message = "; ".join(map(str, objections))
    if objections:
        message += (
            f". What was known is kept. If {source.title} really lost them, accept it: `join-pipeline sync --mode full "
            f"--accept-loss {feed}`, or launch the job sync_full with `accept_loss: [{feed}]`."
        )
    return _finding(f"raw/{feed}", "guard", message, is_grave=True)


def _announced(source: Source, record: SyncRecord) -> Finding:
    unannounced = record.last_full.n_unannounced if record.last_full else 0
    message = (
        f"The last full sync found {unannounced} changes that {source.since_word} had not announced. Until a full one "
        "finds none, every sync in mode auto is full: it takes longer, and misses nothing. Leave the mode at auto; "
        "`join-pipeline sync --mode full` looks again now."
    )
    return _finding(APPLICATIONS, "announced", message if unannounced else "", {"unannounced": unannounced})


def _contract(source: Source, feed: Feed, record: SyncRecord) -> Finding:
    about, figures = f"raw/{feed.name}", record.feeds.get(feed.name)
    # a reference list came in one answer, or not at all
    if figures is None or (feed.is_reference and not figures.is_whole):
        message = (
            f"{source.title} did not offer the list; the last known names hold. The next sync asks again: "
            "`join-pipeline doctor` tells what the credentials may read."
        )
        return _finding(about, "contract", message)
    if not figures.quarantined:
        return _finding(about, "contract", "")
    where = next(iter(paths_of(record.files.quarantine.get(feed.name, [])[-1:])), "no file")
    message = (
        f"{figures.quarantined} of {figures.records + figures.looks} records broke the contract and were set aside "
        f"({where} in the lake, with reasons). Mend them in {source.title} or upgrade join-pipeline; the next sync "
        "that lists them takes them: `join-pipeline sync --mode full`."
    )
    return _finding(
        about,
        "contract",
        message,
        {"quarantined": figures.quarantined},
        is_grave=figures.quarantined > BROKEN_SHARE * (figures.records + figures.looks),
    )


def _words(source: Source, model: str, record: SyncRecord) -> Finding:
    unknown = {name: n for name, n in record.unknown.items() if name.startswith(f"{model}.")}
    listed = ", ".join(f"{name} ({n})" for name, n in unknown.items())
    sent = f"{source.title} sent words or fields that are not known: {listed}"
    message = (
        f"{sent}. They are kept as they came; upgrade join-pipeline, then `join-pipeline rebuild --from raw` reads "
        "them with the words that it knows by then."
    )
    return _finding(f"models/{model}", "known_words", message if unknown else "", unknown)


def _schema(lake: Lake, model: Model, record: SyncRecord) -> Finding:
    """Whether every file can be read as the model is declared: load must not guess."""
    about, versions = f"models/{model.name}", record.files.models.get(model.name, [])
    try:
        differences = faults(lake.path, model, versions, record.files.personal.get(model.name, []))
    except LakeError as error:
        return _finding(about, "schema", f"{error} Then run `join-pipeline build`.", {"differences": 1}, is_grave=True)
    message = ", ".join(sorted(f"{fault.value} is in a file" for fault in differences))
    if differences:
        message += ". The next `join-pipeline build` writes it anew."
    return _finding(about, "schema", message, {"differences": len(differences)}, is_grave=True)


def _volume(source: Source, model: str, record: SyncRecord, previous: SyncRecord | None) -> Finding:
    now = record.models[model].live
    before = previous.models[model].live if previous and model in previous.models else 0
    lost = before - now
    is_ok = lost < VOLUME_COUNT or lost <= VOLUME_SHARE * before
    message = (
        f"{before} were live before this sync, {now} are now. Check in {source.title} that they are really gone; if "
        "they are not, `join-pipeline sync --mode full` reads them again."
    )
    return _finding(f"models/{model}", "volume", "" if is_ok else message, {"before": before, "now": now})
