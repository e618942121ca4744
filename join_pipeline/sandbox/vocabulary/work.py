"""Work: job families with their titles and pipelines, places, and JOIN's reference lists in two languages."""

from typing import Final, NamedTuple


class Family(NamedTuple):
    """A kind of job. `stages` are the custom ones in their natural order; a job's pipeline takes some of them."""

    language: str
    category_id: int
    titles: tuple[str, ...]
    stages: tuple[str, ...]
    salary: tuple[int, int, str, str] | None


FAMILIES: Final = (
    Family(
        "de",
        101,
        (
            "Pflegefachfrau / Pflegefachmann HF 80–100 %",
            "Pflegehelfer:in (m/w/d)",
            "Dipl. Pflegefachperson, Nachtwache",
            "Stationsleitung Chirurgie (a)",
            "Medizinische:r Praxisassistent:in",
        ),
        ("Telefoninterview", "Vorstellungsgespräch", "Schnuppertag", "Gespräch mit Pflegedienstleitung"),
        (68_000, 92_000, "CHF", "PER_YEAR"),
    ),
    Family(
        "de",
        201,
        (
            "Elektroniker:in für Betriebstechnik (m/w/d)",
            "Schreiner EFZ (80–100%)",
            'Anlagenmechaniker "SHK" (m/w/d)',
            "Maler/in und Lackierer/in",
            "Kfz-Mechatroniker (m/w/d), Übertarif",
        ),
        ("Telefoninterview", "Betriebsbesichtigung", "Probearbeiten", "Gespräch mit Geschäftsführung"),
        (19, 27, "EUR", "PER_HOUR"),
    ),
    Family(
        "de",
        301,
        (
            "Verkäufer:in Teilzeit, Wochenende",
            "Filialleiter (m/w/d)",
            "Sachbearbeiter:in Buchhaltung",
            "Teamassistenz (m/w/d) in Teilzeit",
            "Außendienst Süddeutschland (m/w/d)",
        ),
        ("Vorauswahl", "Telefoninterview", "Persönliches Gespräch", "Probetag", "Gespräch mit Geschäftsführung"),
        (2_600, 3_900, "EUR", "PER_MONTH"),
    ),
    Family(
        "en",
        401,
        (
            "Senior Backend Engineer (f/m/x)",
            "Data Analyst",
            "Product Manager, Growth",
            "Site Reliability Engineer",
            "Frontend Developer – TypeScript & React",
        ),
        ("Phone screen", "Technical interview", "Take-home challenge", "On-site day", "Culture & values chat"),
        (65_000, 98_000, "EUR", "PER_YEAR"),
    ),
    Family(
        "en",
        501,
        (
            "Account Executive DACH",
            "Customer Success Manager",
            "Marketing Manager (80%)",
            "Sales Development Representative",
        ),
        ("Phone screen", "Hiring manager interview", "Case study", "Reference check"),
        (54_000, 80_000, "EUR", "PER_YEAR"),
    ),
    Family(
        "de",
        402,
        (
            "Softwareentwickler:in Java (80–100 %)",
            "ICT-Supporter:in EFZ",
            "Projektleitung Digitalisierung",
            "Lernende:r Informatik EFZ",
        ),
        ("Erstgespräch", "Technical interview", "Schnuppertag", "Zweitgespräch", "Gespräch mit Geschäftsführung"),
        (95_000, 125_000, "CHF", "PER_YEAR"),
    ),
)
MOST_CUSTOM_STAGES: Final = 4

FIRST_STAGE: Final = "Screening"
OFFER_STAGE: Final = "Offer"
HIRED_STAGE: Final = "Hired"

# What a careless recruiter pasted: whoever shows a title must escape it.
HOSTILE_TITLE: Final = 'Web Developer <script>alert("hello")</script> & more'
TITLE_SUFFIXES: Final = {
    "de": (" – ab sofort", " | neu: 4-Tage-Woche"),
    "en": (" – start immediately", " | now fully remote"),
}

