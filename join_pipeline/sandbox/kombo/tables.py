"""One table of Kombo's copy: its records, and when each changed, was deleted and lost its fields."""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from join_pipeline.sandbox.instants import NEVER


@dataclass(slots=True)
class Entry:
    """One record. Instants are those of the syncs that saw it; `links` are what is nested, by name."""

    id: str
    key: int | str
    fields: dict[str, Any] | None  # None once they are nulled
    links: dict[str, Any]
    changed: int  # of its own fields, deletion and return
    linked: int  # when a link came or went
    payload: Any = None  # JOIN's, for `remote_data`
    deleted: int = NEVER

    @property
    def is_live(self) -> bool:
        return self.deleted == NEVER


@dataclass(slots=True)
class Table:
    """The records of one model by JOIN's key. `changes` gathers what changed, by the names that webhooks use."""

    model: str
    make_id: Callable[[object], str]
    changes: set[str]
    entries: dict[int | str, Entry] = field(default_factory=dict)
    _fading: deque[tuple[int, int | str]] = field(default_factory=deque)

    def live(self, key: int | str) -> Entry | None:
        entry = self.entries.get(key)
        return entry if entry is not None and entry.is_live else None

    def put(
        self,
        key: int | str,
        fields: dict[str, Any],
        at: int,
        *,
        links: dict[str, Any] | None = None,
        payload: Any = None,
        compares_payload: bool = True,
    ) -> None:
        """A record as it is now: new, changed, returned, or the same."""
        links = links or {}
        entry = self.entries.get(key)
        if entry is None:
            self.entries[key] = Entry(self.make_id(key), key, fields, links, at, at, payload)
            self.changes.update([f"ats_{self.model}", *(name for name, linked in links.items() if linked)])
            return
        is_other_payload = compares_payload and entry.payload != payload
        if not entry.is_live or entry.fields != fields or is_other_payload:
            entry.changed, entry.deleted = at, NEVER
            self.changes.add(f"ats_{self.model}")
        others = [name for name in links if entry.links.get(name) != links[name]]
        if others:
            entry.linked = at
            self.changes.update(others)
        entry.fields, entry.links, entry.payload = fields, links, payload

    def remove(self, key: int | str, at: int) -> None:
        """A record that is not found any more."""
        entry = self.live(key)
        if entry is not None:
            entry.changed = entry.deleted = at
            self._fading.append((at, key))
            self.changes.update([f"ats_{self.model}", *(name for name, linked in entry.links.items() if linked)])

    def keep(self, keys: Collection[int | str], at: int) -> None:
        """Remove all but these."""
        for key in [key for key, entry in self.entries.items() if entry.is_live and key not in keys]:
            self.remove(key, at)

    def null(self, before: int, at: int) -> None:
        """Take the fields of what was deleted at or before an instant and has not returned."""
        while self._fading and self._fading[0][0] <= before:
            deleted, key = self._fading.popleft()
            entry = self.entries[key]
            if entry.deleted == deleted and entry.fields is not None:
                entry.fields, entry.links, entry.payload, entry.changed = None, {}, None, at
                self.changes.add(f"ats_{self.model}")
