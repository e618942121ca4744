"""Write the report: read what is published, render the page, put it in the old one's place.

Belongs here: the order, and what the page is told of the connection. Not here: reading (data), rendering (page).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from join_pipeline.lake.files import appearing
from join_pipeline.report.data import Dataset, read_datasets
from join_pipeline.settings import Settings
from join_pipeline.sources.base import Source


@dataclass(frozen=True, slots=True)
class Report:
    """What was written, and where."""

    path: Path
    n_bytes: int
    sections: tuple[str, ...]


def write_report(source: Source, settings: Settings) -> Report:
    """Write `published/report.html` from the published file: `source` is the lake's. The caller holds the lock."""
    # a second of imports that only this needs, and not whoever syncs or loads Dagster's definitions
    from join_pipeline.report.page import SECTIONS, chart_library, render  # noqa: PLC0415

    datasets = read_datasets(settings.published, settings.memory_limit)
    page = render(_about(source, settings, datasets["syncs"]), datasets, chart_library(settings.builds))
    with appearing(settings.report, mode=0o444) as aside:
        aside.write_text(page, encoding="utf-8")
    return Report(settings.report, settings.report.stat().st_size, tuple(SECTIONS))


def _about(source: Source, settings: Settings, syncs: Dataset) -> dict[str, Any]:
    """What the page says of itself. No time of writing: the same data make the same page."""
    known = syncs.records()
    return {
        "source": {"title": source.title, "since_word": source.since_word},
        "connection": settings.connection,
        "language": settings.report_language,
        "time_zone": settings.time_zone,
        # on fewer cases the marts show no rate, and neither does the page on what it adds up
        "minimum_n": settings.minimum_n,
        "stuck": {
            "percentile": settings.stuck_percentile,
            "days": settings.stuck_days,
            "visits": settings.stuck_visits,
        },
        "is_only_created": source.only_created,
        "as_of": known[-1]["as_of"] if known else None,
        "first_sync_at": known[0]["started_at"] if known else None,
        "n_syncs": len(known),
    }
