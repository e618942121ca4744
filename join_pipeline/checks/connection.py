"""The checks of a connection that hold for every source.

Belongs here: rules that all sources share. Not here: what an account must provide (each source's connection).
"""

from datetime import timedelta

from join_pipeline.checks.finding import Finding
from join_pipeline.http.server_clock import SKEW_REPORTED


def clock_findings(skew: timedelta, whose: str) -> list[Finding]:
    """A warning if this machine's clock differs by more than `SKEW_REPORTED` from `whose`; else no finding."""
    if abs(skew) <= SKEW_REPORTED:
        return []
    off = timedelta(seconds=round(abs(skew).total_seconds()))
    message = (
        f"this machine's clock is off by {off}; syncs use {whose} time, schedules use this machine's. Set this clock"
    )
    return [Finding("clock", "warning", message)]
