"""Identities at an instant: names, addresses and tags of candidates, names and addresses of contacts."""

import unicodedata
from functools import lru_cache
from typing import Any

from join_pipeline.sandbox.candidates import MOVED, RENAMED, REPHONED, TAGGED, UNTAGGED
from join_pipeline.sandbox.company import Company
from join_pipeline.sandbox.draws import Draw
from join_pipeline.sandbox.vocabulary.forms import TAGS
from join_pipeline.sandbox.vocabulary.people import CULTURES, EMAIL_DOMAINS, LINK_TYPES, POSITIONS, Culture

_SPELLED_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "'": None}
)
_BY_SHARE = tuple(culture for culture in CULTURES for _ in range(culture.share))


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    """A name as it stands in an e-mail address."""
    return unicodedata.normalize("NFKD", name.lower().translate(_SPELLED_OUT)).encode("ascii", "ignore").decode()


def _named(draw: Draw) -> tuple[Culture, str, str]:
    culture = draw.pick(_BY_SHARE)
    return culture, draw.pick(culture.first_names), draw.pick(culture.last_names)


def candidate(company: Company, index: int, now: int) -> dict[str, Any]:
    """The `candidate` of an application payload."""
    counts = [0] * 5
    tags: list[str] = []
    for kind, tag in company.people.changes(index, now):
        counts[kind] += 1
        if kind == TAGGED:
            tags.append(TAGS[tag])
        elif kind == UNTAGGED:
            tags.remove(TAGS[tag])
    # a duplicate of a person has the same name and another number
    culture, first, last = _named(Draw(company.seed, "person", company.arrivals.twin.get(index, index)))
    draw = Draw(company.seed, "candidate", index)
    domain = EMAIL_DOMAINS[(draw.below(len(EMAIL_DOMAINS)) + 2 * counts[MOVED]) % len(EMAIL_DOMAINS)]
    plain = _plain(first)
    email = f"{plain}.{_plain(last)}.{index + 1}@{domain}"
    phone = culture.phone.format((draw.below(100) + 7 * counts[REPHONED]) % 100) if draw.chance(80) else None
    if counts[RENAMED]:
        last = f"{last}-{draw.pick(culture.last_names)}"
    has_links, has_country, shows_null = draw.chance(35), draw.chance(85), draw.chance(40)
    country = culture.country if has_country else None
    return {
        "id": index + 1,
        "firstName": first,
        "lastName": last,
        "email": email,
        "phoneNumber": phone,
        "country": None if country is None else {"name": country[0], "iso3166": country[1]},
        "tags": tags if tags or counts[UNTAGGED] or not shows_null else None,
        "professionalLinks": [
            {
                "type": draw.pick(LINK_TYPES),
                "url": None if draw.chance(5) else f"https://example.com/in/{plain}-{index + 1}",
            }
        ]
        if has_links
        else [],
    }


def candidate_by_email(company: Company, email: str, now: int) -> int | None:
    """The candidate of the timeline with this address; addresses carry the candidate's number."""
    number = email.partition("@")[0].rpartition(".")[2]
    if not (number.isascii() and number.isdigit() and 0 < int(number) <= company.arrivals.n_candidates):
        return None
    index = int(number) - 1
    return index if candidate(company, index, now)["email"] == email.lower() else None


@lru_cache(maxsize=4096)
def contact(seed: int, index: int) -> dict[str, Any]:
    """A job's `contact`. About every eighth has no e-mail address."""
    draw = Draw(seed, "contact", index)
    _, first, last = _named(draw)
    has_email, has_one_name = not draw.chance(13), draw.chance(6)
    return {
        "name": first if has_one_name else f"{first} {last}",
        "email": f"{_plain(first)}.{_plain(last)}{index + 1}@{draw.pick(EMAIL_DOMAINS)}" if has_email else None,
        "position": draw.pick(POSITIONS),
    }
