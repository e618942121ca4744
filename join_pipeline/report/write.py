"""Write the report: read the published file, render the page and replace the old one.

Belongs here: the order, and the facts about the connection. Not here: reading (data), rendering (page).
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from join_pipeline.lake.files import appearing, remove_asides
from join_pipeline.report.data import Dataset, read_datasets
from join_pipeline.settings import Settings
from join_pipeline.sources.base import Source

NEEDED: Final = ("altair", "vl_convert")
"""The packages of the extra `report`."""


@dataclass(frozen=True, slots=True)
class Report:
    """The written file, its size in bytes and its sections."""

    path: Path
    n_bytes: int
    sections: tuple[str, ...]


def can_draw() -> bool:
    """Whether the extra `report` is installed, without importing it."""
    return all(find_spec(package) is not None for package in NEEDED)


def write_report(source: Source, settings: Settings) -> Report:
    """Write `published/report.html` from the published file. `source` is the lake's. The caller holds the lock."""
    # these imports take a second, which a sync or Dagster's definitions should not pay
    from join_pipeline.report.page import SECTIONS, chart_library, chart_specs, render  # noqa: PLC0415

    datasets = read_datasets(settings.published, settings.memory_limit)
    about = _about(source, settings, datasets["syncs"])
    page = render(about, datasets, chart_library(settings.builds), chart_specs(settings.builds))
    remove_asides(settings.report)  # those of killed builds: the lock makes this process the only writer
    with appearing(settings.report, mode=0o444) as aside:
        aside.write_text(page, encoding="utf-8")
    return Report(settings.report, settings.report.stat().st_size, tuple(SECTIONS))


def _about(source: Source, settings: Settings, syncs: Dataset) -> dict[str, Any]:
    """The facts about the connection. They have no time of writing, so that the same data makes the same page."""
    known = syncs.records()
    return {
        "source": {"title": source.title, "since_word": source.since_word},
        "connection": settings.connection,
        "language": settings.report_language,
        "time_zone": settings.time_zone,
        # the marts show no rate on fewer cases, and the page must not for its sums either
        "minimum_n": settings.minimum_n,
        "stuck": {
            "chance": settings.stuck_chance,
            "days": settings.stuck_days,
            "visits": settings.stuck_visits,
        },
        "stale_after": settings.stale_after_days,
        "is_only_created": source.only_created,
        "as_of": known[-1]["as_of"] if known else None,
        "first_sync_at": known[0]["started_at"] if known else None,
        "n_syncs": len(known),
    }
