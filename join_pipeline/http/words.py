"""How one API is called in messages, and what its user does about each type of error."""

from collections.abc import Mapping
from dataclasses import dataclass

from join_pipeline.errors import SourceError


@dataclass(frozen=True, slots=True)
class Words:
    """One API in words. `what` is what its address should be, `limit_prefix` that of its rate-limit headers."""

    api: str
    what: str
    url_setting: str
    credential: str
    limit_prefix: str
    next_steps: Mapping[type[SourceError], str]

    def next_step(self, kind: type[SourceError]) -> str:
        """What a user does about an error of this type."""
        return next((self.next_steps[base] for base in kind.__mro__ if base in self.next_steps), "")
