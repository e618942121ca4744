"""Keeping no longer than allowed: erasing here whom the retention policy names, by command or with each build.

Belongs here: who is erased of those who are due, and that a build begins it. Not here: the rule and its dates
(dbt_project, mart_retention_due), the list (warehouse.retention), erasing (erase).
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from join_pipeline.bucket.writing import writing
from join_pipeline.errors import BuildError
from join_pipeline.people import erase
from join_pipeline.people.commands import Build, FeedsOf, resume, seeking
from join_pipeline.people.person import Seeking
from join_pipeline.settings import Settings
from join_pipeline.warehouse.audit import note_read
from join_pipeline.warehouse.outcome import outcome
from join_pipeline.warehouse.retention import candidates_due, loaded_up_to

BY_COMMAND: Final = "retention apply"
BY_SCHEDULE: Final = "JOIN_PIPELINE_RETENTION_APPLY"


def erase_due(settings: Settings, feeds_of: FeedsOf, build: Build) -> tuple[int, dict[str, Any] | None]:
    """Erase who is due by the last build, and build anew. Returns how many, and the receipt if there were any."""
    with writing(settings):
        n, number = _erased(settings, feeds_of, BY_COMMAND)
    if number is None:
        return n, None
    build(settings)
    return n, erase.receipt_of(settings, number)


def erase_due_before_load(settings: Settings, feeds_of: FeedsOf) -> int:
    """Erase who is due by the last build, if the setting says so and that was published. Returns how many.

    The caller holds the lock. The load and the build that follow leave the receipt. Without a build that was published
    nobody is erased: the next one says anew who is due.
    """
    if not settings.retention_apply or erase.pending(settings) is not None:
        return 0  # an erasure that was cut off has no receipt yet
    with contextlib.suppress(BuildError):
        published = outcome(settings)
        if published is not None and published.as_of == loaded_up_to(settings)[1]:
            return _erased(settings, feeds_of, BY_SCHEDULE)[0]
    return 0


def _erased(settings: Settings, feeds_of: FeedsOf, by: str) -> tuple[int, str | None]:
    """Erase who is due, up to the build. Returns how many, and the number of the receipt that the build leaves."""
    listed = candidates_due(settings)
    if not listed:
        return 0, None
    note_read(settings, by)
    since, _as_of = loaded_up_to(settings)
    resume(settings, feeds_of)
    with seeking(settings, feeds_of) as look:
        moved = set(_moved(look, since))
        still = [one for one in listed if one not in moved]
        if not still:
            return 0, None
        person = look.person([f"candidate:{one}" for one in still])
    number = erase.begin(settings, person, by).number
    resume(settings, feeds_of)
    return len(still), number


def _moved(look: Seeking, since: str) -> Iterator[str]:
    """The source's ids of candidates of whom a later sync than the build's saw anything new, as another application."""
    found = look.con.execute(
        f"""SELECT DISTINCT c.remote_id FROM {look.versions("candidates")} AS c
        JOIN {look.versions("applications")} AS a ON a.candidate_id = c.id
        WHERE a.sync_id > ? AND a.remote_deleted_at IS NULL AND c.remote_id IS NOT NULL""",
        [since],
    ).fetchall()
    return (one for (one,) in found)
