"""The changes of candidates: tags, telephone, e-mail, name; and the consent to each application.

Belongs here: when they change, as columns. Not here: the values (payloads draws them on request).
"""

from dataclasses import dataclass

import numpy as np

from join_pipeline.sandbox.arrivals import Arrivals
from join_pipeline.sandbox.draws import Dice, Ints
from join_pipeline.sandbox.instants import MINUTE, NEVER
from join_pipeline.sandbox.journeys import Log, concatenate
from join_pipeline.sandbox.vocabulary.forms import TAGS

TAGGED, UNTAGGED, REPHONED, MOVED, RENAMED = range(5)


@dataclass(frozen=True)
class People:
    """Changes by candidate and then by time; those of candidate c are the rows `starts[c]` up to `starts[c + 1]`."""

    at: Ints
    candidate: Ints
    kind: Ints
    tag: Ints
    starts: Ints
    consent_at: Ints  # by application: when the candidate answers the request for consent; NEVER where nothing changes

    def rows(self, candidate: int) -> range:
        if candidate + 1 >= len(self.starts):
            return range(0)
        return range(self.starts.item(candidate), self.starts.item(candidate + 1))

    def changes(self, candidate: int, now: int) -> list[tuple[int, int]]:
        """Kind and tag of what has changed up to `now`."""
        found = []
        for row in self.rows(candidate):
            if self.at.item(row) > now:
                break
            found.append((self.kind.item(row), self.tag.item(row)))
        return found


def make_people(dice: Dice, arrivals: Arrivals, gone: Ints) -> People:
    """Changes of candidates while their first application exists. `gone` has the deletion of each application."""
    n = arrivals.n_candidates
    _, first = np.unique(arrivals.candidate, return_index=True)
    born, dead = arrivals.created[first], gone[first]
    moments, whose, kinds, tags = [], [], [], []

    def happens(kind: int, who: Ints, moment: Ints, tag: Ints) -> None:
        rows = np.flatnonzero(moment < dead[who])
        moments.append(moment[rows])
        whose.append(who[rows])
        kinds.append(np.full(len(rows), kind))
        tags.append(tag[rows])

    tag, step = dice.below(len(TAGS), n), dice.below(len(TAGS) - 1, n) + 1
    who, moment = np.arange(n), born
    for share, wait in ((0.26, 1.5), (0.4, 6.0), (0.3, 12.0)):
        chosen = dice.chance(share, len(who))
        who, moment = who[chosen], moment[chosen]
        moment = dice.in_office(moment + dice.days(wait, 1.0, len(who)), moment)
        tag = (tag + step) % len(TAGS)  # the number of tags is a prime: never the same twice
        happens(TAGGED, who, moment, tag[who])
        leaves = np.flatnonzero(dice.chance(0.22, len(who)))
        until = dice.in_office(moment[leaves] + dice.days(20.0, 0.9, len(leaves)), moment[leaves])
        happens(UNTAGGED, who[leaves], until, tag[who[leaves]])
    for kind, share in ((REPHONED, 0.03), (MOVED, 0.02), (RENAMED, 0.006)):
        who = np.flatnonzero(dice.chance(share, n))
        happens(kind, who, dice.at_home(born[who] + dice.days(15.0, 1.0, len(who)), born[who]), tag[who])

    at, candidate, kind_, tag_ = (np.concatenate(column) for column in (moments, whose, kinds, tags))
    order = np.lexsort((kind_, at, candidate))
    is_asked = dice.chance(0.2, len(arrivals.created))
    answered = arrivals.created + 5 * MINUTE + dice.days(0.6, 1.0, len(is_asked))
    return People(
        at=at[order],
        candidate=candidate[order].astype(np.int32),
        kind=kind_[order].astype(np.uint8),
        tag=tag_[order].astype(np.uint8),
        starts=np.searchsorted(candidate[order], np.arange(n + 1)),
        consent_at=np.where(is_asked & (answered < gone), answered, NEVER),
    )


def make_touches(people: People, arrivals: Arrivals, gone: Ints) -> Log:
    """The same changes for each application of the candidate that exists at that instant."""
    by_candidate = np.argsort(arrivals.candidate, kind="stable")
    starts = np.searchsorted(arrivals.candidate[by_candidate], np.arange(arrivals.n_candidates + 1))
    counts = np.diff(starts)[people.candidate]
    change = np.repeat(np.arange(len(people.at)), counts)
    within = np.arange(len(change)) - np.repeat(np.cumsum(counts) - counts, counts)
    application = by_candidate[starts[people.candidate[change]] + within]
    at = people.at[change]
    shows = (arrivals.created[application] <= at) & (at < gone[application])
    answers = np.flatnonzero(people.consent_at < NEVER)
    return concatenate([_touch(at[shows], application[shows]), _touch(people.consent_at[answers], answers)])


def _touch(at: Ints, application: Ints) -> Log:
    nothing = np.zeros(len(at), np.uint8)
    return Log(at, application.astype(np.int32), nothing, nothing)
