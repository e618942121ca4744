"""The models: every column with type, meaning and privacy tier.

Belongs here: what a record of ours is. Not here: how JOIN's words become it (mapping), when it is gone (sync).
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
    """One model. `fields` are its own columns, after the common ones."""

    name: str
    doc: str
    fields: tuple[Column, ...]
    remote_id_doc: str
    remote_id_tier: Tier = Tier.PSEUDONYMOUS

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns that a reader sees, the common ones first."""
        return (
            Column("id", TEXT, "Our id, from the integration, the model and remote_id"),
            Column("remote_id", TEXT, self.remote_id_doc, self.remote_id_tier),
            Column("changed_at", INSTANT, "Start of the sync that first saw this content of the record's own fields"),
            Column("remote_deleted_at", INSTANT, "Start of the sync that established that the record is gone"),
            *self.fields,
        )

    @property
    def version_columns(self) -> tuple[Column, ...]:
        """All columns of a version: what a reader sees, and how it was observed."""
        return (*self.columns, *OBSERVATION)

    @property
    def newest_columns(self) -> tuple[Column, ...]:
        """Columns of a table of the newest versions."""
        observed = {"observed_at", "sync_id"}
        return (*self.columns, *(column for column in OBSERVATION if column.name in observed))

    @property
    def plain(self) -> tuple[Column, ...]:
        """Version columns of tier 1: the version file."""
        return tuple(column for column in self.version_columns if not column.tier.is_personal)

    @property
    def personal(self) -> tuple[Column, ...]:
        """Columns of tiers 2 and 3: the personal file, by (id, sync_id)."""
        return tuple(column for column in self.version_columns if column.tier.is_personal)


OBSERVATION: Final = (
    Column("observed_at", INSTANT, "When the payload was fetched, server time, an upper bound"),
    Column("sync_id", TEXT, "The sync that wrote this version"),
    Column("content_hash", TEXT, "Hash of the record's own stored content"),
    Column("payload_hash", TEXT, "Hash of the record's own part of the payload, where it has one"),
    Column("reason", TEXT, "Why the version was written: observed, mapping, deleted or returned"),
)

_REMOTE_DATA: Final = Column("remote_data", JSON, "JOIN's payload under the path it came from, JSON text", Tier.RAW)
_JOB_ID: Final = Column("job_id", TEXT, "The job", references="jobs")

