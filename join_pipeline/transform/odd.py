"""Messages about records that can't be so, or are not there: dbt only counts them, a message names them.

Belongs here: naming the records of each warning. Not here: which records are odd (dbt_project, stg_ats__odd_records).
"""

import contextlib
from pathlib import Path
from typing import Final

import duckdb

MOST_IDS: Final = 5
LONGEST: Final = 40

ADVICE: Final = {
    "instants_are_possible": "The marts take such an instant as not known, or as the fetch. Correct it in the ATS.",
    "records_are_listed": (
        "The marts know them by their id alone. `join-pipeline sync --mode full` reads the lists again; `join-pipeline "
        "status` shows what was set aside."
    ),
    "names_are_given": "The marts show them without a name. Name them in the ATS.",
}
"""By the dbt test that warns of them."""


def odd_records(database: Path) -> dict[str, str]:
    """A message for each dbt test that found odd records, by the test's name: fields, numbers and the first ids.

    The ids are the source's own; those of users and tags are ours, because theirs can name a person.
    """
    told: dict[str, list[str]] = {}
    with contextlib.closing(duckdb.connect(database, read_only=True)) as con, contextlib.suppress(duckdb.Error):
        for check, model, field, fault, n, ids in con.execute(
            f"""SELECT check_name, model, field, fault, count(*), list(record_id ORDER BY record_id)[:{MOST_IDS}]
            FROM staging.stg_ats__odd_records GROUP BY ALL ORDER BY ALL"""
        ).fetchall():
            listed = ", ".join(shown(one) for one in ids) + (", …" if n > len(ids) else "")
            told.setdefault(check, []).append(f"{model}.{field} {fault} in {n} of them ({listed})")
    return {check: f"Records: {'; '.join(parts)}. {ADVICE[check]}" for check, parts in told.items()}


def shown(record_id: str | None) -> str:
    """An id or a name on one line: the source chose its characters, and they could steer the terminal."""
    text = "".join(one if one.isprintable() else "\ufffd" for one in record_id or "none")
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
