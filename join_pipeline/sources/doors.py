"""Doors by source: what a person needs to get in, and what is asked to see whether it works.

Belongs here: the table. Not here: the questions themselves (account, kombo_account).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from join_pipeline.checks.finding import Finding
from join_pipeline.settings import Settings
from join_pipeline.sources.join import connection as account
from join_pipeline.sources.kombo import connection as kombo_account


@dataclass(frozen=True, slots=True)
class Door:
    """One source's. `takes_token`: `connect` asks for a token and keeps it; else all stays in the environment."""

    guide: tuple[str, ...]
    variables: str
    takes_token: bool
    credentials: Callable[[Settings], Finding]
    reach: Callable[[Settings], Finding]
    examine: Callable[[Settings], list[Finding]]


DOORS: Final[Mapping[str, Door]] = {
    "join": Door(
        guide=account.GUIDE,
        variables="JOIN_API_TOKEN",
        takes_token=True,
        credentials=account.credentials,
        reach=account.examine_reach,
        examine=account.examine_account,
    ),
    "kombo": Door(
        guide=kombo_account.GUIDE,
        variables="KOMBO_API_KEY and KOMBO_INTEGRATION_ID",
        takes_token=False,
        credentials=kombo_account.credentials,
        reach=kombo_account.reach,
        examine=kombo_account.examine,
    ),
}


def door_of(settings: Settings) -> Door:
    """The door of the source that the settings name."""
    return DOORS[settings.source]
