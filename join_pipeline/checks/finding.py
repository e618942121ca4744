"""A check and what it found, whatever is checked: a sync, a load, dbt's tables or a connection.

Belongs here: the two types. Not here: any rule (the files beside this one), what shows a finding (cli, defs).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

Verdict = Literal["ok", "warning", "failed"]
"""What failed is not built on, and must be mended; a warning lets everything go on."""


@dataclass(frozen=True, slots=True)
class Check:
    """A rule about an asset, by its path (`raw/<feed>`, …). What `stops` is not built on when it fails."""

    about: str
    name: str
    doc: str
    stops: bool = False


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one check found. `message` says why, and what to do, with a command. `about` is the path of an asset."""

    check: str
    verdict: Verdict
    message: str
    about: str = ""
    figures: Mapping[str, float] = {}

    @property
    def is_ok(self) -> bool:
        return self.verdict == "ok"

    @property
    def is_grave(self) -> bool:
        return self.verdict == "failed"
