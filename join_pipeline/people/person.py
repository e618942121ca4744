"""Finding one person: by an e-mail address, the source's id, our id or a pseudonym.

Belongs here: what is known to identify somebody, from what the user gave. Not here: where it lies (search).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import duckdb

from join_pipeline.errors import InputError
from join_pipeline.lake.erased import Mark, Naming, named_in
from join_pipeline.lake.erasing import PEOPLE, Erasing
from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.raw import read_raw
from join_pipeline.lake.record import Files
from join_pipeline.models import MODELS
from join_pipeline.people.words import address_key, addresses_in, forms, own_addresses, unescaped, words_of
from join_pipeline.sources.feed import Feed
from join_pipeline.warehouse.pseudonyms import pseudonym

_REMOTE: Final = re.compile(r"(candidate|application|user):\s*(\S+)")
_PHONE_LETTERS: Final = re.compile(r"[\s()/.-]+")
WHAT: Final = "an e-mail address, candidate:, application: or user: and the source's id, our id, or a pseudonym"
LEAST_DIGITS: Final = 6


@dataclass(slots=True)
class Person:
    """Somebody: our ids by model with the source's own id of each, and texts that identify them.

    `given` are the words that the user gave. `names` are first and last names, for display. `users` are our ids of an
    employee, who is a user of the source. `tags` are our ids of the tags that nobody else has ever had.
    """

    given: tuple[str, ...]
    ids: dict[str, dict[str, str | None]] = field(default_factory=lambda: {model: {} for model in PEOPLE})
    texts: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    pseudonyms: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    @property
    def is_known(self) -> bool:
        return any(self.ids.values())

    def remote_ids(self) -> dict[str, frozenset[str]]:
        """By model, the keys of its records in raw: the source's ids, and our own where a source has these."""
        return {m: frozenset({*found, *(one for one in found.values() if one)}) for m, found in self.ids.items()}

    def marks(self) -> set[Mark]:
        """The ids by which the list of erased people knows them."""
        ours = {(model, "id", one) for model, found in self.ids.items() for one in found}
        return ours | {(m, "remote_id", one) for m, found in self.ids.items() for one in found.values() if one}

    def searched(self) -> frozenset[str]:
        """The texts to look for in every byte and value, in lower case."""
        ours = {one for found in self.ids.values() for one in found} | self.users | self.tags
        given = {one for one in self.given if not _REMOTE.fullmatch(one)}
        return frozenset(
            form for one in {*given, *self.texts, *self.pseudonyms, *ours} if one.strip() for form in forms(one)
        )


