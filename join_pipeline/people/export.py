"""Export: everything that is held about one person, as an archive for the person (Art. 15 GDPR).

Belongs here: gathering the data, the archive. Not here: its page for reading (export_page).
"""

import contextlib
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from join_pipeline.actions.journal import Journal
from join_pipeline.errors import InputError
from join_pipeline.lake.files import appearing
from join_pipeline.lake.sql import files_literal
from join_pipeline.models import MODELS
from join_pipeline.people import employee
from join_pipeline.people.export_page import Language, page
from join_pipeline.people.held import Held
from join_pipeline.people.person import Person, Seeking
from join_pipeline.people.words import address_key
from join_pipeline.settings import Settings

PERSONAL: Final = ("candidates", "applications", "candidate_tags")
NAMED: Final = {"jobs": "job_id", "application_stages": "current_stage_id"}
"""The models whose newest names make a history readable, with the column that leads to them."""


def export(settings: Settings, look: Seeking, person: Person, held: Held, to: Path, language: Language) -> int:
    """Write the archive, which only its owner can read, and return its size in bytes. It has all data of the person.

    Raises `InputError` if nobody is known by what was given, or if the file is there.
    """
    if not (held.places or person.is_known or person.users):
        raise InputError("person", "nobody is known by that, so there is nothing to export")
    if to.exists():
        raise InputError("--to", f"{to} is there already. Name another file")
    document = gathered(settings, look, person, held)
    text = msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=1)
    with appearing(to) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        aside.chmod(0o600)
        archive.writestr("person.json", text)
        archive.writestr("person.html", page(msgspec.json.decode(text), language))
    return to.stat().st_size


def gathered(settings: Settings, look: Seeking, person: Person, held: Held) -> dict[str, Any]:
    """All data of a person, as one document."""
    history = {name: list(_versions(look, person, name)) for name in PERSONAL} | employee.history(look, person)
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "connection": settings.connection,
        "source": settings.source,
        "publishes_names": settings.publish_people,
        "names": held.names,
        "contacts": held.contacts,
        "history": history,
        "named": {name: _names(look, name, _ids(history, column)) for name, column in NAMED.items()},
        "tags": _names(look, "tags", _ids(history, "tag_id")),
        "payloads": [
            {"feed": feed, "fetched_at": row.fetched_at, "status": row.status, "payload": _decoded(row.payload)}
            for feed, row in look.payloads(person)
        ],
        "quarantine": list(_quarantined(look, person)),
        "creations": list(_creations(settings, person, look)),
        "places": held.places,
        "raw_days": settings.raw_days,
        "outside": held.outside,
        "pseudonyms": sorted(person.pseudonyms),
    }


def _versions(look: Seeking, person: Person, name: str) -> Iterator[dict[str, Any]]:
    """Every version of a person's records, with the personal columns that are kept."""
    model, key = MODELS[name], "candidate_id" if name == "candidate_tags" else "id"
    ids = list(person.ids["candidates" if name == "candidate_tags" else name])
    joined = f"{look.versions(name)} AS v"
    if model.personal:
        joined += f" LEFT JOIN {look.personal(name)} AS p ON p.id = v.id AND p.sync_id = v.sync_id"
    columns = ", ".join(f'{"p" if c.tier.is_personal else "v"}."{c.name}"' for c in model.version_columns)
    rows = look.con.execute(f"SELECT {columns} FROM {joined} WHERE list_contains(?, v.{key}) ORDER BY ALL", [ids])
    for row in rows.fetchall():
        found = {c.name: value for c, value in zip(model.version_columns, row, strict=True) if value is not None}
        if "remote_data" in found:
            found["remote_data"] = _decoded(found["remote_data"])
        yield found


def _ids(history: dict[str, list[dict[str, Any]]], column: str) -> list[str]:
    """The ids in a column of the history. Names of other records, such as tags of others, are nothing of theirs."""
    return sorted({row[column] for rows in history.values() for row in rows if row.get(column)})


def _names(look: Seeking, name: str, ids: list[str]) -> dict[str, str]:
    is_personal = any(column.name == "name" for column in MODELS[name].personal)
    named = look.personal(name) if is_personal else look.versions(name)
    query = f"SELECT id, arg_max(name, sync_id) FROM {named} WHERE list_contains(?, id) GROUP BY id"
    rows = look.con.execute(query, [ids]).fetchall()
    return {one: text for one, text in rows if text is not None}


def _quarantined(look: Seeking, person: Person) -> Iterator[dict[str, Any]]:
    theirs = look.erasing(person).is_theirs
    for feed, files in look.files.quarantine.items():
        paths = look.lake.listed(files)
        if not paths:
            continue
        query = f"SELECT record_id, payload, reason, fetched_at FROM read_parquet({files_literal(paths)})"
        for record_id, payload, reason, at in look.con.execute(query).fetchall():
            if theirs(feed, record_id, payload):
                yield {"feed": feed, "fetched_at": at, "reason": reason, "payload": _decoded(payload)}


def _creations(settings: Settings, person: Person, look: Seeking) -> Iterator[dict[str, Any]]:
    """What was created at the source from here, and requests that are kept until it has taken all of them."""
    journal, remote_ids = Journal(settings.actions, look.key), person.remote_ids()
    texts = {address_key(one) for one in (*person.given, *person.texts)}
    for entry in journal.entries():
        if entry.application in remote_ids["applications"] or entry.candidate in remote_ids["candidates"]:
            yield {"job": entry.job, "source": entry.source, "sent_at": entry.sent_at, "state": entry.state}
    for key in journal.kept_keys():
        kept = journal.kept(key)
        if kept is not None and address_key(kept.person.email_address) in texts:
            files = [document.name for document in kept.documents]
            yield {"job": kept.job, "kept": kept.person.model_dump(), "files": files}


def _decoded(payload: str | None) -> Any:
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(payload or "null")
    return payload
