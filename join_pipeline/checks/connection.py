"""The checks of a connection that hold for every source.

Belongs here: rules that all sources share. Not here: what an account must provide (each source's connection).
"""

from datetime import timedelta

from join_pipeline.checks.finding import Finding
from join_pipeline.http.server_clock import SKEW_REPORTED, ServerClock


def clock_findings(clock: ServerClock, name: str) -> list[Finding]:
    """A warning if this machine's clock differs by more than `SKEW_REPORTED` from that of the source `name`.

    A sandbox's clock is simulated, and no warning.
    """
    off = _rounded(clock.skew)
    if clock.is_simulated:
        apart = _rounded(clock.simulated_ahead)
        message = f"{name} is a sandbox; its clock is simulated, and {apart} off this machine's. Syncs use it"
        return [Finding("clock", "ok", message)]
    if clock.is_set and not clock.is_believed:
        message = (
            f"this machine's clock and {name}'s answers are {off} apart, so {name}'s time is not believed: syncs use "
            f"this machine's clock. If it is wrong, set it; if not, the clock of {name} or of a proxy is wrong"
        )
        return [Finding("clock", "warning", message)]
    if clock.n_astray:
        message = (
            f"{clock.n_astray} of {clock.n_dated} answers have a date that differs from the others' and was not "
            f"believed. A clock at {name} or at a proxy is wrong"
        )
        return [Finding("clock", "warning", message)]
    if abs(clock.skew) <= SKEW_REPORTED:
        return []
    message = (
        f"this machine's clock is off by {off}; syncs use {name}'s time, schedules use this machine's. Set this clock"
    )
    return [Finding("clock", "warning", message)]


def _rounded(off: timedelta) -> timedelta:
    return timedelta(seconds=round(abs(off).total_seconds()))
