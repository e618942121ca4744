"""The fields and types of JOIN's records, as far as clients that run against the live API know them.

A field that only JOIN's documentation or an integrator names may be absent; one that these clients read may not.
"""

from typing import Any, Final

TEXT: Final = (str,)
MAYBE_TEXT: Final = (str, type(None))
NUMBER: Final = (int, float, type(None))
FLAG: Final = (bool,)

Shape = dict[str, Any]  # field → types, or a shape of its own, or a list of one shape

OFFICE: Final[Shape] = {
    "id": (int, type(None)),
    "name": MAYBE_TEXT,
    "streetName": MAYBE_TEXT,
    "streetNumber": MAYBE_TEXT,
    "postalCode": MAYBE_TEXT,
    "city": MAYBE_TEXT,
    "countryIso": MAYBE_TEXT,
    "isDefault": (bool, type(None)),
}
JOB: Final[Shape] = {
    "id": (int,),
    "title": TEXT,
    "status": TEXT,
    "externalId": MAYBE_TEXT,
    "createdAt": TEXT,
    "lastUpdatedAt": TEXT,
    "language": TEXT,
    "workplaceType": MAYBE_TEXT,
    "remoteType": MAYBE_TEXT,
    "remote": FLAG,
    "categoryId": (int,),
    "employmentTypeId": (int,),
    "seniorityId": (int, type(None)),
    "office": (OFFICE, type(None)),
    "salary": (
        {"from": NUMBER, "to": NUMBER, "currency": TEXT, "frequency": TEXT, "isShownOnJobAd": FLAG},
        type(None),
    ),
    "contact": ({"name": TEXT, "email": MAYBE_TEXT, "position": MAYBE_TEXT}, type(None)),
}
APPLICATION: Final[Shape] = {
    "id": (int,),
    "createdAt": TEXT,
    "lastUpdatedAt": TEXT,
    "currentStage": ({"id": (int,), "name": TEXT, "index": (int,)},),
    "job": ({"id": (int,), "title": TEXT, "externalId": MAYBE_TEXT},),
    "candidate": (
        {
            "id": (int,),
            "firstName": TEXT,
            "lastName": TEXT,
            "email": TEXT,
            "phoneNumber": MAYBE_TEXT,
            "country": ({"name": TEXT, "iso3166": TEXT}, type(None)),
            "tags": ([TEXT], type(None)),
            "professionalLinks": ([({"type": TEXT, "url": MAYBE_TEXT},)],),
        },
    ),
    "source": ({"product": TEXT, "isPremium": FLAG},),
    "attachments": ([({"type": TEXT, "url": TEXT},)],),
    "screeningQuestions": (
        [({"question": TEXT, "type": TEXT, "answer": MAYBE_TEXT, "file": MAYBE_TEXT, "isSkipped": FLAG},)],
    ),
    "qualified": TEXT,
    "consent": ({"id": (int, str), "consentStatus": TEXT},),
    "integrationExternalId": MAYBE_TEXT,
}
NAMED: Final[Shape] = {"id": (int,), "name": TEXT}
CATEGORY: Final[Shape] = NAMED | {"subCategories": ([(NAMED,)],)}


def misfits(value: Any, allowed: tuple[Any, ...], path: str = "") -> list[str]:
    """Where a value is none of what is allowed; empty if it fits."""
    for one in allowed:
        if isinstance(one, dict) and isinstance(value, dict):
            found = [f"{path}.{name} is missing" for name in one if name not in value]
            return found + [
                problem
                for name in one
                if name in value
                for problem in misfits(value[name], one[name], f"{path}.{name}")
            ]
        if isinstance(one, list) and isinstance(value, list):
            return [
                problem for place, item in enumerate(value) for problem in misfits(item, one[0], f"{path}[{place}]")
            ]
        if isinstance(one, type) and isinstance(value, one) and (one is bool or not isinstance(value, bool)):
            return []
    return [f"{path} is {type(value).__name__}"]