MODELS: Final = {
    model.name: model
    for model in (
        Model(
            "users",
            "People who stand behind jobs. JOIN shows them only as a job's contact, and only with an e-mail address.",
            (
                Column("first_name", TEXT, "First word of the contact's name", Tier.PERSONAL),
                Column("last_name", TEXT, "The rest of the contact's name", Tier.PERSONAL),
                Column("email", TEXT, "The contact's e-mail address, lower-cased", Tier.PERSONAL),
            ),
            "The contact's e-mail address, lower-cased",
            Tier.PERSONAL,
        ),
        Model(
            "jobs",
            "Jobs, whatever their status.",
            (
                Column("name", TEXT, "Title"),
                Column("description", TEXT, "Description, HTML", Tier.RAW),
                Column(
                    "employment_type", TEXT, "FULL_TIME, PART_TIME, CONTRACT, SEASONAL, INTERNSHIP, or JOIN's own name"
                ),
                Column("status", TEXT, "OPEN, CLOSED, DRAFT, ARCHIVED, or JOIN's own word"),
                Column("visibility", TEXT, "PUBLIC where advertised, else UNLISTED"),
                Column("category", TEXT, "Name of the sub-category"),
                Column("post_url", TEXT, "Public URL of the job ad"),
                Column("experience_level", TEXT, "Name of the seniority level"),
                Column("salary_amount", NUMBER, "Salary in major units, where one figure is known"),
                Column("salary_amount_from", NUMBER, "Lower end of the salary, major units"),
                Column("salary_amount_to", NUMBER, "Upper end of the salary, major units"),
                Column("salary_currency", TEXT, "ISO 4217 code"),
                Column("salary_period", TEXT, "YEAR, MONTH, TWO_WEEKS, WEEK, DAY, HOUR, or JOIN's own word"),
                Column("location", LOCATION, "The office"),
                Column("custom_fields", JSON, "JSON object: externalId, language, workplaceType, remoteType, remote"),
                Column("integration_fields", JSON, "JSON list of payload keys that no other column takes", Tier.RAW),
                Column(
                    "opened_at",
                    INSTANT,
                    "When the job opened: its creation, or the end of its time as a draft",
                    is_derived=True,
                ),
                Column("remote_created_at", INSTANT, "JOIN's createdAt"),
                Column("remote_updated_at", INSTANT, "JOIN's lastUpdatedAt"),
                Column("contact_id", TEXT, "The contact, a user", references="users"),
                _REMOTE_DATA,
            ),
            "JOIN's job id",
        ),
        Model(
            "candidates",
            "People who applied. JOIN shows them only inside applications.",
            (
                Column("first_name", TEXT, "First name", Tier.PERSONAL),
                Column("last_name", TEXT, "Last name", Tier.PERSONAL),
                Column("source", TEXT, "Source of the candidate's oldest live application", is_derived=True),
                Column("phone_numbers", PHONES, "Phone numbers", Tier.PERSONAL),
                Column("email_addresses", EMAILS, "E-mail addresses", Tier.PERSONAL),
                Column("location", LOCATION, "Country", Tier.PERSONAL),
                Column(
                    "remote_created_at",
                    INSTANT,
                    "Earliest creation of the candidate's live applications",
                    is_derived=True,
                ),
                _REMOTE_DATA,
            ),
            "JOIN's candidate id",
        ),
        Model(
            "application_stages",
            "Stages of pipelines, over the whole account, as far as an application was ever seen in them.",
            (
                Column("name", TEXT, "Name"),
                Column(
                    "global_index", WHOLE, "Largest index known on any live job stage; ties allowed", is_derived=True
                ),
                _REMOTE_DATA,
            ),
            "JOIN's stage id",
        ),
        Model(
            "applications",
            "Applications of candidates to jobs.",
            (
                Column("outcome", TEXT, "PENDING, HIRED or DECLINED; null where JOIN's state is not known"),
                Column("current_stage_id", TEXT, "The stage it is in", references="application_stages"),
                _JOB_ID,
                Column("candidate_id", TEXT, "The candidate", references="candidates"),
                Column("remote_created_at", INSTANT, "JOIN's createdAt: when it was made", added=True),
                Column("remote_updated_at", INSTANT, "JOIN's lastUpdatedAt", added=True),
                Column("source", TEXT, "Source of this very application", added=True),
                Column("is_premium_source", FLAG, "Whether JOIN calls the source premium", added=True),
                Column("state", TEXT, "JOIN's own word for the state", added=True),
                Column("qualified", TEXT, "JOIN's own word for the qualification", added=True),
                Column("consent_status", TEXT, "JOIN's own word for the candidate's consent", added=True),
                Column("integration_external_id", TEXT, "Key that an integration gave it", added=True),
                _REMOTE_DATA,
            ),
            "JOIN's application id",
        ),
        Model(
            "screening_questions",
            "Questions of application forms. JOIN gives them no id: format type and text are the key.",
            (
                Column("title", TEXT, "The question's exact text"),
                Column("description", TEXT, "Always null: JOIN has none"),
                Column(
                    "format", JSON, "Answer format, JSON; tier 3, as an unknown format keeps the raw question", Tier.RAW
                ),
                Column(
                    "format_type",
                    TEXT,
                    "TEXT, NUMBER, DATE, BOOLEAN, FILE, SINGLE_SELECT, MULTI_SELECT, INFORMATION or UNKNOWN",
                    added=True,
                ),
            ),
            "Format type, and SHA-256 of the text (32 hex digits)",
        ),
        Model("tags", "Tags that candidates carry.", (Column("name", TEXT, "The exact text"),), "The exact text"),
        Model(
            "candidate_tags",
            "Which candidate carries which tag.",
            (
                Column("candidate_id", TEXT, "The candidate", references="candidates"),
                Column("tag_id", TEXT, "The tag", references="tags"),
            ),
            "JOIN's candidate id and the tag, joined by /",
        ),
        Model(
            "job_application_stages",
            "Stages of a job's pipeline, as far as an application of the job was ever seen in them.",
            (
                _JOB_ID,
                Column("stage_id", TEXT, "The stage", references="application_stages"),
                Column("index", WHOLE, "Place in the job's pipeline, as last seen"),
            ),
            "JOIN's job id and stage id, joined by /",
        ),
        Model(
            "job_screening_questions",
            "Questions that a job's form asks.",
            (
                _JOB_ID,
                Column("question_id", TEXT, "The question", references="screening_questions"),
                Column("index", WHOLE, "Position in the form, from 0"),
                Column("required", FLAG, "Whether an answer is required, where JOIN tells"),
                Column(
                    "precondition_question_id",
                    TEXT,
                    "Question that this one depends on, where JOIN tells",
                    references="screening_questions",
                ),
                Column("precondition_options", TEXTS, "Answers that make it appear, where JOIN tells"),
            ),
            "JOIN's job id and the question's key, joined by /",
        ),
        Model(
            "job_hiring_team",
            "Who hires for a job, in which roles.",
            (
                _JOB_ID,
                Column("user_id", TEXT, "The user", references="users"),
                Column(
                    "roles", TEXTS, "HIRING_MANAGER, RECRUITER, COORDINATOR, SOURCER, INTERVIEWER, or JOIN's own word"
                ),
            ),
            "JOIN's job id and the user's e-mail address, joined by /",
            Tier.PERSONAL,
        ),
    )
}
