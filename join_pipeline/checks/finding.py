"""What a check of the connection found: for `connect` and `doctor`, whatever the source."""

from datetime import timedelta
from typing import Literal

import msgspec

from join_pipeline.http.server_clock import SKEW_REPORTED

Verdict = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct):
    """One check: what it found, and what to do about it."""

    check: str
    verdict: Verdict
    message: str


def clock_findings(skew: timedelta, whose: str) -> list[Finding]:
    """Whether this machine's clock is off."""
    if abs(skew) <= SKEW_REPORTED:
        return []
    off = timedelta(seconds=round(abs(skew).total_seconds()))
    message = (
        f"this machine's clock is off by {off}; syncs use {whose} time, schedules use this machine's. Set the clock"
    )
    return [Finding("clock", "warning", message)]
