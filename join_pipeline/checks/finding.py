"""The types of a check and of its finding, for a sync, a load, dbt's tables or a connection.

Belongs here: the two types. Not here: any rule (the modules beside this one), showing a finding (cli, defs).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

Verdict = Literal["ok", "warning", "failed"]
"""A warning stops nothing. What failed must be corrected; it stops the run if its check `stops`."""


@dataclass(frozen=True, slots=True)
class Check:
    """A rule about the asset with the path `about`, such as `raw/<feed>`. If it fails and `stops`, the run ends."""

    about: str
    name: str
    doc: str
    stops: bool = False


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of one check. `message` gives the reason and a command to run. `about` is the asset's path."""

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
