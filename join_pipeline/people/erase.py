"""Erasing one person at once, so that it ends even if it is cut off, and leaves a receipt.

Belongs here: the order of the steps, the files beside the lake, the receipt. Not here: the lake's files (lake.erasing),
the build that follows (pipeline).

    begin       people/pending.json says who is erased; the list of erased ids keeps them out of every later sync
    carry_out   the lake, the spool, what was written to the source, the warehouse; each can be done again
    (build)     the pipeline makes the warehouse and the published files anew
    finish      a line in erasures.jsonl, then pending.json goes

Whatever is cut off after `begin`, the next command of the pipeline carries it out.
"""

import secrets
import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from join_pipeline.actions.journal import Journal
from join_pipeline.bucket.writing import checkpoint
from join_pipeline.errors import InputError, LakeError, foreign
from join_pipeline.lake.erased import FOLDER, erased_list
from join_pipeline.lake.erasing import PEOPLE, erase_from_lake
from join_pipeline.lake.files import write_whole
from join_pipeline.lake.integrity import digest_of
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.receipts import NAME, append_line, lines_of
from join_pipeline.lake.sql import scratch
from join_pipeline.lake.upgrade import upgrade
from join_pipeline.people.employee import refuse_erasure
from join_pipeline.people.person import Person, Seeking
from join_pipeline.people.search import Sought, is_in_file
from join_pipeline.people.traces import files_of
from join_pipeline.people.words import address_key
from join_pipeline.settings import Settings
from join_pipeline.sources.feed import Feed
from join_pipeline.warehouse.audit import user
from join_pipeline.warehouse.file import forget_warehouse
from join_pipeline.warehouse.pseudonyms import creation_key, pseudonym_key
from join_pipeline.warehouse.publish import withdraw_people

PENDING: Final = "pending.json"
ROOMS: Final = ("lake/", "actions/", "published/", "../published/", "warehouse.duckdb")
"""Below the connection's folder, what a receipt has the hashes of."""
LOOSE: Final = ("actions/requests/", "actions/answers/", "actions/attachments/")
"""Files that Dagster's jobs read and write. One in which the person is found goes whole."""


class Pending(msgspec.Struct, kw_only=True):
    """An erasure that has begun. It names the person, so it goes as soon as the erasure has ended."""

    number: str
    at: datetime
    by: str
    everything: bool
    given: list[str]
    ids: dict[str, dict[str, str | None]]
    texts: list[str]
    before: dict[str, str]
    counts: dict[str, Any] = {}

    def person(self) -> Person:
        return Person(tuple(self.given), {m: dict(self.ids.get(m, {})) for m in PEOPLE}, set(self.texts))


def begin(settings: Settings, person: Person, by: str | None = None, *, everything: bool = False) -> Pending:
    """Note who is to be erased, and keep them out of every later sync. The caller holds the lock."""
    refuse_erasure(person)
    if not (person.is_known or any("@" in one for one in person.given)):
        raise InputError("person", "nobody is known by that. Nothing was erased; `person verify` looks for it")
    finish(settings)  # one that was carried out and not built yet: its receipt would be lost
    pending = Pending(
        number=f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        at=datetime.now(UTC),
        by=by or user(),
        everything=everything,
        given=list(person.given),
        ids=person.ids,
        texts=sorted({*person.texts, *person.pseudonyms}),
        before=_digests(settings),
    )
    # first, so that a sync after a cut-off erasure carries it out instead of bringing the person back
    write_whole(_path(settings), msgspec.json.encode(pending))
    checkpoint(settings)  # whatever is cut off from here on, the next command carries it out, on whichever machine
    return pending


def pending(settings: Settings) -> Pending | None:
    """The erasure that has begun and not ended; None if there is none. Raises `LakeError` if it can't be read."""
    path = _path(settings)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Pending) if path.exists() else None
    except (OSError, msgspec.MsgspecError) as error:
        raise LakeError(
            f"{path} can't be read ({foreign(error)}). It says who is to be erased: remove it, and erase them again."
        ) from None


def told_pending(settings: Settings) -> str | None:
    """What to say of an erasure that has begun and not ended, without whom it is about; None if there is none.

    Raises `LakeError` if what was begun can't be read.
    """
    found = pending(settings)
    if found is None:
        return None
    left = "the files for readers are not made anew yet" if found.counts else "it is not carried out yet"
    begun = f"erasure {found.number}, begun {found.at:%Y-%m-%d %H:%M} UTC by {found.by}, has not ended: {left}"
    return f"{begun}. Run `join-pipeline build --force`."


