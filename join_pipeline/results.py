"""What the pipeline's steps return.

Belongs here: types. Not here: the steps (pipeline).
"""

from dataclasses import dataclass

from join_pipeline.checks.finding import Finding
from join_pipeline.lake.record import SyncRecord
from join_pipeline.report.write import Report
from join_pipeline.sync.replay import Replayed
from join_pipeline.transform.run import Node
from join_pipeline.warehouse.load import LoadedTable
from join_pipeline.warehouse.outcome import Outcome
from join_pipeline.warehouse.publish import Published


@dataclass(frozen=True, slots=True)
class Synced:
    """The committed sync and the findings of its checks."""

    record: SyncRecord
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The loaded models, the row count of each table (`ats.jobs`, `ats_history.jobs`, …), and the checks' findings."""

    tables: list[LoadedTable]
    rows: dict[str, int]
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Modelled:
    """The result of each dbt node, and the row count of each dbt model and seed by its unique id."""

    nodes: list[Node]
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Built:
    """The results of a whole build, with what was published before and after it.

    If nothing had changed since the last build, these are that one's results, and `is_unchanged` says so. `report` is
    None where the extra of that name is not installed, `replayed` where nothing was asked to be mapped again.
    """

    tables: list[LoadedTable]
    nodes: list[Node]
    published: Published
    report: Report | None
    before: Outcome | None = None
    after: Outcome | None = None
    is_unchanged: bool = False
    replayed: Replayed | None = None
