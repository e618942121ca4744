"""Forms: screening questions and answers, tags, sources."""

from typing import Final, NamedTuple


class Question(NamedTuple):
    """A screening question; `options` are the choices, or sample answers of a question without choices."""

    name: str
    type: str
    options: tuple[str, ...] = ()


QUESTIONS: Final = {
    "de": (
        Question("Warum möchtest du zu uns?", "TEXT"),
        Question("Wie viele Jahre Berufserfahrung hast du?", "INTEGER"),
        Question("Frühester Eintritt", "DATE"),
        Question("Deutschkenntnisse", "SINGLE_CHOICE", ("A1–A2", "B1–B2", "C1–C2", "Muttersprache")),
        Question("An welchen Tagen kannst du arbeiten?", "MULTIPLE_CHOICE", ("Mo–Fr", "Samstag", "Sonntag, Feiertag")),
        Question("Hast du einen Führerschein (Kat. B)?", "BOOLEAN"),
        Question('Zeugnisse hochladen ("PDF", max. 10 MB)', "FILE"),
        Question("Gehaltsvorstellung, brutto", "INTEGER"),
        Question("Stell dich in 60 Sekunden vor 🎬", "VIDEO"),
    ),
    "en": (
        Question("Why us?", "TEXT"),
        Question("Years of experience", "INTEGER"),
        Question("Earliest start date", "DATE"),
        Question("Level of German", "SINGLE_CHOICE", ("none", "A1-A2", "B1-B2", "C1-C2", "native")),
        Question(
            "Which of these have you used?", "MULTIPLE_CHOICE", ("Python", "SQL", "dbt", "Rust, C or C++", "Excel")
        ),
        Question("Do you need a visa?", "BOOLEAN"),
        Question("Portfolio", "FILE"),
        Question("Salary expectation (gross, per year)", "INTEGER"),
        Question("Introduce yourself in 60 seconds 🎬", "VIDEO"),
    ),
}
UNKNOWN_TYPES: Final = ("VIDEO",)

FREE_TEXT: Final = (
    "Weil ich gerne mit Menschen arbeite, und weil eure Werte zu mir passen.",
    'Ein Freund sagte: "Bewirb dich dort, das ist super!" 😀',
    "Kurz gesagt:\n- Teamgeist\n- Nähe zum Wohnort\n- faire Löhne;\tkeine Nachtschicht",
    "I love SQL, tea, and long walks; in that order.",
    "Because of the mission. And the salary, honestly 😅",
    "C:\\Users\\me\\cv.pdf → siehe Anhang, Seite 2/3",
    "„Der Weg ist das Ziel“, sagte schon mein Großvater – 50 % Pensum wäre ideal.",
    "n/a",
)

# A prime number of them: a candidate's tags are taken in steps and never repeat.
TAGS: Final = (
    "Top-Kandidat:in", "A", "Talent Pool", "talent pool", "Umzug nötig", "Führerschein B", "remote only", "Deutsch C1",
    "Rückruf", "Gehalt > 80k",
    "Empfehlung", "Wiederbewerbung", "Initiativ, sonst nichts", "🚀", "Zürich", "München", "bis 60 %",
    "Visa needed", "second language: français", "Absage vorbereitet", "overqualified", "Nachtschicht ok", '"Joker"',
)  # fmt: skip


class Source(NamedTuple):
    """Where applications come from: share of all, and how the odds of getting ahead compare with the average."""

    product: str
    is_premium: bool
    share: float
    quality: float


SOURCES: Final = (
    Source("indeed (Limited)", False, 0.25, 0.72),
    Source("indeed (Premium)", True, 0.11, 0.90),
    Source("StepStone", True, 0.11, 1.00),
    Source("jobs.ch", True, 0.12, 1.05),
    Source("LinkedIn", False, 0.12, 0.95),
    Source("XING", False, 0.04, 0.90),
    Source("Karriereseite", False, 0.13, 1.45),
    Source("Google for Jobs", False, 0.06, 0.80),
    Source("Referral", False, 0.04, 2.10),
    Source("Agentur Müller & Söhne", True, 0.02, 1.60),
)

# What POST /applications takes as `source`, and the product it is read back as.
WRITTEN_SOURCES: Final = {
    "ORGANIC": "Organic",
    "REFERRALS": "Referral",
    "JOB_BOARDS": "Job boards",
    "SOCIAL_MEDIA": "Social media",
    "AGENCY": "Agency",
    "SOURCING_TOOLS": "Sourcing tools",
    "EVENTS": "Events",
    "INTERNAL_APPLICATION": "Internal application",
    "OTHER": "Other",
}

DOCUMENT_TYPES: Final = (
    "CV", "COVER_LETTER", "PORTFOLIO", "CERTIFICATES", "REFERENCES", "TRANSCRIPT", "WORK_SAMPLES", "OTHER",
)  # fmt: skip

QUALIFIED: Final = ("QUALIFIED", "QUALIFIED", "NOT_QUALIFIED", "UNKNOWN")
