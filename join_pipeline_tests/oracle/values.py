"""Single values (instants, addresses, JSON): payload fragment in, a column's value out, None where JOIN gives none."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from join_pipeline_tests.oracle import words

PLACE_FIELDS = ("city", "country", "raw", "state", "street_1", "street_2", "zip_code")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def text_id(record: Mapping[str, Any] | None) -> str | None:
    """JOIN's key of a record, as text."""
    return None if record is None or record.get("id") is None else str(record["id"])


def unsigned(value: Any) -> Any:
    """The same JSON value; every text in it that is a URL has lost its query."""
    if isinstance(value, dict):
        return {key: unsigned(member) for key, member in value.items()}
    if isinstance(value, list):
        return [unsigned(member) for member in value]
    if isinstance(value, str) and _URL.fullmatch(value):
        return urlsplit(value)._replace(query="").geturl()
    return value


def email(text: str | None) -> str | None:
    """The address as it came, or None where it is none."""
    return text if text is not None and _EMAIL.fullmatch(text) else None


def place(**given: str | None) -> dict[str, str | None]:
    """A location; a country of two letters is ISO 3166-1 alpha-2 and upper-case, any other stays as it came."""
    location = {name: given.get(name) for name in PLACE_FIELDS}
    country = location["country"]
    if country is not None and re.fullmatch("[A-Za-z]{2}", country):
        location["country"] = country.upper()
    return location


def office_place(office: Mapping[str, Any] | None) -> dict[str, str | None] | None:
    if office is None:
        return None
    street = " ".join(part for part in (office.get("streetName"), office.get("streetNumber")) if part)
    return place(
        city=office.get("city"),
        country=office.get("countryIso"),
        raw=office.get("name"),
        street_1=street or None,
        zip_code=office.get("postalCode"),
    )


def country_place(country: Mapping[str, Any] | None) -> dict[str, str | None] | None:
    return None if country is None else place(country=country.get("iso3166"), raw=country.get("name"))


def integration_field(key: str, value: Any) -> dict[str, Any]:
    kinds = {str: "TEXT", bool: "BOOLEAN", int: "NUMBER", float: "NUMBER"}
    return {"id": key, "key": key, "type": kinds.get(type(value), "JSON"), "value": value, "label": None}


def question_key(format_type: str, title: str) -> str:
    return f"{format_type}:{hashlib.sha256(title.encode()).hexdigest()[:32]}"


def employment_type(entry: Mapping[str, Any] | None) -> str | None:
    """Ours for an entry of /employmentTypes, or its own name."""
    if entry is None:
        return None
    letters = (re.sub("[^a-z]", "", (entry.get(key) or "").lower()) for key in ("slug", "name"))
    known = [words.EMPLOYMENT_TYPE[word] for word in letters if word in words.EMPLOYMENT_TYPE]
    return known[0] if known else entry.get("name")


def team_role(role: str) -> str:
    known = role.upper().replace(" ", "_").replace("-", "_")
    return known if known in words.TEAM_ROLES else role
