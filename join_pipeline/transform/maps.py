"""The user's own maps of stages, sources and countries: read and check them, copy them for dbt, report missing names.

Belongs here: what such a file may hold. Not here: the maps' meaning (dbt_project/seeds), their precedence (user_map).
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from join_pipeline.csv_files import file_text, name_key, named_words
from join_pipeline.lake.files import write_whole
from join_pipeline.lake.sql import without_patterns
from join_pipeline.settings import Settings, env_name
from join_pipeline.transform.odd import shown

MOST_NAMES: Final = 20


@dataclass(frozen=True, slots=True)
class UserMap:
    """A map: the setting that names its file, its two columns, and the words that the second column may have.

    `mart` shows the word of each name. `test` is the dbt test that warns of names without a row; they count as
    `else_word`.
    """

    setting: str
    columns: tuple[str, str]
    words: tuple[str, ...]
    mart: str
    test: str
    else_word: str


MAPS: Final = (
    UserMap(
        "stage_milestone_csv",
        ("stage_name", "milestone"),
        ("SCREENING", "INTERIM", "OFFER", "HIRED"),
        "dim_stage",
        "stages_are_mapped",
        "INTERIM",
    ),
    UserMap(
        "source_channel_csv",
        ("source", "channel"),
        (
            "AGENCY",
            "EVENTS",
            "INTERNAL_APPLICATION",
            "JOB_BOARDS",
            "ORGANIC",
            "OTHER",
            "REFERRALS",
            "SOCIAL_MEDIA",
            "SOURCING_TOOLS",
        ),
        "dim_source",
        "sources_are_mapped",
        "OTHER",
    ),
    UserMap(
        "retention_policy_csv",
        ("country", "months"),
        tuple(str(months) for months in range(61)),
        "mart_retention_due",
        "countries_have_a_policy",
        "the country with the fewest months",
    ),
)


def map_vars(settings: Settings) -> dict[str, str | None]:
    """The path of each map for dbt by its var, or None where the map is not set."""
    return {
        one.setting: without_patterns(str(_copy(settings, one))) if getattr(settings, one.setting) else None
        for one in MAPS
    }


def copy_maps(settings: Settings) -> None:
    """Check each map that is set, and copy it as plain CSV. Raises `SettingsError` with file, line and column."""
    for one in MAPS:
        path: Path | None = getattr(settings, one.setting)
        if path is not None:
            _write(_copy(settings, one), one, checked(one, path))


def unmapped(database: Path, schema: str) -> dict[str, str]:
    """A message for each dbt test whose map lacks names, by the test's name. A mart that does not exist is skipped."""
    told = {}
    with contextlib.closing(duckdb.connect(database, read_only=True)) as con:
        for one in MAPS:
            with contextlib.suppress(duckdb.CatalogException):
                found = con.execute(
                    f"SELECT DISTINCT {one.columns[0]} FROM {schema}.{one.mart} "
                    f"WHERE NOT is_mapped AND {one.columns[0]} IS NOT NULL ORDER BY ALL"
                ).fetchall()
                if found:
                    names = ", ".join(f"“{shown(name)}”" for (name,) in found[:MOST_NAMES])
                    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
                    told[one.test] = (
                        f"No map names the {one.columns[0].replace('_', ' ')} {names}{more}: counted as "
                        f"{one.else_word}. Add it to a CSV file with the columns {','.join(one.columns)}, and set "
                        f"{env_name(one.setting)} to the file."
                    )
    return told


def checked(one: UserMap, path: Path) -> dict[str, str]:
    """Read and check a map. Returns the word of each name, as `name_key` writes names.

    Raises `SettingsError` with file, line and column.
    """
    where = f"{env_name(one.setting)}: {path}"
    rows = named_words(file_text(path, where), one.columns, one.words, where)
    return {name_key(name): word for _, name, word in rows}


def _copy(settings: Settings, one: UserMap) -> Path:
    return settings.builds / "maps" / f"{one.setting.removesuffix('_csv')}.csv"


def _write(path: Path, one: UserMap, found: dict[str, str]) -> None:
    quoted = ('"' + name.replace('"', '""') + f'",{word}' for name, word in found.items())
    write_whole(path, "\n".join([",".join(one.columns), *quoted, ""]).encode())
