"""The report's numbers are those of the marts, whatever its reader chooses."""

import contextlib
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

import join_pipeline
from join_pipeline.settings import Settings
from join_pipeline_tests.browser.conftest import watched
from join_pipeline_tests.browser.report_page import choose, drawn, jobs, number, opened, share, table
from join_pipeline_tests.report.companies import Companies

PACKAGE = Path(join_pipeline.__file__).parent
FUNNEL = """
SELECT
    milestone_rank, sum(n_reached_assumed), sum(n_reached_observed),
    sum(n_reached_assumed - n_out - n_waiting), sum(n_waiting), sum(n_out), sum(n_moved_on)
FROM fct_funnel_cohort
WHERE cohort_grain = 'month' AND scope = ? AND scope_key = ? AND cohort_on BETWEEN ? AND ? AND NOT is_suppressed
GROUP BY milestone_rank ORDER BY milestone_rank
"""


def rows(settings: Settings, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        return con.execute(query, list(values)).fetchall()


def months(settings: Settings) -> list[str]:
    found = rows(settings, "SELECT DISTINCT cohort_on FROM fct_funnel_cohort WHERE cohort_grain = 'month' ORDER BY ALL")
    return [day.isoformat() for (day,) in found]


def shows_funnel(page: Page, settings: Settings, scope: str, key: str, start: str, end: str) -> None:
    """Assert that the funnel's table is the sum over the chosen cohorts, and its rates their shares."""
    expected = rows(settings, FUNNEL, scope, key, start, end)
    shown = table(page, "funnel")
    assert [[number(cell) for cell in row[1:6]] for row in shown] == [list(row[1:6]) for row in expected]
    for row, (_, reached, _, _, waiting, out, moved) in zip(shown[:3], expected[:3], strict=True):
        mature = moved / (moved + out) if moved + out >= settings.minimum_n else None
        assert share(row[6]) == (None if mature is None else pytest.approx(mature, abs=0.0006))
        if reached >= settings.minimum_n:
            low, high = row[8].replace("%", "").split("–") if "–" in row[8] else (row[8].replace("%", ""),) * 2
            assert float(low) / 100 == pytest.approx(moved / reached, abs=0.0051)
            assert float(high) / 100 == pytest.approx((moved + waiting) / reached, abs=0.0051)
        else:
            assert row[8] == "–"


def test_the_funnel_is_the_sum_of_its_cohorts_for_every_choice(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    start, end = months(busy)[2], months(busy)[-2]
    with opened(browser, busy) as page:
        assert [page.locator(f"#filter-{name}").input_value() for name in ("from", "to")] == usual_period(busy)
        choose(page, "from", start)
        choose(page, "to", end)
        shows_funnel(page, busy, "overall", "all", start, end)
        choose(page, "job", jobs(page)[1])
        assert jobs(page)[1] in page.locator("#shown").inner_text()
        shows_funnel(page, busy, "job", key_of(page, "job"), start, end)
        choose(page, "job", "")
        option = page.locator("#filter-source option:not([value=''])").nth(1)
        choose(page, "source", str(option.get_attribute("value")))
        assert str(option.text_content()) in page.locator("#shown").inner_text()
        shows_funnel(page, busy, "source", key_of(page, "source"), start, end)
        page.locator("#filter-reset").click()
        choose(page, "from", start)
        shows_funnel(page, busy, "overall", "all", start, usual_period(busy)[1])


def usual_period(settings: Settings) -> list[str]:
    found = rows(
        settings,
        """SELECT min(cohort_on), max(cohort_on) FROM fct_funnel_cohort
        WHERE cohort_grain = 'month' AND scope = 'overall' AND NOT is_left_truncated""",
    )
    return [day.isoformat() for day in found[0]]


def key_of(page: Page, scope: str) -> str:
    return str(page.evaluate("scope => new URLSearchParams(location.hash.slice(1)).get(scope)", scope))


def test_who_waits_is_told_by_milestone_and_for_a_job_by_stage(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    with opened(browser, busy) as page:
        expected = rows(
            busy,
            """SELECT n_open, n_open - n_in_closed_job, n_in_closed_job, n_stuck, n_certainly_stuck
            FROM mart_pipeline_now
            WHERE scope = 'milestone'
            ORDER BY list_position(['SCREENING', 'INTERIM', 'OFFER', 'HIRED'], milestone)""",
        )
        shown = table(page, "now")
        assert [tuple(number(cell) for cell in row[3:8]) for row in shown[: len(expected)]] == expected
        choose(page, "job", jobs(page)[0])
        hidden = rows(busy, "SELECT is_suppressed FROM mart_pipeline_now WHERE job_key = ?", key_of(page, "job"))
        assert [row[3] == "hidden" for row in table(page, "now")].count(True) == sum(one for (one,) in hidden)


def test_who_waits_is_told_of_each_scope_that_its_mart_has(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    of_scope = """SELECT n_open, n_open - n_in_closed_job, n_in_closed_job, n_stuck, n_certainly_stuck
        FROM mart_pipeline_now
        WHERE scope = ? AND scope_key = ? AND NOT is_suppressed
        ORDER BY list_position(['SCREENING', 'INTERIM', 'OFFER', 'HIRED'], milestone)"""
    n_shown = {}
    with opened(browser, busy) as page:
        for scope in ("source", "category", "city", "channel"):
            keys = page.locator(f"#filter-{scope} option:not([value=''])").evaluate_all(
                "all => all.map(one => one.value)"
            )
            key = max(keys, key=lambda key: len(rows(busy, of_scope, scope, key)))
            choose(page, scope, key)
            expected = rows(busy, of_scope, scope, key)
            if expected:
                shown = [row for row in table(page, "now") if row[3] != "hidden"]
                assert [tuple(number(cell) for cell in row[3:8]) for row in shown] == expected
                assert {row[0] for row in shown} == {page.locator(f"#filter-{scope} option:checked").text_content()}
            n_shown[scope] = len(expected)
            choose(page, scope, "")
    assert sum(n > 0 for n in n_shown.values()) >= 2, f"too few groups show who waits: {n_shown}"


def test_curves_show_their_mart_s_last_step(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    with opened(browser, busy) as page:
        day, at_risk, waiting, _ = table(page, "decision")[-1]
        low, high = rows(
            busy,
            """SELECT min(survival), max(survival) FROM (
                SELECT bound, arg_max(survival, day) AS survival FROM fct_survival
                WHERE question = 'decision' AND scope = 'overall' AND day <= ? GROUP BY bound
            )""",
            int(number(day) or 0),
        )[0]
        shown = [float(end) / 100 for end in waiting.replace("%", "").split("–")]
        assert [shown[0], shown[-1]] == [pytest.approx(low, abs=0.0051), pytest.approx(high, abs=0.0051)]
        assert (number(at_risk) or 0) >= busy.minimum_n


def test_stays_and_times_are_their_marts(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    stays = rows(
        busy,
        """SELECT n_visits, days_p50 FROM mart_time_in_stage
        WHERE scope = 'overall' AND milestone = 'SCREENING' AND visit_status = 'completed'""",
    )[0]
    times = rows(
        busy,
        """SELECT n, days_p50, n_historic FROM mart_speed
        WHERE scope = 'overall' AND metric = 'time_to_hire' AND period_grain = 'all'""",
    )[0]
    with opened(browser, busy) as page:
        stay = next(row for row in table(page, "stages") if row[0] == "Screening: moved on")
        assert (number(stay[1]), number(stay[3])) == (stays[0], pytest.approx(stays[1], abs=0.51))
        time = next(row for row in table(page, "times") if row[0] == "Applied to hired")
        assert (number(time[1]), number(time[3])) == (times[0], pytest.approx(times[1], abs=0.51))
        assert number(time[6]) == times[2]


def test_sources_are_the_sums_of_their_cohorts_beside_their_mart(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    sums = rows(
        busy,
        """SELECT
            scope_key,
            sum(n_cohort) FILTER (milestone = 'HIRED'),
            sum(n_reached_assumed - n_out - n_waiting) FILTER (milestone = 'HIRED') AS hired,
            hired / (hired + sum(n_out))
        FROM fct_funnel_cohort
        WHERE cohort_grain = 'month' AND scope = 'source' AND NOT is_suppressed GROUP BY scope_key""",
    )
    marts = rows(
        busy,
        """SELECT source_key, days_to_decision_p50_hi FROM mart_source_effectiveness
        WHERE period_grain = 'all' AND days_to_decision_p50_hi IS NOT NULL""",
    )
    assert sums
    assert marts
    with opened(browser, busy) as page:
        choose(page, "from", months(busy)[0])
        choose(page, "to", months(busy)[-1])
        page.locator("#figure-sources input[value=hired]").check(force=True)
        drawn(page)
        shown = {row[0]: row for row in table(page, "sources")}
        for source, n, _, rate in sums:
            assert (number(shown[source][2]), share(shown[source][4])) == (n, pytest.approx(rate, abs=0.0006))
        for source, days in marts:
            assert shown[source][8].endswith((f"{days} days", f"{days} day"))


def told_apart(page: Page, groups: list[list[tuple[int, int]]]) -> list[dict[str, bool]]:
    """What the page's own script says of each comparison of groups, each with its part and its whole."""
    script = (PACKAGE / "report" / "assets" / "app" / "10_data.js").read_text()
    code = [
        found[0]
        for name in ("wilson", "deviate", "extremes")
        if (found := re.search(rf"^function {name}\(.*?^}}", script, re.MULTILINE | re.DOTALL))
    ]
    ask = """const last = (list) => list[list.length - 1]; const about = { minimum_n: 10 };
        return all.map((groups) => extremes(
            groups.map(([part, whole]) => ({ part, whole })).sort((a, b) => b.part / b.whole - a.part / a.whole)
        ));"""
    return page.evaluate("([code, all]) => new Function('all', code)(all)", ["\n".join([*code, ask]), groups])  # type: ignore[no-any-return]


def test_of_equal_sources_a_first_and_a_last_are_told_in_at_most_5_of_100(browser: Browser) -> None:
    random = np.random.default_rng(14)
    with watched(browser) as page:
        for n_sources, chance, fewest, most in [
            *((2, 0.5, 10, 14), (2, 0.5, 200, 900), (3, 0.3, 10, 40), (8, 0.2, 10, 400), (16, 0.5, 10, 30)),
            (30, 0.3, 50, 2_000),
        ]:
            whole = random.integers(fewest, most, (800, n_sources))
            part = random.binomial(whole, chance)
            said = told_apart(page, np.stack([part, whole], axis=2).tolist())
            assert sum(one["differ"] for one in said) <= 0.05 * len(said), (n_sources, chance)
            assert all(one["differ"] or not (one["leads"] or one["trails"]) for one in said)


def test_a_source_leads_only_if_it_is_above_each_other_one(browser: Browser) -> None:
    random = np.random.default_rng(15)
    whole = np.full((800, 4), 400)
    two_alike = random.binomial(whole, [0.5, 0.5, 0.2, 0.2])
    with watched(browser) as page:
        said = told_apart(page, np.stack([two_alike, whole], axis=2).tolist())
        assert all(one["differ"] for one in said)
        assert sum(one["leads"] or one["trails"] for one in said) <= 0.05 * len(said)
        far = told_apart(page, [[(300, 400), (200, 400), (100, 400)], [(8, 12), (5, 12)], [(6, 12)]])
    assert far[0] == {"differ": True, "leads": True, "trails": True}
    assert far[1:] == [{"differ": False, "leads": False, "trails": False}] * 2


def test_weeks_trust_and_syncs_are_their_marts(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    weeks = rows(
        busy,
        """SELECT n_applications, n_decisions, n_hired, n_waiting, n_days_synced FROM mart_weekly_trend
        ORDER BY week_on DESC LIMIT 53""",
    )
    trust = rows(busy, "SELECT n, n_of FROM mart_trust ORDER BY check_name, subject")
    syncs = rows(busy, "SELECT n_requests FROM dim_sync ORDER BY sync_id DESC")
    with opened(browser, busy) as page:
        assert [tuple(number(cell) for cell in row[1:6]) for row in table(page, "trend")] == weeks
        assert [(number(row[1]), number(row[2])) for row in table(page, "trust")] == trust
        assert [(number(row[3]),) for row in table(page, "operations")] == syncs


def test_cohorts_by_age_are_their_mart(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    expected = rows(
        busy,
        """SELECT n_old_enough, conversion FROM fct_funnel_cohort_age
        WHERE cohort_grain = 'month' AND scope = 'overall' AND milestone = 'INTERIM' AND NOT is_left_truncated
        ORDER BY cohort_on DESC, age_days
        LIMIT 18 * 6""",
    )
    with opened(browser, busy) as page:
        page.locator("#figure-cohorts input[value=month]").check(force=True)
        drawn(page)
        page.wait_for_function("() => !document.querySelector('#figure-cohorts tbody th').textContent.match(/^[0-9]/)")
        shown = [(number(row[3]), share(row[4])) for row in table(page, "cohorts")]
        assert len(shown) == len(expected)
        for (old, rate), (n_old, conversion) in zip(shown, expected, strict=True):
            assert old == n_old
            assert rate == (None if conversion is None else pytest.approx(conversion, abs=0.0006))
