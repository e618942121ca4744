"""What a connection is checked for, whatever its source.

Belongs here: rules that every source shares. Not here: what one source's account must give (its own connection).
"""

from datetime import timedelta

from join_pipeline.checks.finding import Finding
from join_pipeline.http.server_clock import SKEW_REPORTED


def clock_findings(skew: timedelta, whose: str) -> list[Finding]:
    """Whether this machine's clock is off."""
    if abs(skew) <= SKEW_REPORTED:
        return []
    off = timedelta(seconds=round(abs(skew).total_seconds()))
    message = (
        f"this machine's clock is off by {off}; syncs use {whose} time, schedules use this machine's. Set the clock"
    )
    return [Finding("clock", "warning", message)]
