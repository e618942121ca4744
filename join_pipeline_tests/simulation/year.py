"""A company's days, with one sync after the other as a schedule runs them: what may grow with age, and what not.

Belongs here: living through days, and what must hold of the lake then. Not here: what happens in a history with faults
and deaths (play), how fast a sync is at a size (benchmarks).
"""

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from join_pipeline.lake.compaction import MOST_VERSION_FILES
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.sandbox import SandboxConfig
from join_pipeline_tests.oracle.compare import differences
from join_pipeline_tests.simulation import bounds
from join_pipeline_tests.simulation.account import Account, opened
from join_pipeline_tests.simulation.cells import REMEMBERED, without_borrowed
from join_pipeline_tests.simulation.checks import ACCUMULATED
from join_pipeline_tests.simulation.history import Step
from join_pipeline_tests.simulation.memory import Memory, Span
from join_pipeline_tests.simulation.observed import Observed
from join_pipeline_tests.simulation.play import hurried, settings_for
from join_pipeline_tests.syncing import replay, run_sync

START = datetime(2025, 11, 1, 1, tzinfo=UTC)
AUTO = Step()
MOST_FILES = 1000
SAMPLE = 20
"""How many syncs are taken together to say how long one takes."""


@dataclass
class Year:
    """What was lived through. Seconds are the process's own, so that other work on the machine counts for little."""

    n_full: int = 0
    seconds: list[float] = field(default_factory=list)  # of the incremental syncs
    most_files: int = 0
    n_versions: int = 0
    n_events: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    @property
    def n_syncs(self) -> int:
        return self.n_full + len(self.seconds)

    @property
    def slowdown(self) -> float | None:
        """The last incremental syncs by the tenth and those after it; none where every sync was full."""
        if len(self.seconds) < 10:
            return None
        return statistics.median(self.seconds[-SAMPLE:]) / statistics.median(self.seconds[9 : 9 + SAMPLE])


def live(days: int, syncs_a_day: int, applications: int = 60) -> Year:
    """So many days with so many syncs each, which are full once in 24 hours; then a full one, and what must hold."""
    company = SandboxConfig(port=0, seed=11, applications=applications, jobs=6, now=START, rate_limit=None)
    year = Year()
    with (
        tempfile.TemporaryDirectory(prefix="year-") as folder,
        hurried(),
        opened(company, seed=11) as account,
    ):
        data = Path(folder)
        lake = data / "simulated" / "lake"
        for number in range(days * syncs_a_day):
            account.set_clock(START + number * timedelta(days=1) / syncs_a_day)
            began = time.process_time()
            record = _sync(account, data, AUTO)
            if record.mode == "full":
                year.n_full += 1
            else:
                year.seconds.append(time.process_time() - began)
            year.most_files = max(year.most_files, sum(path.is_file() for path in lake.rglob("*")))
            year.complaints += _overgrown(record)
        record = _sync(account, data, Step(mode="full"))
        year.n_full += 1
        year.n_versions = sum(len(rows) for name in MODELS for rows in Observed(lake).versions(name).values())
        year.complaints += [*_untrue(account, lake, record, year), *_kept_too_long(Observed(lake), record)]
        settings = settings_for(account.url, data, AUTO)
        with locked(settings.home):
            replayed = replay(settings, open_lake(lake))
        if replayed.n_different:
            year.complaints.append(f"{replayed.n_different} of {replayed.n_versions} versions differ after a replay")
    if year.most_files >= MOST_FILES:
        year.complaints.append(f"{year.most_files} files")
    return year


def _sync(account: Account, data: Path, step: Step) -> SyncRecord:
    with account.mortal.living(), account.exposing({}, step.passing, step.pages_in_flight):
        settings = settings_for(account.url, data, step)
        return run_sync(settings, step.mode, sleep=account.sleep, monotonic=account.monotonic)


def _overgrown(record: SyncRecord) -> Iterator[str]:
    for name, paths in record.files.models.items():
        if len(paths) > MOST_VERSION_FILES:
            yield f"{record.sync_id}: {len(paths)} version files of {name}"


def _untrue(account: Account, lake: Path, record: SyncRecord, year: Year) -> Iterator[str]:
    """Tables that are not what the account lists, and events outside of their bounds."""
    observed, memory = Observed(lake), Memory(account)
    memory.learn_truth()
    span = Span(record=record, step=AUTO, instants=(account.now,), hidden={"applications": frozenset()})
    memory.spans.append(span)
    memory.came["jobs"] = {row["remote_id"] for rows in observed.versions("jobs").values() for row in rows}
    memory.names_are_known()
    for model, expected in memory.tables(account.now).items():
        actual = observed.frame(model)
        if model in ACCUMULATED:  # what was seen once and is in no listing any more is kept
            actual = actual[actual["id"].isin(expected["id"])]
        wanted = expected.drop(columns=[name for name in REMEMBERED if name in expected])
        yield from (
            f"{model}: {line}"
            for line in differences(without_borrowed(model, wanted), without_borrowed(model, actual))
            if " index: " not in line  # the place of a stage is the one that was last seen, by an application now gone
        )
    yield from bounds.complaints(observed, memory, year.n_events)


def _kept_too_long(observed: Observed, record: SyncRecord) -> Iterator[str]:
    """Raw and what was set aside are kept for 14 days; people's superseded details not for much longer."""
    oldest = record.started_at - timedelta(days=14)
    for raw in observed.raw():
        # small files of a day are merged: the oldest row of one goes with its youngest
        if raw.fetched_at < oldest - timedelta(days=1):
            yield f"raw of {raw.fetched_at} is still there"
            break
    for name in ("applications", "candidates"):
        for versions in observed.versions(name).values():
            for superseded, later in pairwise(versions):
                is_kept = superseded["remote_data"] is not None
                if is_kept and later["changed_at"] < oldest - timedelta(days=30):
                    yield f"{name} {superseded['remote_id']}: details that were superseded at {later['changed_at']}"
