"""The checks of a sync, and what to do about each finding.

Belongs here: the rules and their messages. Not here: dbt's tests (dbt_project), showing findings (defs, cli).
"""

from collections.abc import Mapping
from typing import Final

from join_pipeline.checks.finding import Check, Finding, Verdict
from join_pipeline.errors import LakeError
from join_pipeline.http.server_clock import SKEW_REPORTED
from join_pipeline.lake.evolution import faults
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import Suspect, SyncRecord, paths_of
from join_pipeline.models import MODELS, Model
from join_pipeline.sources.base import Source
from join_pipeline.sources.feed import Feed

BROKEN_SHARE: Final = 0.2
"""If more than this share of a feed's records breaks the contract, the run stops: the source's API has changed."""
VOLUME_SHARE: Final = 0.2
VOLUME_COUNT: Final = 20
MOST_TOLD: Final = 12
WORDED: Final = ("applications", "jobs", "screening_questions", "job_hiring_team")
"""Models that have words of the source, of which the mapping knows a list."""

SUSPECTS: Final[Mapping[Suspect, str]] = {
    "machine": "This machine's clock seems wrong, because {title}'s time fits the last sync: set it, or let NTP do it.",
    "server": "The clock of {title} or of a proxy seems wrong.",
    "unknown": "One of the two is wrong: if it is this machine's, set it, or let NTP do it.",
    "": "",
}
"""What to say of whoever's clock seems wrong."""

APPLICATIONS: Final = "raw/applications"


def sync_checks(source: Source) -> list[Check]:
    """The checks of every sync of a source."""
    return [
        *(
            Check(
                f"raw/{feed.name}", "contract", "Records that break the contract; more than a fifth stop the run", True
            )
            for feed in source.feeds
        ),
        *(
            Check(f"raw/{feed.name}", "guard", "No sudden loss of known records; the sync keeps them if there is one")
            for feed in source.feeds
            if not feed.is_reference
        ),
        Check(APPLICATIONS, "announced", f"{source.since_word} announces every change; if not, syncs are full"),
        Check(APPLICATIONS, "clock", f"This machine's clock is at most five minutes off {source.title}'s"),
        *(Check(f"models/{model}", "schema", "Every file has the declared columns", True) for model in MODELS),
        *(Check(f"models/{model}", "volume", "Live records did not fall by more than a fifth") for model in MODELS),
        *(
            Check(f"raw/{feed.name}", "shapes", f"Every part has the shape that {source.title} documents")
            for feed in source.feeds
            if not feed.is_reference
        ),
        *(
            Check(f"models/{model}", "known_words", f"The mapping knows all of {source.title}'s words and fields")
            for model in WORDED
        ),
    ]


def check_sync(source: Source, lake: Lake, record: SyncRecord, previous: SyncRecord | None) -> list[Finding]:
    """Check a sync: guard and contract of each feed, announcements, clock; schema, volume and words of each model.

    `previous` is the sync before, or None. Returns a finding for every check of `sync_checks`.
    """
    findings = [_clock(source, record)]
    for feed in source.feeds:
        findings.append(_contract(source, feed, record))
        if not feed.is_reference:
            findings += [_guard(source, feed.name, record), _shapes(source, feed.name, record)]
    findings.append(_announced(source, record))
    for model in MODELS.values():
        findings += [_schema(lake, model, record), _volume(source, model.name, record, previous)]
        if model.name in WORDED:
            findings.append(_words(source, model.name, record))
    return findings


def _finding(
    about: str, check: str, message: str, figures: Mapping[str, float] | None = None, *, is_grave: bool = False
) -> Finding:
    """A finding that is ok without a message, failed if it `is_grave`, and otherwise a warning."""
    verdict: Verdict = "ok" if not message else "failed" if is_grave else "warning"
    return Finding(check, verdict, message, about, figures or {})


def _clock(source: Source, record: SyncRecord) -> Finding:
    skew, heard = record.clock_skew_seconds, record.clock
    again = "`join-pipeline doctor` checks it again."
    message = ""
    if not heard.is_believed:
        message = (
            f"This machine's clock and the dates of {source.title}'s answers are {abs(skew):.0f} s apart. "
            f"{SUSPECTS[heard.suspect].format(title=source.title)} The sync used this machine's clock. {again}"
        )
    elif heard.n_astray:
        message = (
            f"{heard.n_astray} of {heard.n_dated} answers of {source.title} have a date that differs from the others' "
            f"by more than five minutes. They were not believed: a clock at {source.title} or at a proxy is wrong. "
            f"{again}"
        )
    elif abs(skew) > SKEW_REPORTED.total_seconds():
        message = (
            f"This machine's clock is {abs(skew):.0f} s off {source.title}'s. Syncs use {source.title}'s time, "
            f"schedules use this machine's. Set this clock, or let NTP do it; {again}"
        )
    return _finding(APPLICATIONS, "clock", message, {"seconds": round(skew)})


def _lost(feed: Feed, record: SyncRecord) -> str:
    """A sentence about the files of a feed that the sync dropped; raw/applications tells those of no feed, too."""
    feeds = {lost: lost.path.split("/")[1] for lost in record.lost}
    mine = [
        lost
        for lost, of in feeds.items()
        if of == feed.name or (feed.name == "applications" and of not in record.feeds)
    ]
    if not mine:
        return ""
    return (
        f"The sync dropped what it could do without: {'; '.join(map(str, mine))}. No version is lost. Run "
        "`join-pipeline doctor --lake`, because the disk may be failing."
    )


