"""A company that deletes by rule, read over HTTP: what the rule took has expired, and the curve is the true one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import httpx
import numpy as np
import pytest

from join_pipeline.pipeline import build
from join_pipeline.sandbox import Drafts, Purge, SandboxConfig, running
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.oracle.truth import DECLINED, HIRED, PENDING, Timeline, read_truth, timelines
from join_pipeline_tests.syncing import run_sync

BEGIN: Final = datetime(2024, 11, 30, 6, tzinfo=UTC)
END: Final = datetime(2026, 1, 1, 6, tzinfo=UTC)
AGE: Final = 60
APPLICATIONS: Final = 1500
PURGES: Final = {
    "nightly": Purge(days=AGE, begins=datetime(2025, 6, 1, 2, tzinfo=UTC)),
    "once": Purge(days=AGE, begins=datetime(2025, 11, 3, 9, tzinfo=UTC), is_once=True),
}


@dataclass(frozen=True)
class Told:
    """The pipeline's curves and statuses, and what truly happened."""

    settings: Settings
    truth: dict[str, Timeline]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with duckdb.connect(self.settings.warehouse, read_only=True) as con:
            return con.execute(query).fetchall()


def config(purge: Purge | None) -> SandboxConfig:
    return SandboxConfig(
        port=0,
        applications=APPLICATIONS,
        now=END,
        rate_limit=None,
        purge=purge,
        first_stages=("Eingang", "Neue Bewerbungen"),
        drafts=Drafts(share=0.6, days=10),
        lists_drafts=True,
    )


def told(data: Path, purge: Purge | None, every: timedelta) -> Told:
    with running(config(purge)) as url:
        truth = {line.application: line for line in timelines(read_truth(url))}
        settings = load_settings(
            join_api_token="sandbox-token",
            join_api_url=f"{url}/v2",
            data=data,
            connection="sandbox",
            integration_id="join:test",
            pseudonym_key="a key for tests only",
        )
        now = BEGIN
        while now <= END:
            httpx.post(f"{url}/control/clock", json={"now": now.isoformat()}, trust_env=False).raise_for_status()
            run_sync(settings, "full", accept_loss=("applications",))
            now += every
    build(settings)
    return Told(settings, truth)


def true_curve(truth: dict[str, Timeline], until: datetime, days: int) -> np.ndarray:
    """Kaplan–Meier of the first decision, of the company without a rule, at the end of each day."""
    ends = []
    for line in truth.values():
        if line.applied_at >= until:
            continue
        at = next((s.at for s in line.states if s.outcome in (HIRED, DECLINED) or s.is_deleted), None)
        is_event = at is not None and at <= until
        ends.append((((at if is_event and at else until) - line.applied_at) / timedelta(days=1), is_event))
    survival, curve = 1.0, []
    events = sorted(day for day, is_event in ends if is_event)
    exits = np.sort([day for day, _ in ends])
    done = 0
    for day in range(1, days + 1):
        while done < len(events) and events[done] <= day:
            survival *= 1 - 1 / (len(exits) - np.searchsorted(exits, events[done]))
            done += 1
        curve.append(survival)
    return np.array(curve)


@pytest.mark.slow
@pytest.mark.parametrize("name", PURGES)
def test_a_purge_expires_applications_and_bends_no_curve(name: str, tmp_path: Path) -> None:
    company = told(tmp_path, PURGES[name], timedelta(days=7))
    with running(config(None)) as url:
        undisturbed = {line.application: line for line in timelines(read_truth(url))}

    gone = {key: line.states[-1] for key, line in company.truth.items() if line.states[-1].is_deleted}
    purged = {key for key, state in gone.items() if state not in undisturbed[key].states}
    undecided = {key for key in purged if gone[key].outcome == PENDING}
    statuses = dict(
        company.rows(
            """SELECT a.remote_id, f.status FROM recruiting.fct_application AS f
            JOIN ats.pseudonyms AS p ON p.pseudonym = f.application_key AND p.model = 'applications'
            JOIN ats.applications AS a ON a.id = p.id"""
        )
    )
    expired = {key for key, status in statuses.items() if status == "EXPIRED"}
    assert len(undecided) > 50
    assert len(expired & undecided) >= 0.95 * len(undecided & statuses.keys())
    assert len(expired - purged) <= 0.02 * len(expired)

    ((until,),) = company.rows("SELECT followed_until FROM recruiting.mart_follow_up")
    assert isinstance(until, datetime)
    seen = {key: line for key, line in undisturbed.items() if key in statuses}
    truth = true_curve(seen, until, AGE + 30)
    shown = company.rows(
        """SELECT day, min(survival), max(survival) FROM recruiting.fct_survival
        WHERE question = 'decision' AND scope = 'overall' AND bound IN ('lo', 'hi') AND day <= 90
        GROUP BY day HAVING count(*) = 2 ORDER BY day"""
    )
    assert len(shown) > 20
    errors = [max(low - truth[day - 1], truth[day - 1] - high) for day, low, high in shown]  # type: ignore[index,operator]
    assert max(errors) < 0.01


@pytest.mark.slow
def test_first_stages_are_screening_and_drafts_open_later(tmp_path: Path) -> None:
    company = told(tmp_path, None, timedelta(days=30))
    rows = company.rows(
        """SELECT DISTINCT stages.stage_name, job_stages.milestone
        FROM intermediate.int_job_stage AS job_stages JOIN recruiting.dim_stage AS stages USING (stage_id)
        WHERE stages.stage_name IN ('Eingang', 'Neue Bewerbungen')"""
    )
    assert sorted(rows) == [("Eingang", "SCREENING"), ("Neue Bewerbungen", "SCREENING")]
    ((n_observed, n_early),) = company.rows(
        """SELECT count(*), count(*) FILTER (WHERE opened_at_lo > first_applied_at)
        FROM recruiting.fct_job_vacancy WHERE opened_evidence IN ('observed', 'bounded')"""
    )
    assert n_observed > 0  # type: ignore[operator]
    assert n_early == 0
