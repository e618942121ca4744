"""What the commands about one person do, each under the connection's lock, with its line in the read log.

Belongs here: opening the lake for a search, the order of read log and reading. Not here: which sources there are (the
caller gives their feeds), printing (cli), the build after an erasure (pipeline).
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from join_pipeline.bucket.writing import checkpoint, reading, writing
from join_pipeline.lake.erasing import PEOPLE
from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.lake.sql import scratch
from join_pipeline.people import erase
from join_pipeline.people.export import export
from join_pipeline.people.export_page import Language
from join_pipeline.people.held import Held, held
from join_pipeline.people.person import Person, Seeking
from join_pipeline.people.search import Searched, Sought, search
from join_pipeline.settings import Settings
from join_pipeline.sources.feed import Feed
from join_pipeline.warehouse.audit import note_read
from join_pipeline.warehouse.pseudonyms import pseudonym_key

FeedsOf = Callable[[Settings, Lake], Collection[Feed]]
Build = Callable[[Settings], object]
OnFile = Callable[[str], None]


def no_file(_path: str) -> None:
    """The `OnFile` of callers that show no progress."""


@contextmanager
def seeking(settings: Settings, feeds_of: FeedsOf) -> Iterator[Seeking]:
    """Open the lake to look for people. The caller holds the lock."""
    lake = open_lake(settings.lake, settings.integration_id)
    with scratch(settings.builds, settings.memory_limit) as con:
        yield Seeking(con, lake, feeds_of(settings, lake), pseudonym_key(settings))


def find(settings: Settings, given: Collection[str], feeds_of: FeedsOf, by: str | None = None) -> Person:
    """Who is meant by these words."""
    with writing(settings):
        note_read(settings, "person find", by)
        with seeking(settings, feeds_of) as look:
            return look.person(given)


def show(
    settings: Settings,
    given: Collection[str],
    feeds_of: FeedsOf,
    by: str | None = None,
    on_file: OnFile = no_file,
    also: Collection[Path] = (),
) -> Held:
    """What is held about a person, and where; also below the paths in `also`."""
    with writing(settings):
        note_read(settings, "person show", by)
        with seeking(settings, feeds_of) as look:
            person = look.person(given)
            return held(settings, person, search(settings, _sought(person, look), on_file, also))


def verify(
    settings: Settings,
    given: Collection[str],
    feeds_of: FeedsOf,
    by: str | None = None,
    on_file: OnFile = no_file,
    also: Collection[Path] = (),
) -> Searched:
    """Look for a person in every byte and every value; for one whom the lake knows, by all that it has of them."""
    with writing(settings):
        note_read(settings, "person verify", by)
        with seeking(settings, feeds_of) as look:
            return search(settings, _sought(look.person(given), look), on_file, also)


def export_person(
    settings: Settings,
    given: Collection[str],
    to: Path,
    language: Language,
    feeds_of: FeedsOf,
    by: str | None = None,
) -> int:
    """Write an archive of all that is held about a person, and return its size in bytes."""
    with writing(settings):
        note_read(settings, "person export", by)
        checkpoint(settings)  # before the archive is written: the others show nothing before their end
        with seeking(settings, feeds_of) as look:
            person = look.person(given)
            found = held(settings, person, search(settings, _sought(person, look)))
            return export(settings, look, person, found, to, language)


def erase_person(
    settings: Settings,
    given: Collection[str],
    feeds_of: FeedsOf,
    build: Build,
    by: str | None = None,
    *,
    everything: bool = False,
) -> dict[str, Any] | None:
    """Erase a person from every file, and build anew. Returns the receipt."""
    with writing(settings):
        note_read(settings, "person erase", by)
        resume(settings, feeds_of)
        with seeking(settings, feeds_of) as look:
            person = look.person(given)
        number = _erased(settings, person, feeds_of, by, everything=everything)
    build(settings)
    return erase.receipt_of(settings, number)


def reapply(settings: Settings, feeds_of: FeedsOf, build: Build, by: str | None = None) -> dict[str, Any] | None:
    """Erase again who was erased before and is back, as after a restored backup. Returns the receipt, if there is one.

    The history stays under random keys, as nobody notes of whom it was removed, too.
    """
    with writing(settings):
        note_read(settings, "person reapply", by)
        resume(settings, feeds_of)
        with seeking(settings, feeds_of) as look:
            back = erase.all_erased(settings, look)
        number = None if back is None else _erased(settings, back, feeds_of, by, everything=False)
    if number is None:
        return None
    build(settings)
    return erase.receipt_of(settings, number)


def undo(settings: Settings, numbers: Collection[str]) -> int:
    """Let people in again by the numbers of their receipts. Returns how many erasures were taken back."""
    with writing(settings):
        return erase.undo(settings, numbers)


def resume_first(settings: Settings, feeds_of: FeedsOf) -> None:
    """Carry out an erasure that was cut off, before a command that takes the lock itself."""
    with reading(settings):
        is_erasing = erase.pending(settings) is not None
    if is_erasing:
        with writing(settings):
            resume(settings, feeds_of)


def resume(settings: Settings, feeds_of: FeedsOf) -> bool:
    """Carry out an erasure that was cut off. Returns whether there was one. The caller holds the lock."""
    if erase.pending(settings) is None:
        return False
    lake = open_lake(settings.lake, settings.integration_id)
    return erase.carry_out(settings, lake, feeds_of(settings, lake))


def _erased(settings: Settings, person: Person, feeds_of: FeedsOf, by: str | None, *, everything: bool) -> str:
    """Erase a person up to the build, and return the number of the receipt that the build leaves."""
    number = erase.begin(settings, person, by, everything=everything).number
    resume(settings, feeds_of)
    return number


def _sought(person: Person, look: Seeking) -> Sought:
    remote_ids = {m: frozenset(one for one in person.ids[m].values() if one) for m in PEOPLE}
    return Sought(person.searched(), remote_ids, look.namings)
