"""Parquet files of made-up companies, and what `portfolio` over them costs.

    python -m benchmarks.portfolio 1000

The tables that `portfolio` reads have as many rows as those of a company of 5,000 applications: 60 jobs, 15 sources, 40
months. Belongs here: making the files and measuring. Not here: the command (portfolio).
"""

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from benchmarks.measure import cost_of, size_of
from join_pipeline.warehouse.parquet import BuildNote, File, note_path, parquet_file

AS_OF: Final = "2026-11-30T06:00:00Z"
SCOPES: Final = """(
    SELECT 'overall' AS scope, 'all' AS scope_key, 0 AS place
    UNION ALL SELECT 'job', 'job-' || range, range FROM range(60)
    UNION ALL SELECT 'source', 'source-' || range, range FROM range(15)
)"""
MILESTONES: Final = "(SELECT unnest(['SCREENING', 'INTERIM', 'OFFER']) AS milestone)"
METRICS: Final = "unnest(['time_to_hire', 'time_to_fill', 'time_to_decision', 'time_to_first_movement'])"
MONTHS: Final = "(SELECT NULL AS month UNION ALL SELECT range FROM range(40))"
# by the company's place among the others, so that each has its own figures
TABLES: Final = {
    "mart_consent": f"""
        SELECT scope, scope_key, if(month IS NULL, 'all', 'month') AS period_grain, month,
            if(scope = 'overall' AND month IS NULL, $applications, $applications // 40) AS n_applications
        FROM {SCOPES}, {MONTHS}""",
    "mart_pipeline_now": f"""
        SELECT if(scope = 'overall', 'milestone', scope) AS scope, scope_key, milestone,
            40 + $place AS n_open, 4 AS n_in_closed_job, 8 AS n_stuck, 6 AS n_certainly_stuck,
            n_stuck / (n_open - n_in_closed_job) AS share_stuck, 9.5 + $place AS days_in_stage_p50,
            20.0 + $place AS days_in_stage_p75, false AS is_suppressed
        FROM {SCOPES}, {MILESTONES}""",
    "mart_service_level": f"""
        SELECT scope, scope_key, milestone, 14 AS days_allowed, 5 AS n_overdue, 3 AS n_certainly_overdue
        FROM {SCOPES}, {MILESTONES}""",
    "mart_speed": f"""
        SELECT {METRICS} AS metric, scope, scope_key, if(month IS NULL, 'all', 'month') AS period_grain, month,
            $applications // 20 AS n, 10.0 + $place AS days_p25, 19.0 + $place AS days_p50_lo,
            20.0 + $place AS days_p50, 21.0 + $place AS days_p50_hi, 30.0 + $place AS days_p75,
            0 AS n_left_truncated, 0 AS n_historic, NULL::DOUBLE AS historic_days_p50_at_most, false AS is_suppressed
        FROM {SCOPES}, {MONTHS}""",
}


def make(root: Path, names: list[str], applications: int = 5000, *, as_of: str = AS_OF) -> None:
    """Make the files of these companies. The figures of each follow from its place."""
    with contextlib.closing(duckdb.connect()) as con:
        for place, name in enumerate(names):
            files = {}
            for table, sql in TABLES.items():
                path = parquet_file(root, table, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                query = sql.replace("$applications", str(applications)).replace("$place", str(place))
                copied = con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)").fetchall()
                files[table] = File(copied[0][0], path.stat().st_size)
            note = note_path(root, name)
            note.parent.mkdir(parents=True, exist_ok=True)
            built = BuildNote(
                connection=name,
                build=f"{place:016x}",
                sync_id="sync",
                as_of=as_of,
                schema_version="1.3",
                release="0",
                k=5,
                tables=files,
            )
            note.write_bytes(msgspec.json.encode(built))


def main() -> None:
    """Measure the command over so many companies."""
    n_companies = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make(data / "published" / "parquet", [f"company-{place:04}" for place in range(n_companies)])
        files, megabytes = size_of(data)
        environment = {**os.environ, "JOIN_PIPELINE_DATA": str(data), "XDG_CONFIG_HOME": folder}
        cost = cost_of([sys.executable, "-m", "join_pipeline.cli", "portfolio", "--json"], environment)
        told = {"companies": n_companies, "files": files, "megabytes_read": megabytes, "load": os.getloadavg()[0]}
        figures = {"seconds": cost.seconds, "cpu_seconds": cost.cpu_seconds, "megabytes": cost.megabytes}
        print(json.dumps({**told, **figures, "benchmarks": json.loads(cost.out)["benchmarks"]}))


if __name__ == "__main__":
    main()
