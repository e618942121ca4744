"""The models: every column with its type, meaning and privacy tier, the same for every source.

Belongs here: models and their columns. Not here: how a payload becomes rows (mapping), when a record is deleted (sync).
"""

from dataclasses import dataclass
from typing import Final

from join_pipeline.models.types import (
    EMAILS,
    FLAG,
    INSTANT,
    JSON,
    LOCATION,
    NUMBER,
    PHONES,
    TEXT,
    TEXTS,
    WHOLE,
    Column,
    Tier,
)


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `fields` are its own columns; they follow the columns that all models have."""

    name: str
    doc: str
    fields: tuple[Column, ...]
    remote_id_doc: str
    remote_id_tier: Tier = Tier.PSEUDONYMOUS
    remote_id_moved: int = 0

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns that a reader sees, the common ones first."""
        return (
            Column(
                "id",
                TEXT,
                "The id that all tables join by: a hash of integration id, model and remote_id, or the source's own id",
            ),
            Column("remote_id", TEXT, self.remote_id_doc, self.remote_id_tier, moved=self.remote_id_moved),
            Column("changed_at", INSTANT, "Start of the sync that first saw this content of the record's own fields"),
            Column("remote_deleted_at", INSTANT, "Start of the sync that found that the record was deleted"),
            *self.fields,
        )

    @property
    def version_columns(self) -> tuple[Column, ...]:
        """All columns of a version: those that a reader sees, then the columns of `OBSERVATION`."""
        return (*self.columns, *OBSERVATION)

    @property
    def newest_columns(self) -> tuple[Column, ...]:
        """The columns of a table that holds newest versions only."""
        observed = {"observed_at", "sync_id"}
        return (*self.columns, *(column for column in OBSERVATION if column.name in observed))

    @property
    def loaded_columns(self) -> tuple[Column, ...]:
        """The columns of a table of newest versions in the warehouse: those of tier 1."""
        return tuple(column for column in self.newest_columns if not column.tier.is_personal)

    @property
    def plain(self) -> tuple[Column, ...]:
        """The version columns of tier 1. They are the columns of a version file."""
        return tuple(column for column in self.version_columns if not column.tier.is_personal)

    @property
    def personal(self) -> tuple[Column, ...]:
        """The version columns of tiers 2 and 3. A personal file has them by (id, sync_id)."""
        return tuple(column for column in self.version_columns if column.tier.is_personal)


OBSERVATION: Final = (
    Column("observed_at", INSTANT, "When the payload was fetched, in server time; an upper bound"),
    Column("sync_id", TEXT, "The sync that wrote this version"),
    Column("content_hash", TEXT, "Hash of the record's own stored content"),
    Column("payload_hash", TEXT, "Hash of the record's own part of the payload, where it has one"),
    Column("reason", TEXT, "Why the version was written: observed, mapping, deleted or returned"),
)

_REMOTE_DATA: Final = Column(
    "remote_data", JSON, "The ATS's payload, under the path that it was fetched from, JSON text", Tier.RAW
)
_JOB_ID: Final = Column("job_id", TEXT, "The job", references="jobs")

