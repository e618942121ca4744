"""Privacy: the settings of what enters the lake, and of what readers get of it.

Belongs here: their names, presets and checks. Not here: what the words mean for a model (models.kept_out), the other
settings (settings).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from join_pipeline.environment import file_of

Preset = Literal["full", "standard", "minimal"]
RAW: Final = "raw_payloads"
WORDS: Final = (
    "candidate_names",
    "email_addresses",
    "phone_numbers",
    "countries",
    "screening_answers",
    "job_descriptions",
    "tags",
    "integration_keys",
    "users",
    RAW,
)
"""The words for what may be kept out of the lake."""
PRESETS: Final[Mapping[Preset, frozenset[str]]] = {
    "full": frozenset(),
    "standard": frozenset({"phone_numbers", "screening_answers", "job_descriptions"}),
    "minimal": frozenset(WORDS),
}


def _words(text: str) -> str:
    """The words in one spelling, so that the same choice is the same setting."""
    words = {word.strip().lower() for word in text.split(",")} - {""}
    if words.difference(WORDS):
        raise ValueError(f"has a word that is none of {', '.join(WORDS)}")
    return ",".join(word for word in WORDS if word in words)


class PrivacySettings(BaseModel):
    """The settings of what enters the lake, and of what readers get of it. `Settings` is one."""

    privacy: Preset = Field(
        "full", description="What enters the lake: `full`, `standard` or `minimal`, which keeps no personal column"
    )
    keep_out: Annotated[str, AfterValidator(_words)] | None = Field(
        None, description="Words for what also never enters the lake, separated by commas, as in `phone_numbers,tags`"
    )

    published_tags_csv: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="Your CSV file, `tag`: tags whose text readers see if k people carry them; else none"
    )

    publish_people: bool = Field(
        False, description="Whether to publish `people.duckdb` also: names and contacts, under the same keys"
    )
    publish_parquet: bool = Field(
        False, description="Whether to publish the tables also as Parquet, in one folder for all companies"
    )
    per_person: bool = Field(False, description="Whether readers see keys of users and figures per person")
    publish_days: bool = Field(
        False, description="Whether readers get days in place of instants, and durations to a tenth of a day"
    )
    works_council: bool = Field(
        False, description="Preset of a works agreement: days in place of instants, nothing of a single employee"
    )

    retention_apply: bool = Field(
        False,
        description="Whether each build first erases here whom the build before found certainly due, with a receipt",
    )

    @model_validator(mode="after")
    def _one_promise(self) -> Self:
        if self.works_council and self.per_person:
            raise ValueError("JOIN_PIPELINE_WORKS_COUNCIL and JOIN_PIPELINE_PER_PERSON exclude each other")
        return self

    @property
    def publishes_days(self) -> bool:
        """Whether readers get days in place of instants."""
        return self.publish_days or self.works_council

    @property
    def kept_out(self) -> frozenset[str]:
        """The words for what never enters the lake: those of the preset and one's own."""
        return PRESETS[self.privacy] | frozenset(self.keep_out.split(",") if self.keep_out else ())
