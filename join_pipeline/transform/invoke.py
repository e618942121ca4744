"""A call of dbt in this process, with the profile and the variables of a connection.

dbt in a process of its own would ask the network for versions and take seconds to start.
Belongs here: dbt's arguments, profile and variables. Not here: when dbt is called, and what for (run).
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from join_pipeline.errors import QUERY_INTERRUPTED, BuildError, foreign_text
from join_pipeline.lake.files import make_folder, write_whole
from join_pipeline.settings import Settings, without_foreign
from join_pipeline.transform.figures import table_vars
from join_pipeline.transform.maps import map_vars

PROFILE: Final = "join_pipeline"
THREADS: Final = 1
"""DuckDB uses all cores for each dbt model. Two threads of dbt would only wait for each other's Python."""


def invoke(
    settings: Settings, project: Path, target: Path, command: Sequence[str], on_event: Callable[[Any], None]
) -> list[Any]:
    """Run a dbt command, which writes to `target`. Returns the results of its nodes, which may be none."""
    folder = make_folder(settings.builds / "dbt")
    write_whole(folder / "profiles.yml", _as_yaml(_profile(settings)).encode())
    with without_foreign():
        from dbt.cli.main import dbtRunner  # noqa: PLC0415  2 s of imports, and a manifest that is parsed needs none

        result = dbtRunner(callbacks=[on_event]).invoke(
            [
                # even when quiet, dbt prints failures on standard output, which belongs to `--json`
                "--log-level",
                "none",
                "--no-use-colors",
                "--no-version-check",
                "--no-send-anonymous-usage-stats",
                "--log-level-file",
                "none",
                *command,
                "--project-dir",
                str(project),
                "--profiles-dir",
                str(folder),
                "--target-path",
                str(target),
                "--log-path",
                str(folder),
                "--vars",
                _as_yaml(variables(settings)),
            ]
        )
    if isinstance(result.exception, KeyboardInterrupt):
        raise result.exception
    if result.exception is not None:
        said = foreign_text(str(result.exception))
        raise BuildError(f"dbt {command[0]} failed ({type(result.exception).__name__}: {said}).") from None
    results = list(getattr(result.result, "results", ()))
    if any(QUERY_INTERRUPTED in str(getattr(one, "message", "")) for one in results):
        raise KeyboardInterrupt  # dbt takes it for a node that failed
    return results


def variables(settings: Settings) -> dict[str, Any]:
    """The variables of the dbt project, by these settings."""
    return {
        "time_zone": settings.time_zone,
        "k": settings.k,
        "minimum_n": settings.minimum_n,
        "stuck_chance": settings.stuck_chance / 100,
        "stuck_days": settings.stuck_days,
        "stuck_visits": settings.stuck_visits,
        "per_person": settings.per_person,
        "works_council": settings.works_council,
        "retention_days": settings.retention_days,
        "stale_after_days": settings.stale_after_days,
        # dbt renders a text of a var, too
        **{name: path and _literal(path) for name, path in (map_vars(settings) | table_vars(settings)).items()},
    }


def _profile(settings: Settings) -> dict[str, Any]:
    """dbt's profile. dbt closes the warehouse after each run. A path is a literal of Jinja, because dbt renders it."""
    configured = options(settings)
    target = {
        "type": "duckdb",
        "path": _literal(str(settings.warehouse)),
        "threads": THREADS,
        "keep_open": False,
        # set when connecting, not in each session as `settings` are: DuckDB refuses to set it after the first spill
        "config_options": configured | {"temp_directory": _literal(configured["temp_directory"])},
        "settings": {"TimeZone": "UTC"},
    }
    return {PROFILE: {"target": "warehouse", "outputs": {"warehouse": target}}}


def options(settings: Settings) -> dict[str, Any]:
    """The configuration of every connection to the warehouse while dbt runs: DuckDB demands the same one of all."""
    return {
        "memory_limit": settings.memory_limit,
        "preserve_insertion_order": False,  # nothing relies on the order, and keeping it takes memory
        "temp_directory": str(settings.builds / "spill"),
    }


def _literal(text: str) -> str:
    """A text that Jinja renders as it is: an expression in which every character but plain ones is an escape."""
    escaped = "".join(
        mark if mark.isascii() and (mark.isalnum() or mark in "/._- ") else f"\\U{ord(mark):08x}" for mark in text
    )
    return f"{{{{ '{escaped}' }}}}"


def _as_yaml(value: Any) -> str:
    """JSON that is YAML, too: characters beyond 16 bits are not written as two, which YAML does not know."""
    pair = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")
    wide = lambda found: f"\\U{0x10000 + ((int(found[1], 16) & 0x3FF) << 10) + (int(found[2], 16) & 0x3FF):08x}"  # noqa: E731
    return pair.sub(wide, json.dumps(value, indent=1))
