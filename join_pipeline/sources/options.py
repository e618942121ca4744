"""The options of a source.

Belongs here: what every source's options have. Not here: any source's options (its own room), reading them (settings).
"""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """One source's options. Each field names its environment variable as `validation_alias`."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)

    @property
    def lake_seed(self) -> str | None:
        """The integration id of a new lake, if the credentials have one. So two accounts never share a lake."""
        return None

    def check_source(self, chosen: str) -> None:
        """Raise `ValueError` if an option is set that the chosen source does not support."""
