"""The page of an export: what is held about a person, to be read by the person, in German or English.

Belongs here: the words and the shape of the page. Not here: what is held (export). It is a file without scripts.
"""

import html
import json
from enum import StrEnum
from typing import Any, Final

from join_pipeline.people import german


class Language(StrEnum):
    """The languages of the page."""

    de = "de"
    en = "en"


_WORDS: Final[dict[Language, dict[str, str]]] = {
    Language.en: {
        "title": "Your data in this recruiting pipeline",
        "intro": "This is everything that this installation holds about you (Art. 15 GDPR). The same is in person.json,"
        " to be read by machines. Made at",
        "who": "Who you are here",
        "name": "Name",
        "contact": "Contact or number of an integration",
        "pseudonym": "Pseudonym in figures",
        "history": "What was observed, and when",
        "applications": "Your applications",
        "candidates": "Your entry as a candidate",
        "candidate_tags": "Tags that were given to you",
        "users": "Your entry as a user of the system",
        "job_hiring_team": "Jobs on whose hiring team you were",
        "contact_of": "Jobs whose contact you were",
        "payloads": "What the source sent, as long as it is kept",
        "quarantine": "What could not be read and was set aside",
        "creations": "Applications that were created from here",
        "origin": "Where it comes from, who gets it",
        "source": "It comes from the applicant management system that the company uses, by its interface",
        "recipients": "It is read by the account that runs the pipeline. Analysts get rows under pseudonyms, readers"
        " of the report get figures of groups only.",
        "people": "Names and contacts are published for those who may see them.",
        "no_people": "Names and contacts are not published.",
        "no_decision": "Nothing here decides about you, and no value scores you.",
        "kept": "Where it lies, and how long it stays",
        "place": "Place",
        "stays": "Stays",
        "files": "Files",
        "outside": "What this installation does not reach",
        "none": "Nothing.",
    },
    Language.de: {
        "title": "Ihre Daten in dieser Auswertung des Recruitings",
        "intro": "Das ist alles, was diese Installation über Sie hält (Art. 15 DSGVO). Dasselbe steht in person.json,"
        " für Maschinen lesbar. Erstellt am",
        "who": "Wer Sie hier sind",
        "name": "Name",
        "contact": "Kontakt oder Nummer einer Anbindung",
        "pseudonym": "Pseudonym in Auswertungen",
        "history": "Was wann beobachtet wurde",
        "applications": "Ihre Bewerbungen",
        "candidates": "Ihr Eintrag als Bewerberin oder Bewerber",
        "candidate_tags": "Schlagwörter, die Ihnen gegeben wurden",
        "users": "Ihr Eintrag als Nutzerin oder Nutzer des Systems",
        "job_hiring_team": "Stellen, zu deren Team Sie gehörten",
        "contact_of": "Stellen, deren Kontakt Sie waren",
        "payloads": "Was die Quelle geschickt hat, solange es aufbewahrt wird",
        "quarantine": "Was nicht gelesen werden konnte und beiseitegelegt wurde",
        "creations": "Bewerbungen, die von hier aus angelegt wurden",
        "origin": "Woher es kommt, wer es bekommt",
        "source": "Es kommt aus dem Bewerbermanagement, das das Unternehmen benutzt, über dessen Schnittstelle",
        "recipients": "Es liest das Konto, unter dem die Pipeline läuft. Wer auswertet, bekommt Zeilen unter"
        " Pseudonymen; wer den Bericht liest, bekommt nur Zahlen von Gruppen.",
        "people": "Namen und Kontakte werden für die veröffentlicht, die sie sehen dürfen.",
        "no_people": "Namen und Kontakte werden nicht veröffentlicht.",
        "no_decision": "Nichts hier entscheidet über Sie, und kein Wert bewertet Sie.",
        "kept": "Wo es liegt und wie lange es bleibt",
        "place": "Ort",
        "stays": "Bleibt",
        "files": "Dateien",
        "outside": "Was diese Installation nicht erreicht",
        "none": "Nichts.",
    },
}
_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.5rem}"
)


def page(document: dict[str, Any], language: Language) -> str:
    """The page of a person's document."""
    words = _WORDS[language]
    named = {**document["tags"], **{key: name for names in document["named"].values() for key, name in names.items()}}
    who = [(words["name"], one) for one in document["names"]]
    who += [(words["contact"], one) for one in document["contacts"]]
    who += [(words["pseudonym"], one) for one in document["pseudonyms"]]
    lines = german.OUTSIDE if language is Language.de else document["outside"]
    outside = "".join(f"<li>{_text(one)}</li>" for one in lines)
    people = words["people" if document["publishes_names"] else "no_people"]
    parts = [
        f"<h1>{_text(words['title'])}</h1><p>{_text(words['intro'])} {_text(document['made_at'])}.</p>",
        f"<h2>{_text(words['who'])}</h2>{_table(who) or _none(words)}",
        f"<h2>{_text(words['history'])}</h2>",
        *(_records(words, name, document["history"][name], named) for name in document["history"]),
        *(_records(words, name, document[name], named) for name in ("payloads", "quarantine", "creations")),
        f"<h2>{_text(words['origin'])}</h2><p>{_text(words['source'])} ({_text(document['source'])}).</p>",
        f"<p>{_text(words['recipients'])} {_text(people)} {_text(words['no_decision'])}</p>",
        f"<h2>{_text(words['kept'])}</h2>{_places(words, _told(document, language))}",
        f"<h2>{_text(words['outside'])}</h2><ul>{outside}</ul>",
    ]
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{_text(words["title"])}</title>'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>"
    )


def _records(words: dict[str, str], name: str, records: list[dict[str, Any]], named: dict[str, str]) -> str:
    shown = "".join(_table([(key, _named(value, named)) for key, value in one.items()]) + "<br>" for one in records)
    return f"<h3>{_text(words[name])}</h3>{shown or _none(words)}"


def _named(value: Any, named: dict[str, str]) -> Any:
    """The name of what an id stands for, beside the id."""
    return f"{named[value]} ({value})" if isinstance(value, str) and value in named else value


def _places(words: dict[str, str], places: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{_text(words[name])}</th>" for name in ("place", "files", "stays"))
    rows = "".join(
        f"<tr><td>{_text(one['place'])}</td><td>{len(one['files'])}</td><td>{_text(one['stays'])}</td></tr>"
        for one in places
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


def _told(document: dict[str, Any], language: Language) -> list[dict[str, Any]]:
    """The places in a language."""
    if language is Language.en:
        return list(document["places"])
    told = ((place, german.PLACES[place["place"]]) for place in document["places"])
    days = document["raw_days"]
    return [place | {"place": name, "stays": stays.format(raw_days=days)} for place, (name, stays) in told]


def _table(rows: list[tuple[str, Any]]) -> str:
    shown = "".join(f"<tr><th>{_text(key)}</th><td>{_value(value)}</td></tr>" for key, value in rows)
    return f"<table>{shown}</table>" if shown else ""


def _value(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"<pre>{_text(json.dumps(value, ensure_ascii=False, indent=1))}</pre>"
    return _text(value)


def _none(words: dict[str, str]) -> str:
    return f"<p>{_text(words['none'])}</p>"


def _text(value: Any) -> str:
    return html.escape(str(value))