def _guard(source: Source, feed: str, record: SyncRecord) -> Finding:
    objections = [objection for objection in record.objections if objection.feed == feed]
    message = "; ".join(map(str, objections))
    if objections:
        message += (
            f". The sync kept what was known. If the records are really gone from {source.title}, accept the loss: "
            f"`join-pipeline sync --mode full --accept-loss {feed}`, or launch the job sync_full with "
            f"`accept_loss: [{feed}]`."
        )
    return _finding(f"raw/{feed}", "guard", message, is_grave=True)


def _announced(source: Source, record: SyncRecord) -> Finding:
    unannounced = record.last_full.n_unannounced if record.last_full else 0
    message = (
        f"The last full sync found {unannounced} changes that {source.since_word} had not announced. Until a full "
        "sync finds none, every sync in mode auto is full: it takes longer and misses nothing. Leave the mode at auto; "
        "`join-pipeline sync --mode full` checks it again now."
    )
    return _finding(APPLICATIONS, "announced", message if unannounced else "", {"unannounced": unannounced})


def _contract(source: Source, feed: Feed, record: SyncRecord) -> Finding:
    about, figures, lost = f"raw/{feed.name}", record.feeds.get(feed.name), _lost(feed, record)
    # a reference list is one response, so it is whole or absent
    if figures is None or (feed.is_reference and not figures.is_whole):
        message = (
            f"{source.title} did not offer the list, or answered with something else, so the last known names stay in "
            "force. The next sync asks for it again. `join-pipeline doctor` shows what the credentials may read."
        )
        return _finding(about, "contract", " ".join(filter(None, [message, lost])))
    if not figures.quarantined:
        return _finding(about, "contract", lost)
    where = next(iter(paths_of(record.files.quarantine.get(feed.name, [])[-1:])), "no file")
    message = (
        f"{figures.quarantined} of {figures.records + figures.looks} records broke the contract and were set aside "
        f"({where} in the lake, with reasons). Correct them in {source.title} or upgrade join-pipeline, and then "
        "read them again: `join-pipeline sync --mode full`."
    )
    return _finding(
        about,
        "contract",
        " ".join(filter(None, [message, lost])),
        {"quarantined": figures.quarantined},
        is_grave=figures.quarantined > BROKEN_SHARE * (figures.records + figures.looks),
    )


def _words(source: Source, model: str, record: SyncRecord) -> Finding:
    unknown = {name: n for name, n in record.unknown.items() if name.startswith(f"{model}.")}
    listed = ", ".join(f"{name} ({n})" for name, n in unknown.items())
    sent = f"{source.title} sent words or fields that the mapping does not know: {listed}"
    message = (
        f"{sent}. The raw payloads keep them. Upgrade join-pipeline, then run `join-pipeline rebuild --from raw`: it "
        "maps them with the words that the new release knows."
    )
    return _finding(f"models/{model}", "known_words", message if unknown else "", unknown)


def _shapes(source: Source, feed: str, record: SyncRecord) -> Finding:
    odd = {name: n for name, n in record.odd.items() if name.startswith(f"{feed}.")}
    return _finding(f"raw/{feed}", "shapes", told_odd(source, odd) if odd else "", odd)


def told_odd(source: Source, odd: Mapping[str, int]) -> str:
    """A sentence about the parts that had an unexpected shape. It names them and shows no value."""
    listed = ", ".join(f"{name} {n}x" for name, n in sorted(odd.items(), key=lambda one: -one[1])[:MOST_TOLD])
    rest = f" and {len(odd) - MOST_TOLD} more" if len(odd) > MOST_TOLD else ""
    return (
        f"{source.title} sent parts of an unexpected shape: {listed}{rest}. They are null, or their text where the"
        f" column is text, and the raw payloads keep them. Correct them in {source.title}, or"
        " upgrade join-pipeline and run `join-pipeline rebuild --from raw`."
    )


def _schema(lake: Lake, model: Model, record: SyncRecord) -> Finding:
    """Whether every file has the columns that the model declares, because the load must not guess."""
    about, versions = f"models/{model.name}", record.files.models.get(model.name, [])
    try:
        differences = faults(lake.path, model, versions, record.files.personal.get(model.name, []))
    except LakeError as error:
        return _finding(about, "schema", f"{error} Then run `join-pipeline build`.", {"differences": 1}, is_grave=True)
    message = ", ".join(sorted(f"{fault.value} is in a file" for fault in differences))
    if differences:
        message += ". The next `join-pipeline build` rewrites it."
    return _finding(about, "schema", message, {"differences": len(differences)}, is_grave=True)


def _volume(source: Source, model: str, record: SyncRecord, previous: SyncRecord | None) -> Finding:
    now = record.models[model].live
    before = previous.models[model].live if previous and model in previous.models else 0
    lost = before - now
    is_ok = lost < VOLUME_COUNT or lost <= VOLUME_SHARE * before
    message = (
        f"{before} records were live before this sync, {now} are now. Check in {source.title} that they are really "
        "gone. If they are not, `join-pipeline sync --mode full` reads them again."
    )
    return _finding(f"models/{model}", "volume", "" if is_ok else message, {"before": before, "now": now})
