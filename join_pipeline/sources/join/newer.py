"""What a newer parent showed holds, although only older ones came: stages, questions, their places in jobs, users.

Belongs here: which of the known parents were not read now, and which of them are newer. Not here: which of those that
came holds (sync.precedence), candidates, of which the sync knows all applications (reconcile).

A parent is not read now if no list has it, if nobody could read it, or if nobody could read the part that shows the
record. Then the known content is at least as new as what that parent showed, and an older one that came changes
nothing. A parent that is gone has no say. One that was listed unchanged counts as read: of those that tell the same,
the newest is always mapped.
"""

from collections.abc import Mapping
from typing import Final

from join_pipeline.sources.join.mapping.questions import FROM_APPLICATION
from join_pipeline.sources.join.mapping.vocabulary import UNKNOWN_FORMAT
from join_pipeline.sync.known import NOT_ERASED, newest
from join_pipeline.sync.reconcile import LIVE, shown_whole
from join_pipeline.sync.workspace import Workspace

_FROM_APPLICATION: Final = f"n.priority = {FROM_APPLICATION}"


def order(updated_at: str, key: str) -> str:
    """SQL: the precedence of a parent. One whose update time could not be read comes before all others."""
    return f"struct_pack(at := coalesce({updated_at}, '-infinity'::TIMESTAMPTZ), key := try_cast({key} AS BIGINT))"


def keep_stages(workspace: Workspace) -> None:
    """Remove from `now_application_stages` what an older application showed."""
    shown_by = {"id": "current_stage_id"}
    _keep_of_applications(workspace, "application_stages", shown_by, "current_stage_id", _differs("payload_hash"))


def keep_stage_places(workspace: Workspace) -> None:
    """Remove from `now_job_application_stages` what an older application showed."""
    shown_by = {"stage_id": "current_stage_id", "job_id": "job_id"}
    _keep_of_applications(workspace, "job_application_stages", shown_by, "current_stage_id", _differs('"index"'))


def keep_question_places(workspace: Workspace) -> None:
    """Remove from `now_job_screening_questions` what an older parent showed.

    Nothing known says which questions an application answered, but applications for one job answer the same form.
    """
    model = "job_screening_questions"
    among = " AND ".join((_FROM_APPLICATION, _differs('"index"')))
    _keep_of_forms(workspace, model, "l.id = n.id")
    _keep_of_applications(workspace, model, {"job_id": "job_id"}, "job_screening_questions", among)


def keep_questions(workspace: Workspace) -> None:
    """Remove from `now_screening_questions` what an older parent showed.

    What an application shows of a question follows from its id, but for types that the mapping does not know.
    """
    model, among = "screening_questions", f"{_FROM_APPLICATION} AND n.format_type = '{UNKNOWN_FORMAT}'"
    _keep_of_forms(workspace, model, "l.question_id = n.id")
    asking = f"(SELECT question_id, job_id AS asking FROM known_job_screening_questions WHERE {LIVE})"
    joined = f"JOIN {asking} AS l ON l.question_id = n.id"
    _keep_of_applications(workspace, model, {"asking": "job_id"}, "job_screening_questions", among, joined)


def keep_users(workspace: Workspace) -> None:
    """Remove from `now_users` what an older job showed."""
    workspace.con.execute(
        f"""DELETE FROM now_users AS n WHERE n.id IN (SELECT id FROM known_users WHERE {LIVE})
            AND EXISTS (FROM known_job_hiring_team AS l JOIN {_unread_jobs("job_hiring_team")} AS j ON j.id = l.job_id
                WHERE l.user_id = n.id AND l.{LIVE} AND {_is_newer("j", "n")})"""
    )


def _keep_of_forms(workspace: Workspace, model: str, link: str) -> None:
    """Remove what a job's form says of a question if that of a newer job asks it, and what any application says.

    A form says more than an application does: which answers there are, and whether one is required.
    """
    workspace.con.execute(
        f"""DELETE FROM now_{model} AS n WHERE n.id IN (SELECT id FROM known_{model} WHERE {LIVE})
            AND EXISTS (FROM known_job_screening_questions AS l
                JOIN {_unread_jobs("job_screening_questions")} AS j ON j.id = l.job_id
                WHERE {link} AND l.{LIVE} AND l.required IS NOT NULL AND ({_FROM_APPLICATION} OR {_is_newer("j", "n")}))
        """
    )


def _unread_jobs(link: str) -> str:
    """SQL of the known jobs whose links of the model `link` were not read now. Of some jobs only the id is known."""
    return f"""(FROM known_jobs WHERE {LIVE} AND payload_hash IS NOT NULL
        AND id NOT IN (SELECT id FROM now_jobs WHERE {shown_whole(link)}) AND id NOT IN (SELECT id FROM gone_jobs))"""


def _is_newer(parent: str, row: str) -> str:
    known = order(f"{parent}.remote_updated_at", f"{parent}.remote_id")
    return f"{known} > {order(f'{row}.parent_updated_at', f'{row}.parent_id')}"


def _differs(content: str) -> str:
    return f"k.{content} IS NOT NULL AND n.{content} IS DISTINCT FROM k.{content}"


def _keep_of_applications(
    workspace: Workspace, model: str, shown_by: Mapping[str, str], part: str, among: str, joined: str = ""
) -> None:
    """Remove what an application showed if a newer one shows the record, too, and its `part` was not read now.

    `shown_by` has the columns of such an application by the record's, or by those of what it is `joined` with. Judged
    are those `among` the records whose content is another one than the known. They are few, and only their applications
    are asked for: `known_applications` has a part of them.
    """
    contested = f"contested_{model}"
    columns = "n.*, l.*" if joined else "n.*"
    workspace.step(
        contested,
        f"""SELECT {columns} FROM now_{model} AS n JOIN known_{model} AS k ON k.id = n.id AND k.{LIVE} {joined}
        WHERE {among}""",
    )
    if not workspace.holds_any(f"FROM {contested}"):
        return
    showing = " AND ".join(f"a.{column} = c.{own}" for own, column in shown_by.items())
    those = f"(FROM versions_applications WHERE {NOT_ERASED})"  # this sync ends who was erased here
    asked = f"SELECT a.id FROM {those} AS a JOIN {contested} AS c ON {showing}"
    workspace.con.execute(
        f"""DELETE FROM now_{model} WHERE id IN (
            SELECT c.id FROM {contested} AS c JOIN {newest("applications", asked)} AS a ON {showing}
            WHERE a.{LIVE} AND a.id NOT IN (SELECT id FROM now_applications WHERE {shown_whole(part)})
                AND a.id NOT IN (FROM unchanged) AND a.id NOT IN (SELECT id FROM gone_applications)
                AND {_is_newer("a", "c")})"""
    )
