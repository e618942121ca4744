"""Pages that are made: `metrics.md` from the seed of definitions, and dbt's own page of all models.

    python docs/make.py

Belongs here: turning what is written once in dbt_project into pages. Not here: any words about metrics or models.
"""

import argparse
import csv
import os
import shutil
import tempfile
from pathlib import Path

from dbt.cli.main import dbtRunner

ROOT = Path(__file__).parents[1]
METRICS = ROOT / "docs" / "metrics.md"
SITE = ROOT / "docs" / "site"
HEAD = """# Metrics

What each number means: how it is computed, what it counts, and what it could be taken for and is not. Made by
`make docs` from `dbt_project/seeds/metric_definition.csv`, which is also published as `recruiting.metric_definition`.
"""


def metrics_page() -> str:
    """`metrics.md` as the seed has it."""
    with (ROOT / "dbt_project" / "seeds" / "metric_definition.csv").open(encoding="utf-8") as file:
        metrics = list(csv.DictReader(file))
    return HEAD + "".join(_metric(metric) for metric in metrics)


def _metric(metric: dict[str, str]) -> str:
    lines = [f"| {name} | {value.replace('|', chr(92) + '|')} |" for name, value in metric.items() if name != "name"]
    return "\n".join(["", f"## {metric['name']}", "", "| | |", "|---|---|", *lines, ""])


def models_page(site: Path) -> Path:
    """dbt's page as one file: every model and column, and where they come from. Needs no warehouse, no network."""
    with tempfile.TemporaryDirectory() as folder:
        profile = "join_pipeline: {target: x, outputs: {x: {type: duckdb, path: ':memory:'}}}"
        Path(folder, "profiles.yml").write_text(profile)
        result = dbtRunner().invoke(
            [
                *("--quiet", "--no-version-check", "--no-send-anonymous-usage-stats", "--log-level-file", "none"),
                *("docs", "generate", "--static", "--empty-catalog", "--project-dir", str(ROOT / "dbt_project")),
                *("--profiles-dir", folder, "--target-path", folder, "--log-path", folder),
            ]
        )
        if not result.success:
            raise SystemExit(f"dbt docs generate failed: {result.exception}")
        site.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(Path(folder, "static_index.html"), site / "index.html"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=SITE)
    METRICS.write_text(metrics_page(), encoding="utf-8")
    page = models_page(parser.parse_args().site)
    print(f"{os.path.relpath(METRICS)}\n{os.path.relpath(page)}")


if __name__ == "__main__":
    main()
