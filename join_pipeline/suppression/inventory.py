"""The inventory: which numbers of the shared tables count people, of which group, and what is hidden with them.

Belongs here: declarations of the published tables. Not here: what sums say of them (cells, equations), hiding.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Group:
    """A column of a table that is the size of a group, and the columns that are hidden with it.

    `what` says which set of applications is grouped, as SQL: two tables may count the same. The group is one of a
    scope (`scope`, `key`), of a period (`grain`, `period`). `flag` is the column that says that it is hidden.
    """

    size: str
    what: str
    hides: tuple[str, ...]
    scope: str = "scope"
    key: str = "scope_key"
    grain: str = "'all'"
    period: str = "NULL"
    flag: str | None = "is_suppressed"
    says: tuple[tuple[str, str], ...] = ()
    """Columns that then have a text instead, and the text."""
    counted: str | None = None
    """The size as SQL, where it is not the column."""
    is_inside: bool = False
    """Whether it is a part of a larger group. Then its size is no secret of its own, but may tell those of others."""


@dataclass(frozen=True, slots=True)
class SharedTable:
    """A shared table whose groups are checked. `names` are the columns that say which group it is."""

    name: str
    names: tuple[str, ...]
    groups: tuple[Group, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _bands(*quantiles: int) -> str:
    return " ".join(f"days_p{one}{end}" for one in quantiles for end in ("_lo", "", "_hi"))


CHECKED: Final = (
    SharedTable(
        "fct_funnel_cohort",
        _words("cohort_grain cohort_on scope scope_key job_id source milestone milestone_rank is_left_truncated"),
        (
            Group(
                "n_cohort",
                "'applied'",
                _words(
                    "n_unknown n_reached_observed n_reached_assumed n_moved_on n_out n_waiting n_in_closed_job "
                    "n_expired pass_through pass_through_wilson_low pass_through_wilson_high pass_through_low "
                    "pass_through_high offer_stage_conversion offer_stage_conversion_wilson_low "
                    "offer_stage_conversion_wilson_high"
                ),
                grain="cohort_grain",
                period="cohort_on",
            ),
        ),
    ),
    SharedTable(
        "fct_funnel_cohort_age",
        _words(
            "cohort_grain cohort_on scope scope_key job_id source milestone milestone_rank age_days is_left_truncated"
        ),
        (
            Group(
                "n_cohort",
                "'applied'",
                ("is_mature",),
                grain="cohort_grain",
                period="cohort_on",
                flag=None,
            ),
            Group(
                "n_old_enough",
                "'aged ' || age_days",
                _words(
                    "n_reached_lo n_reached n_reached_hi conversion_lo conversion conversion_hi conversion_wilson_low "
                    "conversion_wilson_high is_mature"
                ),
                grain="cohort_grain",
                period="cohort_on",
            ),
        ),
    ),
    SharedTable(
        "mart_source_effectiveness",
        _words("source_key source channel period_grain period_key period_on is_left_truncated"),
        (
            Group(
                "n_applications",
                "'applied'",
                _words(
                    "n_unknown n_waiting n_in_closed_job n_hired n_declined n_vanished n_expired n_qualified "
                    "n_qualification_known share_qualified share_qualified_wilson_low share_qualified_wilson_high "
                    "pass_through pass_through_wilson_low pass_through_wilson_high pass_through_low pass_through_high "
                    "hire_rate hire_rate_wilson_low hire_rate_wilson_high hire_rate_low hire_rate_high "
                    "incidence_starts_at_days incidence_hired_60d_lo incidence_hired_60d_hi "
                    "incidence_hired_60d_std_error incidence_hired_90d_lo incidence_hired_90d_hi "
                    "incidence_hired_90d_std_error days_to_decision_p50_lo days_to_decision_p50_hi"
                ),
                scope="'source'",
                key="source_key",
                grain="period_grain",
                period="period_on",
            ),
            # who waits, at whatever milestone: with it goes what would tell it, since the parts add up to the group
            Group(
                "n_waiting",
                "'waits'",
                _words(
                    "n_declined n_in_closed_job pass_through pass_through_wilson_low pass_through_wilson_high "
                    "pass_through_high hire_rate hire_rate_wilson_low hire_rate_wilson_high hire_rate_high"
                ),
                scope="'source'",
                key="source_key",
                grain="period_grain",
                period="period_on",
                flag=None,
                counted="n_waiting - n_unknown",
                is_inside=True,
            ),
        ),
    ),
    SharedTable(
        "mart_consent",
        _words("scope scope_key job_id period_grain period_key period_on"),
        (
            Group(
                "n_applications",
                "'applied'",
                _words(
                    "n_given n_rejected n_rejected_kept n_expired n_expired_kept n_requested n_not_asked n_unknown "
                    "share_given share_given_wilson_low share_given_wilson_high"
                ),
                grain="period_grain",
                period="period_on",
            ),
        ),
    ),
    SharedTable(
        "mart_weekly_trend",
        _words("week_on n_days n_days_synced is_whole is_left_truncated"),
        (
            Group(
                "n_applications",
                "'applied'",
                _words("n_decisions n_hired n_declined n_vanished n_expired n_waiting n_in_closed_job"),
                scope="'overall'",
                key="'all'",
                grain="'week'",
                period="week_on",
            ),
        ),
    ),
    SharedTable(
        "mart_seasonality",
        _words("month_on calendar_year calendar_month is_whole is_left_truncated"),
        (
            Group(
                "n_applications",
                "'applied'",
                _words("n_hires change_of_applications"),
                scope="'overall'",
                key="'all'",
                grain="'month'",
                period="month_on",
            ),
            Group(
                "n_applications_year_before",
                "'applied'",
                _words("n_hires_year_before change_of_applications"),
                scope="'overall'",
                key="'all'",
                grain="'month'",
                period="CAST(month_on - INTERVAL 1 YEAR AS DATE)",
                flag=None,
            ),
        ),
    ),
    SharedTable(
        "mart_speed",
        _words("metric scope scope_key job_id source period_grain period_key period_on"),
        (
            Group(
                "n",
                "'ended ' || metric",
                ("n_left_truncated", *_words(_bands(25, 50, 75))),
                grain="period_grain",
                period="period_on",
            ),
            Group(
                "n_historic",
                "'historic ' || metric",
                ("historic_days_p50_at_most",),
                grain="period_grain",
                period="period_on",
                flag=None,
            ),
        ),
    ),
    SharedTable(
        "mart_time_in_stage",
        _words("scope scope_key job_id source milestone visit_status"),
        (
            Group(
                "n_visits",
                "'stayed ' || milestone || ' ' || visit_status",
                ("n_applications", "n_in_closed_job", "n_left_truncated", *_words(_bands(25, 50, 75, 90))),
            ),
        ),
    ),
    SharedTable(
        "mart_bottleneck",
        _words("scope scope_key job_id source milestone milestone_rank"),
        (
            Group(
                "n_hires",
                "'hired'",
                _words(
                    "days_mean_lo days_mean days_mean_hi days_unseen_mean days_to_hire_mean share_of_days "
                    "days_to_hire_mean_if_halved is_bottleneck"
                ),
            ),
        ),
    ),
    SharedTable(
        "mart_pipeline_now",
        _words("scope scope_key milestone stage_key job_key stage_id job_id stuck_rule stuck_after_days"),
        (
            Group(
                "n_open",
                "CASE WHEN scope IN ('milestone', 'stage', 'job') THEN 'waits' ELSE 'waits ' || milestone END",
                _words(
                    "n_in_closed_job n_stuck n_certainly_stuck share_stuck share_stuck_wilson_low "
                    "share_stuck_wilson_high days_in_stage_p50 days_in_stage_p75"
                ),
                scope="CASE scope WHEN 'job' THEN 'stage_job' ELSE scope END",
                key="CASE scope WHEN 'milestone' THEN milestone WHEN 'stage' THEN milestone || '/' || stage_key "
                "WHEN 'job' THEN milestone || '/' || stage_key || '/' || job_key ELSE scope_key END",
            ),
        ),
    ),
    SharedTable(
        "mart_service_level",
        _words("scope scope_key job_id milestone milestone_rank days_allowed"),
        (
            Group(
                "n_stays",
                "'kept ' || milestone",
                _words(
                    "n_attained n_breached n_certainly_breached n_unknown share_attained share_attained_wilson_low "
                    "share_attained_wilson_high curve_attained_lo curve_attained_hi"
                ),
                flag="is_past_suppressed",
            ),
            Group(
                "n_open",
                "'waits ' || milestone",
                _words("n_in_closed_job n_overdue n_certainly_overdue n_due_soon days_left_p50"),
            ),
        ),
    ),
    SharedTable(
        "mart_hiring_forecast",
        _words("scope scope_key job_id horizon_days followed_until n_past_forecasts n_past_within_80 n_past_within_95"),
        (
            Group(
                "n_waiting",
                "'forecast'",
                _words("hires_expected chance_of_a_hire hires_low_80 hires_high_80 hires_low_95 hires_high_95"),
                says=(("reason", "too few people to show"),),
            ),
        ),
    ),
)
"""The tables whose groups are checked against each other before they are published."""


NOT_CHECKED: Final = {
    "fct_survival": "a curve: small groups are hidden when it is built, and steps of few people put together (curves)",
    "fct_turnbull": "a curve: small groups are hidden when it is built, and steps of few people put together (curves)",
    "mart_pass_through": "read from the curves of fct_survival at three ages",
    "mart_hiring_forecast_backtest": "one group per day of the past; no other table counts the same",
    "mart_cost_per_hire": "only sources and months that the user's file names",
    "mart_hiring_plan": "the user's file says which hires a line counts, so lines add up to nothing",
    "mart_definition_diff": "hires of all jobs by vendors' rules; no part of them is told",
    "mart_trust": "shares of everything; few applications are hidden when it is built",
}
"""Shared tables that count people and are not checked against the others, and why."""

NOBODY: Final = {
    "bridge_job_question": "forms",
    "dim_date": "days",
    "dim_job": "jobs",
    "dim_question": "forms",
    "dim_source": "sources",
    "dim_stage": "stages",
    "dim_sync": "syncs",
    "mart_follow_up": "instants",
    "metric_definition": "definitions",
    "retention_policy": "policies",
    "schema_version": "a version",
    "source_channel": "sources",
    "stage_milestone": "stages",
    "vendor_definition": "definitions",
}
"""Shared tables that count no people, and what they are about."""
