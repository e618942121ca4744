"""Privacy: the settings of what enters the lake.

Belongs here: their names, presets and checks. Not here: what the words mean for a model (models.kept_out), the other
settings (settings).
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from join_pipeline.models.kept_out import COLUMNS, PRESETS, Preset


def _words(text: str) -> str:
    """The words in one spelling, so that the same choice is the same setting."""
    words = {word.strip().lower() for word in text.split(",")} - {""}
    if unknown := sorted(words - COLUMNS.keys()):
        raise ValueError(f"{unknown[0][:40]!r} is none of {', '.join(COLUMNS)}")
    return ",".join(word for word in COLUMNS if word in words)


class PrivacySettings(BaseModel):
    """The settings of what enters the lake. `Settings` is one."""

    privacy: Preset = Field(
        "full", description="What enters the lake: `full`, `standard` or `minimal`, which keeps no personal column"
    )
    keep_out: Annotated[str, AfterValidator(_words)] | None = Field(
        None, description="Words for what also never enters the lake, separated by commas, as in `phone_numbers,tags`"
    )

    @property
    def kept_out(self) -> frozenset[str]:
        """The words for what never enters the lake: those of the preset and one's own."""
        return PRESETS[self.privacy] | frozenset(self.keep_out.split(",") if self.keep_out else ())
