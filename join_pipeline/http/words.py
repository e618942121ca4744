"""The words of messages about one API: its names, and the next step for each type of error."""

from collections.abc import Mapping
from dataclasses import dataclass

from join_pipeline.errors import SourceError


@dataclass(frozen=True, slots=True)
class Words:
    """One API's words. `what` describes its address, `limit_prefix` is the prefix of its rate-limit headers."""

    api: str
    what: str
    url_setting: str
    credential: str
    limit_prefix: str
    next_steps: Mapping[type[SourceError], str]

    def next_step(self, kind: type[SourceError]) -> str:
        """What the user should do after an error of this type."""
        return next((self.next_steps[base] for base in kind.__mro__ if base in self.next_steps), "")
