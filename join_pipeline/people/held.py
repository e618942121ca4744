"""Held: what is held about one person, in which places, for how long, and what an erasure would leave.

Belongs here: putting a person and the hits of a search together for a reader. Not here: the search (search), an archive
for the person (export).
"""

from dataclasses import dataclass
from typing import Final

from join_pipeline.people.person import Person
from join_pipeline.people.search import Searched
from join_pipeline.people.traces import ALSO, OUTSIDE, PLACES
from join_pipeline.settings import Settings

LEAVES: Final = (
    "the history of the applications in tier 1 (stages, times, source, job), under random keys that lead to nobody",
    "one line in erasures.jsonl without personal data, and HMACs of the ids in the list of erased people",
    "what others wrote in their own application; `person verify` names it if it has the address",
)
"""What an erasure leaves. With `--everything` the first one goes, too."""


@dataclass(frozen=True, slots=True)
class HeldAt:
    """A place in which the person was found: the files, how long they stay, and what an erasure does with them."""

    place: str
    files: tuple[str, ...]
    stays: str
    erase: str


@dataclass(frozen=True, slots=True)
class Held:
    """Everything that `show` tells of a person. It has names and addresses in it."""

    names: tuple[str, ...]
    contacts: tuple[str, ...]
    candidates: tuple[dict[str, str | None], ...]
    applications: tuple[dict[str, str | None], ...]
    users: tuple[str, ...]
    places: tuple[HeldAt, ...]
    erase_leaves: tuple[str, ...]
    outside: tuple[str, ...]
    unread: tuple[str, ...]


def held(settings: Settings, person: Person, searched: Searched) -> Held:
    """What is held about a person."""
    files: dict[str, dict[str, None]] = {}
    for hit in searched.hits:
        files.setdefault(hit.place, {})[hit.path] = None
    places = (
        HeldAt(place.name, tuple(files[place.name]), place.lasts(settings), place.fate)
        for place in dict.fromkeys((*PLACES, ALSO))
        if place.name in files
    )
    hashes = {text for text in person.texts if len(text) == len("0" * 32) and text.isalnum()}
    return Held(
        names=tuple(sorted(person.names)),
        contacts=tuple(sorted(person.texts - hashes)),
        candidates=ids_of(person, "candidates"),
        applications=ids_of(person, "applications"),
        users=tuple(sorted(person.users)),
        places=tuple(places),
        erase_leaves=LEAVES,
        outside=OUTSIDE,
        unread=searched.unread,
    )


def ids_of(person: Person, model: str) -> tuple[dict[str, str | None], ...]:
    """Our ids of a person's records in a model, each with the source's id."""
    return tuple({"id": one, "remote_id": remote_id} for one, remote_id in sorted(person.ids[model].items()))
