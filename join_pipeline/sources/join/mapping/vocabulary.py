"""JOIN's words and ours, as tables. A word that is not here stays unchanged or becomes null, by the column's rule."""

from typing import Final

from join_pipeline.models.states import ApplicationState

STATES: Final = (
    ApplicationState("APPLIED", "PENDING", is_initial=True),
    ApplicationState("ACTIVE", "PENDING"),
    ApplicationState("OFFER", "PENDING", milestone="OFFER"),
    ApplicationState("HIRED", "HIRED"),
    ApplicationState("REJECTED", "DECLINED"),
)
OUTCOMES: Final = {state.word: state.outcome for state in STATES}
JOB_STATUSES: Final = {"ONLINE": "OPEN", "OFFLINE": "OPEN", "ARCHIVED": "ARCHIVED", "DRAFT": "DRAFT"}
ADVERTISED: Final = "ONLINE"
EMPLOYMENT_TYPES: Final = {
    # English and German names and slugs of JOIN's list, in the form that `slug` returns
    "full_time": "FULL_TIME",
    "employee": "FULL_TIME",
    "permanent_employment": "FULL_TIME",
    "vollzeit": "FULL_TIME",
    "festanstellung": "FULL_TIME",
    "part_time": "PART_TIME",
    "teilzeit": "PART_TIME",
    "minijob": "PART_TIME",
    "working_student": "PART_TIME",
    "werkstudent": "PART_TIME",
    "contract": "CONTRACT",
    "contractor": "CONTRACT",
    "freelance": "CONTRACT",
    "freelancer": "CONTRACT",
    "temporary": "CONTRACT",
    "fixed_term": "CONTRACT",
    "befristet": "CONTRACT",
    "freie_mitarbeit": "CONTRACT",
    "seasonal": "SEASONAL",
    "saisonarbeit": "SEASONAL",
    "saisonal": "SEASONAL",
    "internship": "INTERNSHIP",
    "intern": "INTERNSHIP",
    "praktikum": "INTERNSHIP",
    "trainee": "INTERNSHIP",
}
SALARY_PERIODS: Final = {
    "PER_YEAR": "YEAR",
    "PER_MONTH": "MONTH",
    "PER_TWO_WEEKS": "TWO_WEEKS",
    "PER_WEEK": "WEEK",
    "PER_DAY": "DAY",
    "PER_HOUR": "HOUR",
}
QUESTION_FORMATS: Final = {
    "TEXT": "TEXT",
    "SHORT_TEXT": "TEXT",
    "LONG_TEXT": "TEXT",
    "TEXTAREA": "TEXT",
    "INTEGER": "NUMBER",
    "NUMBER": "NUMBER",
    "DECIMAL": "NUMBER",
    "DATE": "DATE",
    "BOOLEAN": "BOOLEAN",
    "YES_NO": "BOOLEAN",
    "FILE": "FILE",
    "SINGLE_CHOICE": "SINGLE_SELECT",
    "SINGLE_SELECT": "SINGLE_SELECT",
    "MULTIPLE_CHOICE": "MULTI_SELECT",
    "MULTI_CHOICE": "MULTI_SELECT",
    "MULTI_SELECT": "MULTI_SELECT",
    "INFORMATION": "INFORMATION",
}
UNKNOWN_FORMAT: Final = "UNKNOWN"
CONTACT_ROLE: Final = "HIRING_MANAGER"
TEAM_ROLES: Final = {
    "HIRING_MANAGER": "HIRING_MANAGER",
    "RECRUITER": "RECRUITER",
    "COORDINATOR": "COORDINATOR",
    "RECRUITING_COORDINATOR": "COORDINATOR",
    "SOURCER": "SOURCER",
    "INTERVIEWER": "INTERVIEWER",
}


def slug(text: str) -> str:
    """A name of JOIN's lists in the form of the tables above: `Full-time` and `FULL_TIME` become `full_time`."""
    return "_".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())