@dataclass(frozen=True)
class Seeking:
    """Looks for people in one lake. `feeds` are those of its sources, `key` is the one of pseudonyms."""

    con: duckdb.DuckDBPyConnection
    lake: Lake
    feeds: Collection[Feed]
    key: bytes = field(repr=False)

    @cached_property
    def files(self) -> Files:
        newest = self.lake.newest()
        return newest.files if newest else Files()

    @cached_property
    def namings(self) -> Mapping[str, tuple[Naming, ...]]:
        """By feed, where its payloads name people."""
        found: dict[str, tuple[Naming, ...]] = {}
        for feed in self.feeds:
            found[feed.name] = tuple(dict.fromkeys((*found.get(feed.name, ()), *feed.people)))
        return found

    def versions(self, model: str) -> str:
        return versions_relation(self.lake.path, MODELS[model], self.files.models.get(model, []))

    def personal(self, model: str) -> str:
        return personal_relation(self.lake.path, MODELS[model], self.files.personal.get(model, []))

    def person(self, given: Iterable[str]) -> Person:
        """The person of these words. Each may be any of `WHAT`; those that nobody has are only looked for as texts."""
        person = Person(words_of(given))
        if not person.given:
            raise InputError("person", f"nothing was given. Give {WHAT}")
        for one in person.given:
            if one.isdecimal() and len(one) < LEAST_DIGITS + 6 and not one.startswith("0"):
                raise InputError("person", "a number alone may be anybody's. Write candidate: or application: first")
            for model, found in self._named(one).items():
                person.ids[model].update(found)
            person.users |= self._users(one)
        return self.complete(person)

    def complete(self, person: Person) -> Person:
        """The same person with all of their applications, ids and texts."""
        self._add_applications(person)
        self._add_remote_ids(person)
        self._add_texts(person)
        self._add_users_texts(person)
        self._add_tags(person)
        return person

    def erasing(self, person: Person, *, everything: bool = False) -> Erasing:
        """Who is erased from the lake."""
        remote_ids, marks = person.remote_ids(), person.marks()
        texts = {form for one in (*person.given, *person.texts) if "@" in one for form in forms(one)}
        values = {value for _model, _key, value in marks}

        def is_theirs(feed: str, record_id: str | None, payload: str | None) -> bool:
            if feed not in self.namings or not self.namings[feed]:
                return False
            if record_id is not None and record_id in remote_ids.get(feed, ()):
                return True
            text = payload or ""
            has_text = any(one in unescaped(text.casefold()) for one in texts)
            # most payloads are of others, and this is much quicker than reading each of them as JSON
            if not (has_text or any(one in text for one in values)):
                return False
            named = set(named_in(text, self.namings[feed]))
            return not named.isdisjoint(marks) if named else has_text

        return Erasing(person.ids, remote_ids, is_theirs, everything)

    def payloads(self, person: Person) -> Iterator[tuple[str, Any]]:
        """The kept raw payloads of a person, each with its feed."""
        theirs = self.erasing(person).is_theirs
        for feed in (name for name, namings in self.namings.items() if namings):
            for row in read_raw(self.lake.listed(self.files.raw.get(feed, []))):
                if theirs(feed, row.record_id, row.payload):
                    yield feed, row

    def _named(self, given: str) -> dict[str, dict[str, str | None]]:
        """Our ids by model, each with the source's id if that is known, of whoever has this e-mail address or id."""
        if "@" in given:
            return self._by_address(address_key(given))
        if found := _REMOTE.fullmatch(given):
            if found[1] == "user":
                return {}
            model, remote_id = f"{found[1]}s", found[2]
            rows = self._rows(f"SELECT DISTINCT id FROM {self.versions(model)} WHERE remote_id = ?", remote_id)
            # nobody may have it any more, but a verification looks for what was made of it
            return {model: dict.fromkeys([one for (one,) in rows] or [self.lake.ids.of(model, remote_id)], remote_id)}
        for model in PEOPLE:
            if self._rows(f"SELECT 1 FROM {self.versions(model)} WHERE id = ? LIMIT 1", given):
                return {model: {given: None}}
        for model in PEOPLE:
            for (one,) in self._rows(f"SELECT DISTINCT id FROM {self.versions(model)}"):
                if pseudonym(self.key, model, one) == given:
                    return {model: {one: None}}
        return {}

    def _users(self, given: str) -> set[str]:
        """Our ids of the users of this address or id. A pseudonym is tried out, as there are few users."""
        if "@" in given and not _REMOTE.fullmatch(given):
            rows = self._rows(f"SELECT DISTINCT id, email FROM {self.personal('users')} WHERE email IS NOT NULL")
            return {one for one, address in rows if address_key(address) == address_key(given)}
        if (found := _REMOTE.fullmatch(given)) and found[1] == "user":
            query, value = f"SELECT id FROM {self.personal('users')} WHERE lower(remote_id) = ?", found[2].casefold()
        else:
            known = self._rows(f"SELECT DISTINCT id FROM {self.versions('users')}")
            return {one for (one,) in known if given in (one, pseudonym(self.key, "users", one))}
        return {one for (one,) in self._rows(query, value)}

    def _add_users_texts(self, person: Person) -> None:
        """Addresses and names of an employee."""
        query = f"""SELECT first_name, last_name, email FROM {self.personal("users")} WHERE list_contains(?, id)"""
        for first, last, address in self._rows(query, list(person.users)):
            person.names |= {name for name in (" ".join(part for part in (first, last) if part),) if name}
            person.texts |= {address} if address else set()
        person.pseudonyms |= {pseudonym(self.key, "users", one) for one in person.users}

    def _add_tags(self, person: Person) -> None:
        links, of = self.versions("candidate_tags"), list(person.ids["candidates"])
        theirs = f"SELECT tag_id FROM {links} WHERE list_contains(?, candidate_id)"
        others = f"SELECT tag_id FROM {links} WHERE NOT list_contains(?, candidate_id)"
        person.tags |= {one for (one,) in self._rows(f"{theirs} EXCEPT {others}", of, of) if one is not None}

    def _by_address(self, address: str) -> dict[str, dict[str, str | None]]:
        """Whose own address this is. Somebody whose application names it, such as a referee's, is somebody else."""
        personal = self.personal("candidates")
        known = self._rows(f"SELECT DISTINCT id, unnest(email_addresses).email_address FROM {personal}")
        found: dict[str, str | None] = {one: None for one, own in known if own and address_key(own) == address}
        # an address of an odd form is in no column
        for one, shown in self._rows(f"SELECT DISTINCT id, remote_data FROM {personal} WHERE remote_data LIKE '%@%'"):
            if one not in found and any(address_key(own) == address for own in addresses_in(shown)):
                found[one] = None
        for feed, namings in self.namings.items():
            for row in read_raw(self.lake.listed(self.files.raw.get(feed, []))) if namings else ():
                for naming, value, own in own_addresses(row.payload, namings):
                    if address_key(own) == address:
                        found |= self._of_key(naming.model, naming.key, value)
        return {"candidates": found, "applications": {}}

    def _of_key(self, model: str, key: str, value: str) -> dict[str, str | None]:
        """Our id of a record that a payload names."""
        known = self._rows(f"SELECT DISTINCT id FROM {self.versions(model)} WHERE {key} = ?", value)
        return {one: value if key == "remote_id" else None for (one,) in known}

    def _add_applications(self, person: Person) -> None:
        versions = self.versions("applications")
        own = list(person.ids["applications"])
        rows = self._rows(f"SELECT DISTINCT candidate_id FROM {versions} WHERE list_contains(?, id)", own)
        for (candidate,) in rows:
            if candidate is not None:
                person.ids["candidates"].setdefault(candidate, None)
        of = list(person.ids["candidates"])
        for (one,) in self._rows(f"SELECT DISTINCT id FROM {versions} WHERE list_contains(?, candidate_id)", of):
            person.ids["applications"].setdefault(one, None)

    def _add_remote_ids(self, person: Person) -> None:
        for model, found in person.ids.items():
            query = f"SELECT DISTINCT id, remote_id FROM {self.versions(model)} WHERE list_contains(?, id)"
            found |= {one: remote for one, remote in self._rows(query, list(found)) if remote is not None}
            person.pseudonyms |= {pseudonym(self.key, model, one) for one in found}

    def _add_texts(self, person: Person) -> None:
        """Addresses, phone numbers and whole names of the newest and the older personal columns."""
        query = f"""SELECT first_name, last_name, email_addresses, phone_numbers FROM {self.personal("candidates")}
            WHERE list_contains(?, id)"""
        for first, last, addresses, phones in self._rows(query, list(person.ids["candidates"])):
            if name := " ".join(part for part in (first, last) if part):
                person.names.add(name)
            person.texts |= {one["email_address"] for one in addresses or () if one["email_address"]}
            numbers = {one["phone_number"] for one in phones or () if one["phone_number"]}
            person.texts |= {one for one in numbers if len(_PHONE_LETTERS.sub("", one)) >= LEAST_DIGITS}
        query = f"""SELECT DISTINCT integration_external_id FROM {self.personal("applications")}
            WHERE list_contains(?, id) AND integration_external_id IS NOT NULL"""
        person.texts |= {one for (one,) in self._rows(query, list(person.ids["applications"]))}
        for model, found in person.ids.items():
            query = f"SELECT content_hash, payload_hash FROM {self.versions(model)} WHERE list_contains(?, id)"
            person.texts |= {one for row in self._rows(query, list(found)) for one in row if one}

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.con.execute(query, list(values)).fetchall()