def carry_out(settings: Settings, lake: Lake, feeds: Collection[Feed]) -> bool:
    """Do what an erasure that has begun has not done yet, up to the build. Returns whether there was one.

    The caller holds the lock.
    """
    found = pending(settings)
    if found is None:
        return False
    person = found.person()
    erased = erased_list(settings.home, create=True)
    if all(entry.number != found.number for entry in erased.entries) and person.is_known:
        erased.add(found.number, person.marks())
    upgrade(lake, settings.builds, settings.memory_limit)
    with scratch(settings.builds, settings.memory_limit) as con:
        seeking = Seeking(con, lake, feeds, pseudonym_key(settings))
        done = erase_from_lake(con, lake, seeking.erasing(person, everything=found.everything))
        sought = Sought(person.searched(), person.remote_ids(), seeking.namings)
    shutil.rmtree(settings.builds, ignore_errors=True)  # the spool of a sync that was cut off, and scratch files
    n_written = _forget_written(settings, person)
    _remove_loose(settings, sought)
    forget_warehouse(settings)
    withdraw_people(settings)
    counts = {"kept_versions": done.kept, "removed_versions": done.removed, "payloads": done.payloads}
    if not found.counts or any(counts.values()) or n_written:
        found.counts = counts | {"creations": n_written}
        write_whole(_path(settings), msgspec.json.encode(found))
    return True


def finish(settings: Settings) -> None:
    """Append the receipt of an erasure that was carried out, and forget whom it was about. The build is done."""
    found = pending(settings)
    if found is None or not found.counts:
        return
    if receipt_of(settings, found.number) is None:
        append_line(settings.home / NAME, _receipt(settings, found))
    _path(settings).unlink()


def receipt_of(settings: Settings, number: str) -> dict[str, Any] | None:
    """The receipt of this number."""
    return next((one for one in lines_of(settings.home / NAME) if one.get("number") == number), None)


def _receipt(settings: Settings, found: Pending) -> dict[str, Any]:
    after = _digests(settings)
    changed = sorted(path for path in found.before.keys() | after.keys() if found.before.get(path) != after.get(path))
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "begun_at": found.at.isoformat(timespec="seconds"),
        "what": "erase",
        "number": found.number,
        "by": found.by,
        "connection": settings.connection,
        "history": "removed" if found.everything else "kept under random keys",
        **found.counts,
        "files": [{"path": path, "before": found.before.get(path), "after": after.get(path)} for path in changed],
    }


def undo(settings: Settings, numbers: Collection[str]) -> int:
    """Let people in again by the numbers of receipts. Returns how many erasures were taken back.

    What was erased stays erased. The next full sync reads what the source still has.
    """
    erased = erased_list(settings.home)
    known = {entry.number for entry in erased.entries}
    if unknown := sorted(set(numbers) - known):
        raise InputError("--undo", f"no erasure has the number {', '.join(unknown)}. erasures.jsonl has the numbers")
    return erased.remove(numbers)


def _digests(settings: Settings) -> dict[str, str]:
    """The SHA-256 of each file that an erasure may change."""
    found = (
        (inside, path)
        for _place, inside, path in files_of(settings)
        if inside.startswith(ROOMS) and not inside.startswith("actions/lock-")
    )
    return {inside: digest_of(path) for inside, path in found}


def _forget_written(settings: Settings, person: Person) -> int:
    """Remove what was kept and noted of the person's creations at the source. Returns how many."""
    journal = Journal(settings.actions, creation_key(settings))
    remote_ids, n = person.remote_ids(), 0
    texts = {address_key(one) for one in (*person.given, *person.texts)}
    keys = {
        entry.key
        for entry in journal.entries()
        if entry.application in remote_ids["applications"] or entry.candidate in remote_ids["candidates"]
    }
    for key in journal.kept_keys():
        kept = journal.kept(key)
        if kept is not None and address_key(kept.person.email_address) in texts:
            keys.add(key)
    for key in sorted(keys):
        with journal.locked(key):
            journal.forget(key)
            n += 1
    return n


def _remove_loose(settings: Settings, sought: Sought) -> None:
    for _place, inside, path in files_of(settings):
        if inside.startswith(LOOSE) and is_in_file(path, inside, sought):
            path.unlink(missing_ok=True)


def _path(settings: Settings) -> Path:
    return settings.home / FOLDER / PENDING


def all_erased(settings: Settings, seeking: Seeking) -> Person | None:
    """Everybody of the list of erased ids who is in the lake again, as after a restored backup; None if nobody is."""
    erased = erased_list(settings.home)
    if not erased:
        return None
    back = Person((), {model: {} for model in PEOPLE})
    for model in PEOPLE:
        rows = seeking.con.execute(f"SELECT DISTINCT id, remote_id FROM {seeking.versions(model)}").fetchall()
        for one, remote_id in rows:
            ids = [(model, "id", one), *([(model, "remote_id", remote_id)] if remote_id else [])]
            if erased.holds(ids):
                back.ids[model][one] = remote_id
    seeking.complete(back)
    return back if back.is_known else None
