"""The parameters of the lists: filters by model, and the opaque cursor.

Every parameter is checked. An unknown one is rejected, because a misspelled filter would list everything.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from join_pipeline.sandbox import instants
from join_pipeline.sandbox.kombo.answers import invalid
from join_pipeline.sandbox.kombo.records import Records
from join_pipeline.sandbox.kombo.tables import Entry

Test = Callable[[Entry], bool]
Filter = Callable[[str, Records], Test]  # from a parameter's text

DEFAULT_PAGE: Final = 100
MAX_PAGE: Final = 250


def page_size(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAX_PAGE):
        raise invalid(f"page_size must lie between 1 and {MAX_PAGE}")
    return int(text)


def flag(name: str, text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise invalid(f"{name} must be true or false")
    return text == "true"


def instant(name: str, text: str) -> int:
    try:
        # a plus that nobody encoded arrives as a space
        return instants.parse(text.replace(" ", "+"))
    except ValueError as error:
        raise invalid(f"{name} must be an ISO 8601 instant") from error


def _field(entry: Entry, name: str) -> Any:
    return (entry.fields or {}).get(name)


def _one_of(field: str) -> Filter:
    def parse(text: str, _: Records) -> Test:
        wanted = set(text.split(","))
        return lambda entry: _field(entry, field) in wanted

    return parse


def _word_of(name: str, field: str, *words: str) -> Filter:
    def parse(text: str, records: Records) -> Test:
        if unknown := set(text.split(",")) - set(words):
            raise invalid(f"{name} takes {', '.join(words)}; not {', '.join(sorted(unknown))}")
        return _one_of(field)(text, records)

    return parse


def _same(field: str) -> Filter:
    return lambda text, _: lambda entry: (_field(entry, field) or "").casefold() == text.casefold()


def _created_after(text: str, _: Records) -> Test:
    since = instant("remote_created_after", text)
    return lambda entry: (at := _field(entry, "remote_created_at")) is not None and instants.parse(at) >= since


def _ids(text: str, _: Records) -> Test:
    wanted = set(text.split(","))
    return lambda entry: entry.id in wanted


def _remote_ids(text: str, _: Records) -> Test:
    wanted = set(text.split(","))
    return lambda entry: entry.fields is not None and str(entry.key) in wanted


def _emails(text: str, _: Records) -> Test:
    wanted = {address.lower() for address in text.split(",")}
    return lambda entry: _field(entry, "email") in wanted


def _email(text: str, _: Records) -> Test:
    return lambda entry: any(
        address["email_address"].lower() == text.lower() for address in _field(entry, "email_addresses") or []
    )


def _jobs_of_candidate(text: str, records: Records) -> Test:
    wanted = set(text.split(","))
    return lambda entry: not wanted.isdisjoint(records.jobs_of(entry))


def _job_remote_ids(text: str, records: Records) -> Test:
    return _one_of("job_id")(",".join(records.id_of("jobs", key) for key in text.split(",")), records)


def _name_contains(text: str, _: Records) -> Test:
    return lambda entry: text.casefold() in (_field(entry, "name") or "").casefold()


# filters on fields that the connector lacks: they empty the list unless they are ignored
UNSUPPORTED: Final = {"jobs": ("job_codes",), "applications": ("remote_created_after",)}
COMMON: Final[Mapping[str, Filter]] = {"ids": _ids, "remote_ids": _remote_ids}
FILTERS: Final[Mapping[str, Mapping[str, Filter]]] = {
    "users": {"emails": _emails},
    "jobs": {
        "statuses": _word_of("statuses", "status", "OPEN", "CLOSED", "DRAFT", "ARCHIVED"),
        "employment_types": _word_of(
            "employment_types", "employment_type", "FULL_TIME", "PART_TIME", "CONTRACT", "SEASONAL", "INTERNSHIP"
        ),
        "visibilities": _word_of("visibilities", "visibility", "PUBLIC", "INTERNAL", "UNLISTED", "CONFIDENTIAL"),
        "post_url": _one_of("post_url"),
        "name_contains": _name_contains,
        "remote_created_after": _created_after,
        "job_codes": _one_of("job_code"),
    },
    "candidates": {
        "email": _email,
        "job_ids": _jobs_of_candidate,
        "first_name": _same("first_name"),
        "last_name": _same("last_name"),
    },
    "application_stages": {},
    "applications": {
        "outcomes": _word_of("outcomes", "outcome", "PENDING", "HIRED", "DECLINED"),
        "job_ids": _one_of("job_id"),
        "job_remote_ids": _job_remote_ids,
        "current_stage_ids": _one_of("current_stage_id"),
        "remote_created_after": _created_after,
    },
    "tags": {},
}
PLAIN: Final = ("cursor", "page_size", "updated_after", "include_deleted", "ignore_unsupported_filters")


def tests(model: str, query: Mapping[str, str], records: Records, *, lacks: tuple[str, ...]) -> list[Test]:
    """What a record has to pass. `lacks` names filters on fields that are not filled."""
    known = {**COMMON, **FILTERS[model]}
    if unknown := set(query) - set(known) - set(PLAIN):
        raise invalid(f"unknown parameters: {', '.join(sorted(unknown))}")
    found: list[Test] = []
    if not flag("include_deleted", query.get("include_deleted")):
        found.append(lambda entry: entry.is_live)
    if (text := query.get("updated_after")) is not None:
        since = instant("updated_after", text)
        found.append(lambda entry: records.touched(model, entry) > since)
    ignores = flag("ignore_unsupported_filters", query.get("ignore_unsupported_filters"))
    for name, parse in known.items():
        if name not in query:
            continue
        test = parse(query[name], records)
        if name not in lacks:
            found.append(test)
        elif not ignores:
            found.append(lambda _: False)
    return found


def _digest(query: Mapping[str, str]) -> str:
    others = {name: text for name, text in query.items() if name not in ("cursor", "page_size")}
    # a flag that is false is one that was not given
    repeated = sorted(other for other in others.items() if other[1] != "false")
    return blake2b(repr(repeated).encode(), digest_size=6).hexdigest()


def cursor_after(last_id: str, query: Mapping[str, str]) -> str:
    """The cursor of what comes after a record, good for the same filters only."""
    return urlsafe_b64encode(msgspec.json.encode([last_id, _digest(query)])).decode().rstrip("=")


def read_cursor(query: Mapping[str, str]) -> str:
    """The id after which to go on; empty at the beginning."""
    text = query.get("cursor")
    if text is None:
        return ""
    try:
        last_id, digest = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=tuple[str, str])
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise invalid("cursor is not one of ours") from error
    if digest != _digest(query):
        raise invalid("cursor belongs to other filters: repeat those of the first page")
    return last_id