DESCRIPTIONS: Final = {
    "de": "<h2>Über uns</h2><p>Wir sind ein Familienbetrieb in {city}, seit 1921.</p>\\n<h2>Aufgaben</h2><ul>"
    "<li>{title}</li><li>Freude am Umgang mit Menschen</li></ul><p>Fragen? „Ruf einfach an“, sagt {contact}.</p>",
    "en": "<h2>About us</h2><p>A team of 40, based in {city}.</p>\\n<h2>The role</h2><ul><li>{title}</li>"
    "<li>Own it, ship it</li></ul><p>Questions? Ask {contact} – we don't bite 🙂</p>",
}

OFFICES: Final = (
    # id, name, street, number, postal code, city, country, default
    (1, "Hauptsitz Zürich", "Förrlibuckstrasse", "178", "8005", "Zürich", "CH", True),
    (2, "Berlin", "Köpenicker Straße", "16A", "10997", "Berlin", "DE", False),
    (3, "München", "Rosenheimer Str.", "145", "81671", "München", "DE", False),
    (4, "Wien", "Währinger Gürtel", "12–14", "1180", "Wien", "AT", False),
    (5, "St. Gallen", "Vadianstrasse", "44", "9000", "St. Gallen", "CH", False),
    (6, "Filiale Köln-Mülheim", "Schanzenstraße", "6", "51063", "Köln", "DE", False),
    (7, "Genève", "Rue du Rhône", "80", "1204", "Genève", "CH", False),
    (8, "Remote", None, None, None, None, "DE", False),
    (9, None, None, None, None, "Winterthur", "CH", False),
)

# id, slug, English, German, and for categories the sub-categories in the same shape
CATEGORIES: Final = (
    (
        10,
        "healthcare",
        "Healthcare",
        "Gesundheitswesen",
        ((101, "nursing", "Nursing", "Pflege"), (102, "medicine", "Medicine", "Medizin")),
    ),
    (
        20,
        "crafts",
        "Crafts & Trades",
        "Handwerk",
        ((201, "electrics", "Electrics & Mechanics", "Elektrik & Mechanik"),),
    ),
    (
        30,
        "retail",
        "Retail & Administration",
        "Verkauf & Verwaltung",
        ((301, "sales-floor", "Shop & Office", "Laden & Büro"),),
    ),
    (
        40,
        "it",
        "IT & Product",
        "IT & Produkt",
        ((401, "software", "Software", "Software"), (402, "it-services", "IT Services", "IT-Dienste")),
    ),
    (
        50,
        "go-to-market",
        "Sales & Marketing",
        "Vertrieb & Marketing",
        ((501, "sales", "Sales", "Vertrieb"), (502, "pr", "PR", "PR")),
    ),
)
EMPLOYMENT_TYPES: Final = (
    (1, "full-time", "Full-time", "Vollzeit"),
    (2, "part-time", "Part-time", "Teilzeit"),
    (3, "contract", "Contract", "Befristet"),
    (4, "seasonal", "Seasonal", "Saisonal"),
    (5, "internship", "Internship", "Praktikum"),
    (6, "apprenticeship", "Apprenticeship", "Lehre / Ausbildung"),
)
SENIORITY_LEVELS: Final = (
    (1, "entry", "Entry level", "Berufseinstieg"),
    (2, "professional", "Professional", "Mit Berufserfahrung"),
    (3, "senior", "Senior", "Senior"),
    (4, "lead", "Team lead", "Teamleitung"),
)
WORKPLACES: Final = (
    ("ONSITE", None),
    ("ONSITE", None),
    ("HYBRID", None),
    ("REMOTE", "COUNTRY"),
    ("REMOTE", "ANYWHERE"),
    (None, None),
)
TEAM_ROLES: Final = ("RECRUITER", "COORDINATOR", "INTERVIEWER", "SOURCER", "HIRING_MANAGER", "OBSERVER")
