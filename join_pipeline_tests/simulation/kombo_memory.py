"""What a pipeline can know of Kombo: what Kombo showed during syncs, what arrived, what was lost or broken."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from join_pipeline.sandbox.kombo.config import MODELS as LISTED
from join_pipeline_tests.simulation.kombo_shown import Shown
from join_pipeline_tests.simulation.memory import Memory, Span
from join_pipeline_tests.simulation.observed import Observed, RawRecord

# a record that lacks one of these is read, and null where the key was
DUE: dict[str, set[str]] = {model: {"name"} for model in ("tags", "application_stages")} | {
    "applications": {"candidate", "job", "current_stage"},
    "candidates": set(),
    "jobs": {"name", "status"},
    "users": set(),
}


@dataclass(frozen=True)
class KomboSpan(Span):
    """One committed sync, and what Kombo showed in it: at its beginning, and after each change."""

    shown: tuple[Shown, ...] = ()
    refused: frozenset[str] = frozenset()


@dataclass
class KomboMemory(Memory):
    """Everything up to the last committed sync, by Kombo's ids; `tainted` and `misread` are by JOIN's, as in bounds."""

    spoiled: dict[str, set[str]] = field(default_factory=lambda: {model: set() for model in LISTED})
    missed: dict[str, set[str]] = field(default_factory=lambda: {model: set() for model in LISTED})
    arrived: dict[str, set[str]] = field(default_factory=lambda: {model: set() for model in LISTED})
    was_switched: bool = False  # models vanished at Kombo that are there at JOIN

    def take_shown(self, after: Observed, span: KomboSpan, lost: dict[str, frozenset[str]]) -> None:
        """Take note of a committed sync, before it is judged."""
        self.spans.append(span)
        self.learn_truth()
        for model in LISTED:
            self.missed[model] |= lost.get(model, frozenset())
        self._is_blind = self._is_blind or span.is_set_back
        if span.spoils or any(lost.values()) or span.is_set_back:
            self.is_honest = False
        self.was_odd = self.was_odd or bool(self.account.odd)
        raw = list(after.raw(span.record.sync_id, LISTED))
        broken = set(after.quarantined(span.record.sync_id))
        for record in sorted(raw, key=lambda one: one.fetched_at):
            self._note(record, is_broken=record.identity in broken)
        for feed in LISTED:
            nameless = any(one[0] == feed and one[1] is None for one in broken)
            if nameless:
                self.spoiled[feed].add("unknown")
            elif span.record.mode == "full" and feed not in span.refused:
                self.spoiled[feed].discard("unknown")

    def forget_missed(self, span: KomboSpan, lost: dict[str, frozenset[str]]) -> None:
        """A whole list shows whatever has come back."""
        record = span.record
        if record.mode != "full" or record.verdict != "committed" or record.pending:
            return
        self._is_blind = self._is_blind and span.is_set_back
        for model in set(LISTED) - span.refused:
            self.missed[model] &= lost.get(model, frozenset())

    def _note(self, record: RawRecord, *, is_broken: bool) -> None:
        key, spoiled = str(record.key), self.spoiled[record.feed]
        text = record.text or ""
        lacks = record.payload is not None and not record.payload.keys() >= DUE[record.feed]
        is_spoiled = is_broken or lacks or key in self.account.odd or "ON_HOLD" in text or "talentScore" in text
        (spoiled.add if is_spoiled else spoiled.discard)(key)
        if record.payload is not None and not is_broken:
            # one whose numbers nobody can hold is read as empty here, and tells nothing of a deletion
            if record.payload and record.payload.get("remote_deleted_at") is None:
                self.arrived[record.feed].add(key)
            if record.feed == "applications":
                self._note_application(record.payload, is_spoiled=is_spoiled)
        elif record.feed == "applications" and is_broken and isinstance(record.payload, dict):
            self._note_application(record.payload, is_spoiled=True)

    def _note_application(self, payload: dict[str, Any], *, is_spoiled: bool) -> None:
        """`bounds` names applications as JOIN does."""
        remote_id = self.account.odd.get(str(payload.get("id")), payload).get("remote_id")
        if remote_id is None:
            return
        tainted = self.tainted["applications"]
        (tainted.add if is_spoiled else tainted.discard)(remote_id)
        if is_spoiled and (payload.get("outcome") == "ON_HOLD" or str(payload.get("id")) in self.account.odd):
            self.misread.add(remote_id)

    def is_known(self, model: str, key: str, span: KomboSpan) -> bool:
        """Whether nothing excuses that a pipeline does not know this of a record that was shown all the time."""
        if {key, "unknown"} & self.spoiled[model] or model in span.refused:
            return False
        is_full = span.record.mode == "full"
        return is_full or (key not in self.missed[model] and not self._is_blind)


def of_a_sync(shown: Iterable[Shown], started_at: datetime) -> tuple[Shown, ...]:
    """What was shown from its start on; the server tells whole seconds."""
    ordered = list(shown)
    begun = [n for n, one in enumerate(ordered) if one.at <= started_at - timedelta(seconds=2)]
    return tuple(ordered[begun[-1] if begun else 0 :])
