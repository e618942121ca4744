"""Traces: every place that may hold data of people. It is the only list of them, so whoever looks for a person uses it.

Belongs here: the places, which files are in each, how long they stay, and what an erasure does there. Not here: looking
into files (search).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, Literal

from join_pipeline.errors import InputError
from join_pipeline.settings import Settings
from join_pipeline.warehouse.parquet import files_of_company

Fate = Literal["written anew", "removed", "made anew", "kept", "not reached"]
"""What an erasure does with the files of a place."""
DAGSTER: Final = "dagster"


@dataclass(frozen=True, slots=True)
class Place:
    """A place. `pattern` is of paths below the connection's folder; `stays` says how long files stay, with settings."""

    name: str
    pattern: str
    stays: str
    fate: Fate

    def lasts(self, settings: Settings) -> str:
        """How long its files stay, by these settings."""
        return self.stays.format(raw_days=settings.raw_days)


_RAW: Final = "{raw_days} days (JOIN_PIPELINE_RAW_DAYS); merged files to the end of that day"
_BUILT: Final = "until the next build makes it anew from the lake"
_WORK: Final = "while a command works; the next one clears it"

PLACES: Final = (
    Place(
        "personal columns of the lake's versions",
        "lake/models/*/*personal*",
        "until the source no longer shows the person; then at most {raw_days} days (JOIN_PIPELINE_RAW_DAYS)",
        "written anew",
    ),
    Place("history in the lake's versions", "lake/models/*", "as long as the lake", "written anew"),
    Place("raw payloads", "lake/raw/*", _RAW, "written anew"),
    Place("quarantine", "lake/quarantine/*", _RAW, "written anew"),
    Place("records of syncs", "lake/syncs/*", "as long as the lake; ids until they are read", "written anew"),
    Place("identity of the lake", "lake/connection.json", "as long as the lake; nothing about a person", "kept"),
    Place("warehouse", "*warehouse.duckdb*", _BUILT, "made anew"),
    Place("published names and contacts", "published/*people.duckdb*", _BUILT, "made anew"),
    Place("published file for readers", "published/*recruiting.duckdb*", _BUILT, "made anew"),
    Place("published Parquet files", "../published/parquet/*", _BUILT, "made anew"),
    Place("report", "published/*report*", _BUILT, "made anew"),
    Place("journal of creations", "actions/journal.sqlite*", "as long as the data folder", "written anew"),
    Place("kept requests", "actions/kept/*", "until the source has taken all of it", "removed"),
    Place("requests of Dagster's jobs", "actions/requests/*", "until somebody removes them", "removed"),
    Place("answers of Dagster's jobs", "actions/answers/*", "until somebody removes them", "removed"),
    Place("saved attachments", "actions/attachments/*", "until somebody removes them", "removed"),
    Place(
        "payloads that were mapped",
        "builds/*unchanged.*",
        "until the next full sync; keyed digests and ids of the lake only",
        "removed",
    ),
    Place("spool, spill, builds", "builds/*", _WORK, "removed"),
    Place("erasure under way", "people/pending.json", "until the erasure ends", "removed"),
    Place("list of erased ids", "people/*", "as long as the data folder; HMACs only", "kept"),
    Place("logs", "*.jsonl", "as long as the data folder; no data of applicants", "kept"),
    Place("older published files", "held/*", "while a process has them open for writing", "kept"),
    Place("log of faults", "faults.log*", "three older ones are kept; no data of people", "kept"),
    Place("copy of a bucket", "bucket.json", "as long as the data folder; paths, sizes and digests only", "kept"),
    Place("notices that were told", "notices.json", "as long as the data folder; digests only", "kept"),
    Place("audit log", "audit.log", "as long as the data folder; account names", "kept"),
    Place("locks and runs", "lock", "while commands run; nothing about a person", "kept"),
    Place("locks and runs", "runs/*", "while Dagster's runs last; nothing about a person", "kept"),
    Place("locks and runs", "actions/lock-*", "as long as the data folder; nothing about a person", "kept"),
    Place("Dagster's storage", f"../{DAGSTER}/*", "as Dagster is configured; counts only", "kept"),
    Place("statements of dbt", "../.dbt/*", "until another release builds; SQL and descriptions only", "kept"),
    Place("portfolio", "../portfolio*", "until `portfolio` makes it anew; figures of companies only", "kept"),
    Place("other files", "*", "until somebody removes them", "kept"),
)
"""Every place that the pipeline can reach. The first pattern that fits holds."""

ALSO: Final = Place("named with --also", "", "until somebody removes them", "not reached")
"""Files outside of the data folder that a search was given. An erasure changes none of them."""
OUTSIDE: Final = (
    "backups: an erasure does not reach them; after a restore run `join-pipeline person reapply`",
    "older versions of objects in a bucket that keeps them: docs/bucket.md says how they go",
    "copies that somebody took: exports, attachments that were saved elsewhere, published files on other machines;"
    " `show` and `verify` look through those that are named with --also",
    "a DAGSTER_HOME elsewhere: name it with --also; it has no data of applicants by this tool",
    "the source itself: delete the person there, or a list of erased ids keeps them out of here",
    "the log of the service that runs the pipeline, such as journald: it has no data of applicants",
)
"""What the pipeline can't reach. `show` and the documents name it."""


def files_of(settings: Settings, also: Collection[Path] = ()) -> Iterator[tuple[Place, str, Path]]:
    """Every file of the connection with its place and its path below the connection's folder, in a fixed order.

    Then the files of each path in `also`, with their whole paths. Raises `InputError` if there is no such path.
    """
    for one in also:
        if not one.exists():
            raise InputError("--also", f"{one} is not there")
    data = settings.data.absolute()
    shared = [(data / name, f"../{name}/") for name in (DAGSTER, ".dbt")]
    for root, before in ((settings.home, ""), *shared):
        for path in sorted(root.rglob("*")) if root.is_dir() else ():
            if path.is_file() and not path.is_symlink():
                inside = before + path.relative_to(root).as_posix()
                yield place_of(inside), inside, path
    for path in (*files_of_company(settings.parquet, settings.connection), *sorted(data.glob("portfolio*"))):
        if path.is_file() and not path.is_symlink():
            inside = f"../{path.relative_to(data).as_posix()}"
            yield place_of(inside), inside, path

    for one in also:
        for path in sorted(one.rglob("*")) if one.is_dir() else (one,):
            if path.is_file() and not path.is_symlink():
                yield ALSO, path.absolute().as_posix(), path


def place_of(inside: str) -> Place:
    """The place of the file with this path below the connection's folder."""
    return next(place for place in PLACES if fnmatch(inside, place.pattern))
