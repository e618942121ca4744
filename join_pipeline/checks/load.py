"""The check of a load: every id that a row refers to exists.

Belongs here: the rule and its message. Not here: dbt's tests (dbt_project), showing findings (defs).
"""

from typing import Final

import duckdb

from join_pipeline.checks.finding import Check, Finding, Verdict

REFERENCES: Final = {
    "jobs": {"contact_id": "users"},
    "applications": {
        "current_stage_id": "application_stages",
        "job_id": "jobs",
        "candidate_id": "candidates",
    },
    "candidate_tags": {"candidate_id": "candidates", "tag_id": "tags"},
    "job_application_stages": {"job_id": "jobs", "stage_id": "application_stages"},
    "job_screening_questions": {
        "job_id": "jobs",
        "question_id": "screening_questions",
        "precondition_question_id": "screening_questions",
    },
    "job_hiring_team": {"job_id": "jobs", "user_id": "users"},
}
"""For each model and column, the model that the column's ids refer to."""
LOAD_CHECKS: Final = tuple(Check(f"ats/{model}", "references", "Every id refers to a row") for model in REFERENCES)


def check_references(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    """One finding per model: a warning if live records in `ats` refer to rows that do not exist."""
    findings = []
    for model, columns in REFERENCES.items():
        counts = ", ".join(
            f"count(*) FILTER ({column} IS NOT NULL AND {column} NOT IN (SELECT id FROM ats.{target}))"
            for column, target in columns.items()
        )
        row = con.execute(f"SELECT {counts} FROM ats.{model} WHERE remote_deleted_at IS NULL").fetchall()[0]
        figures = dict(zip(columns, row, strict=True))
        dangling = ", ".join(f"{column} in {n} rows" for column, n in figures.items() if n)
        message = (
            f"Ids that refer to no row: {dangling}. `join-pipeline sync --mode full` fetches the missing records. If "
            "it does not, report it."
        )
        verdict: Verdict = "warning" if dangling else "ok"
        findings.append(Finding("references", verdict, message if dangling else "", f"ats/{model}", figures))
    return findings