MODELS: Final = {
    model.name: model
    for model in (
        Model(
            "users",
            "People of the company who work on jobs: contacts and members of hiring teams.",
            (
                Column(
                    "first_name",
                    TEXT,
                    "First name; the first word where the ATS has one field for names",
                    Tier.PERSONAL,
                ),
                Column(
                    "last_name", TEXT, "Last name; the other words where the ATS has one field for names", Tier.PERSONAL
                ),
                Column("email", TEXT, "E-mail address", Tier.PERSONAL),
            ),
            "The ATS's user id, or the e-mail address in lower case where users have no id",
            Tier.PERSONAL,
        ),
        Model(
            "jobs",
            "Jobs of every status.",
            (
                Column("name", TEXT, "Title"),
                Column("description", TEXT, "Description, HTML", Tier.RAW),
                Column(
                    "employment_type",
                    TEXT,
                    "FULL_TIME, PART_TIME, CONTRACT, SEASONAL, INTERNSHIP, or the ATS's own name",
                ),
                Column("status", TEXT, "OPEN, CLOSED, DRAFT, ARCHIVED, or the ATS's own word"),
                Column("visibility", TEXT, "PUBLIC if the job is advertised, else UNLISTED"),
                Column("category", TEXT, "Name of the category; the most specific one where they nest"),
                Column("post_url", TEXT, "Public URL of the job ad"),
                Column("experience_level", TEXT, "Name of the seniority level"),
                Column("salary_amount", NUMBER, "Salary in major units, if it is one figure"),
                Column("salary_amount_from", NUMBER, "Lower end of the salary, major units"),
                Column("salary_amount_to", NUMBER, "Upper end of the salary, major units"),
                Column("salary_currency", TEXT, "ISO 4217 code"),
                Column("salary_period", TEXT, "YEAR, MONTH, TWO_WEEKS, WEEK, DAY, HOUR, or the ATS's own word"),
                Column("location", LOCATION, "The office"),
                Column("custom_fields", JSON, "Further fields of the job, such as its language; a JSON object"),
                Column("integration_fields", JSON, "Fields of the payload that have no column; a JSON list", Tier.RAW),
                Column(
                    "opened_at",
                    INSTANT,
                    "When the job opened: as the ATS states it, else its creation or the end of its time as a draft",
                    is_derived=True,
                ),
                Column("remote_created_at", INSTANT, "When the job was created, as the ATS states it"),
                Column("remote_updated_at", INSTANT, "When the job was last changed, as the ATS states it"),
                Column("contact_id", TEXT, "The contact, a user", references="users"),
                _REMOTE_DATA,
            ),
            "The ATS's job id",
        ),
        Model(
            "candidates",
            "People who applied.",
            (
                Column("first_name", TEXT, "First name", Tier.PERSONAL),
                Column("last_name", TEXT, "Last name", Tier.PERSONAL),
                Column(
                    "source",
                    TEXT,
                    "Source of the candidate, as the ATS states it; else the source of the oldest live application",
                    is_derived=True,
                ),
                Column("phone_numbers", PHONES, "Phone numbers", Tier.PERSONAL),
                Column("email_addresses", EMAILS, "E-mail addresses", Tier.PERSONAL),
                Column(
                    "location", LOCATION, "Where the candidate lives; some sources know the country only", Tier.PERSONAL
                ),
                Column(
                    "remote_created_at",
                    INSTANT,
                    "When the candidate was created, as the ATS states it; else the earliest creation of a live"
                    " application",
                    is_derived=True,
                ),
                _REMOTE_DATA,
            ),
            "The ATS's candidate id",
        ),
        Model(
            "application_stages",
            "Stages of the pipelines of all jobs; only those that an application was in, if the ATS lists no stages.",
            (
                Column("name", TEXT, "Name"),
                Column(
                    "global_index",
                    WHOLE,
                    "Place among all stages, as the ATS states it; else the largest index of a live job stage; may tie",
                    is_derived=True,
                ),
                _REMOTE_DATA,
            ),
            "The ATS's stage id",
        ),
        Model(
            "applications",
            "Applications of candidates to jobs.",
            (
                Column("outcome", TEXT, "PENDING, HIRED or DECLINED; null if the ATS's word for it is unknown"),
                Column("current_stage_id", TEXT, "The stage that it is in", references="application_stages"),
                _JOB_ID,
                Column("candidate_id", TEXT, "The candidate", references="candidates"),
                Column("remote_created_at", INSTANT, "When the person applied, as the ATS states it", added=True),
                Column("remote_updated_at", INSTANT, "When it was last changed, as the ATS states it", added=True),
                Column("source", TEXT, "Source of this application", added=True),
                Column("is_premium_source", FLAG, "Whether the ATS calls the source premium", added=True),
                Column("state", TEXT, "The ATS's own word for the state", added=True),
                Column("qualified", TEXT, "The ATS's own word for the qualification", added=True),
                Column("consent_status", TEXT, "The ATS's own word for the candidate's consent", added=True),
                Column(
                    "integration_external_id",
                    TEXT,
                    "Key that an integration gave it; any text, such as an address",
                    Tier.PERSONAL,
                    added=True,
                    moved=4,
                ),
                _REMOTE_DATA,
            ),
            "The ATS's application id",
        ),
        Model(
            "screening_questions",
            "Questions of application forms. Format type and text are the key of a question that has no id in the ATS.",
            (
                Column("title", TEXT, "The question's exact text"),
                Column("description", TEXT, "Explanation of the question, if the ATS has one"),
                Column(
                    "format",
                    JSON,
                    "Answer format, JSON; tier 3, because an unknown format has the raw question",
                    Tier.RAW,
                ),
                Column(
                    "format_type",
                    TEXT,
                    "TEXT, NUMBER, DATE, BOOLEAN, FILE, SINGLE_SELECT, MULTI_SELECT, INFORMATION or UNKNOWN",
                    added=True,
                ),
            ),
            "The ATS's question id; else the format type and the SHA-256 of the text (32 hex digits), joined by :",
        ),
        Model(
            "tags",
            "Tags of candidates.",
            (Column("name", TEXT, "The exact text", Tier.PERSONAL, moved=4),),
            "The ATS's tag id; the exact text where tags have no id",
            Tier.PERSONAL,
            remote_id_moved=4,
        ),
        Model(
            "candidate_tags",
            "Which candidate has which tag.",
            (
                Column("candidate_id", TEXT, "The candidate", references="candidates"),
                Column("tag_id", TEXT, "The tag", references="tags"),
            ),
            "The remote ids of candidate and tag, joined by /",
            Tier.PERSONAL,
            remote_id_moved=4,
        ),
        Model(
            "job_application_stages",
            "Stages of a job's pipeline; only those that an application was in, if the ATS does not list them.",
            (
                _JOB_ID,
                Column("stage_id", TEXT, "The stage", references="application_stages"),
                Column("index", WHOLE, "Place in the job's pipeline, as last seen"),
            ),
            "The remote ids of job and stage, joined by /",
        ),
        Model(
            "job_screening_questions",
            "Questions of a job's application form.",
            (
                _JOB_ID,
                Column("question_id", TEXT, "The question", references="screening_questions"),
                Column("index", WHOLE, "Position in the form, from 0"),
                Column("required", FLAG, "Whether an answer is required, if the ATS states it"),
                Column(
                    "precondition_question_id",
                    TEXT,
                    "Question that this one depends on, if the ATS states it",
                    references="screening_questions",
                ),
                Column("precondition_options", TEXTS, "Answers that make it appear, if the ATS states them"),
            ),
            "The remote ids of job and question, joined by /",
        ),
        Model(
            "job_hiring_team",
            "Users who hire for a job, with their roles.",
            (
                _JOB_ID,
                Column("user_id", TEXT, "The user", references="users"),
                Column(
                    "roles",
                    TEXTS,
                    "HIRING_MANAGER, RECRUITER, COORDINATOR, SOURCER, INTERVIEWER, or the ATS's own word",
                ),
            ),
            "The remote ids of job and user, joined by /",
            Tier.PERSONAL,
        ),
    )
}
