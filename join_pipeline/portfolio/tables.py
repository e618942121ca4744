"""The tables of portfolio.duckdb: which published tables they are made from, their SQL and their comments.

Only shared tables are read, in which small groups are hidden. A sum over milestones is told only if all of its parts
are; what the shown parts sum up to is a lower bound that every reader of these tables has.
Belongs here: columns, SQL and comments. Not here: which companies are read (companies), the file (write).
"""

from dataclasses import dataclass
from typing import Final

LEAST_COMPANIES: Final = 20
"""Of fewer companies, quartiles tell about single ones."""
LEAST_APPLICATIONS: Final = 100
"""A company with fewer says little about how companies hire."""


@dataclass(frozen=True, slots=True)
class Read:
    """A published table, the rows that are read of it, and their columns with types."""

    where: str
    columns: dict[str, str]

    @property
    def declared(self) -> str:
        return ", ".join(f"{name} {kind}" for name, kind in {"connection": "VARCHAR", **self.columns}.items())

    @property
    def selected(self) -> str:
        return ", ".join(["connection", *self.columns])


READ: Final = {
    "mart_consent": Read("scope = 'overall' AND period_grain = 'all'", {"n_applications": "BIGINT"}),
    "mart_pipeline_now": Read(
        "scope = 'milestone'",
        {
            "milestone": "VARCHAR",
            **dict.fromkeys(("n_open", "n_in_closed_job", "n_stuck", "n_certainly_stuck"), "BIGINT"),
            **dict.fromkeys(("share_stuck", "days_in_stage_p50", "days_in_stage_p75"), "DOUBLE"),
            "is_suppressed": "BOOLEAN",
        },
    ),
    "mart_service_level": Read(
        "scope = 'overall'",
        {
            "milestone": "VARCHAR",
            "days_allowed": "INTEGER",
            **dict.fromkeys(("n_overdue", "n_certainly_overdue"), "BIGINT"),
        },
    ),
    "mart_speed": Read(
        "scope = 'overall' AND period_grain = 'all'",
        {
            "metric": "VARCHAR",
            "n": "BIGINT",
            **dict.fromkeys(("days_p25", "days_p50_lo", "days_p50", "days_p50_hi", "days_p75"), "DOUBLE"),
            "n_left_truncated": "BIGINT",
            "n_historic": "BIGINT",
            "historic_days_p50_at_most": "DOUBLE",
            "is_suppressed": "BOOLEAN",
        },
    ),
}

# `company` has a row for each company: what was found of it.
COMPANIES: Final = """
    SELECT
        connection, state, nullif(message, '') AS message, as_of::TIMESTAMPTZ AS as_of, sync_id, schema_version,
        release, k, if(state = 'left out', NULL, n_applications) AS n_applications
    FROM company LEFT JOIN mart_consent USING (connection)
    ORDER BY connection
"""

# A milestone without a row has nobody waiting. Of a company whose every milestone is so, nobody waits.
WAITING: Final = """
    WITH milestones AS (
        SELECT
            connection, milestone, n_open, n_in_closed_job, n_stuck, n_certainly_stuck, share_stuck, days_in_stage_p50,
            days_in_stage_p75, days_allowed, n_overdue, n_certainly_overdue, is_suppressed
        FROM mart_pipeline_now LEFT JOIN mart_service_level USING (connection, milestone)
    ),
    summed AS (
        SELECT
            company.connection,
            count(milestone) AS n_parts,
            coalesce(bool_or(is_suppressed), false) AS is_suppressed,
            bool_or(days_allowed IS NOT NULL) AS has_days_allowed,
            coalesce(sum(n_open), 0)::BIGINT AS n_open_at_least,
            {sums}
        FROM company LEFT JOIN milestones USING (connection)
        WHERE state <> 'left out'
        GROUP BY company.connection
    ),
    shown AS (
        SELECT
            connection, 'all' AS milestone, n_open_at_least, {told},
            is_suppressed
        FROM summed
    )
    SELECT
        connection, milestone, n_open, n_open_at_least, n_in_closed_job, n_stuck, n_certainly_stuck,
        if(n_open - n_in_closed_job >= 10, n_stuck / (n_open - n_in_closed_job), NULL) AS share_stuck,
        NULL::DOUBLE AS days_in_stage_p50, NULL::DOUBLE AS days_in_stage_p75, NULL::INTEGER AS days_allowed,
        n_overdue, n_certainly_overdue, is_suppressed
    FROM shown
    UNION ALL BY NAME
    SELECT *, coalesce(n_open, 0) AS n_open_at_least FROM milestones
    ORDER BY connection, milestone <> 'all',
        list_position(['SCREENING', 'INTERIM', 'OFFER', 'HIRED'], milestone) NULLS LAST, milestone
"""
_SUMMED: Final = ("n_open", "n_in_closed_job", "n_stuck", "n_certainly_stuck")
_OVERDUE: Final = ("n_overdue", "n_certainly_overdue")

SLOW: Final = """
    SELECT
        connection, metric, n, days_p25, days_p50_lo, days_p50, days_p50_hi, days_p75, n_left_truncated, n_historic,
        historic_days_p50_at_most, is_suppressed
    FROM mart_speed
    ORDER BY metric, days_p50 DESC NULLS LAST, connection
"""

# A company counts for a metric if it has enough applications, and as many cases as the smallest group may have.
BENCHMARKS: Final = """
    WITH known AS (
        SELECT metric, 'days' AS unit, n, days_p50_lo AS lo, days_p50 AS value, days_p50_hi AS hi, connection
        FROM who_is_slow_by_company
        UNION ALL
        SELECT 'share_stuck', 'share', n_open - n_in_closed_job, n_certainly_stuck / (n_open - n_in_closed_job),
            share_stuck, NULL, connection
        FROM who_waits_by_company WHERE milestone = 'all'
    ),
    counted AS (
        SELECT known.* FROM known INNER JOIN companies USING (connection)
        WHERE n_applications >= {least_applications} AND n >= {k} AND value IS NOT NULL
    ),
    quartiles AS (
        SELECT metric, count(*) AS n_companies,
            {quartiles}
        FROM counted GROUP BY metric
    )
    SELECT
        named.metric, named.unit, coalesce(n_companies, 0) AS n_companies,
        {shown},
        coalesce(n_companies, 0) < {least_companies} AS is_suppressed
    FROM (
        VALUES ('time_to_hire', 'days'), ('time_to_fill', 'days'), ('time_to_decision', 'days'),
            ('time_to_first_movement', 'days'), ('share_stuck', 'share')
    ) AS named (metric, unit)
    LEFT JOIN quartiles USING (metric)
    ORDER BY unit, metric
"""
_QUARTILES: Final = {"p25": 0.25, "p50": 0.5, "p75": 0.75}


def sql_of(k: int) -> dict[str, str]:
    """The SQL of each table, in the order in which they are made."""
    bounds = [(f"{name}{end}", column, at) for name, at in _QUARTILES.items() for end, column in _ENDS.items()]
    return {
        "companies": COMPANIES,
        "who_waits_by_company": WAITING.format(
            sums=", ".join(f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in (*_SUMMED, *_OVERDUE)),
            told=", ".join(
                [
                    *(f"if(is_suppressed, NULL, {name}) AS {name}" for name in _SUMMED),
                    *(f"if(is_suppressed OR NOT has_days_allowed, NULL, {name}) AS {name}" for name in _OVERDUE),
                ]
            ),
        ),
        "who_is_slow_by_company": SLOW,
        "benchmarks": BENCHMARKS.format(
            k=k,
            least_applications=LEAST_APPLICATIONS,
            least_companies=LEAST_COMPANIES,
            quartiles=", ".join(
                f"if(count({column}) = count(*), quantile_cont({column}, {at}), NULL) AS {name}"
                for name, column, at in bounds
            ),
            shown=", ".join(f"if(n_companies >= {LEAST_COMPANIES}, {name}, NULL) AS {name}" for name, _, _ in bounds),
        ),
    }


_ENDS: Final = {"_lo": "lo", "": "value", "_hi": "hi"}
_NAME: Final = "The company, by its connection's name"
_OPEN_JOB: Final = "Of these, those"
COMMENTS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "companies": (
        "One row per company: whether its figures are in this file, and of which build they are.",
        {
            "connection": _NAME,
            "state": "ok, old (its last sync is longer ago than JOIN_PIPELINE_STALE_AFTER_DAYS), or left out",
            "message": "Why it is old or left out, and what to do",
            "as_of": "The last sync that its figures are of",
            "sync_id": "The id of that sync",
            "schema_version": "Version of its published schema",
            "release": "Release of join-pipeline that built it",
            "k": "The smallest group of people that its shared tables show",
            "n_applications": "Applications ever seen, including deleted ones; null if hidden",
        },
    ),
    "who_waits_by_company": (
        "One row per company and milestone at which somebody waits, and one per company for all milestones.",
        {
            "connection": _NAME,
            "milestone": "SCREENING, INTERIM, OFFER, HIRED or UNKNOWN; all for all of them",
            "n_open": "Open applications; null if hidden, for all also if any milestone is hidden",
            "n_open_at_least": "Open applications at the milestones that are shown",
            "n_in_closed_job": "Of n_open, those whose job is closed, archived or deleted",
            "n_stuck": "Of n_open, those that are stuck by the best value",
            "n_certainly_stuck": "Of n_open, those that are stuck even by their lower bound",
            "share_stuck": "n_stuck / (n_open - n_in_closed_job); null below the minimum number of cases",
            "days_in_stage_p50": "Days that half of the open ones in open jobs have waited; null for all",
            "days_in_stage_p75": "Days that three quarters of them have not yet waited; null for all",
            "days_allowed": "Days that the company allows at the milestone, if it states any; null for all",
            "n_overdue": "Open applications in open jobs that have waited longer; null without allowed days",
            "n_certainly_overdue": "Of n_overdue, those that have even by their lower bound",
            "is_suppressed": "Too few people to show at the milestone; for all, at any",
        },
    ),
    "who_is_slow_by_company": (
        "One row per company and metric, over all of its time, the slowest company of each metric first.",
        {
            "connection": _NAME,
            "metric": "time_to_hire, time_to_fill, time_to_later_fill, time_to_decision or time_to_first_movement",
            "n": "Cases that were seen to end",
            "days_p25": "Days within which a quarter of them ended",
            "days_p50_lo": "Lower bound of the median",
            "days_p50": "Median of the days, by the best value of each case",
            "days_p50_hi": "Upper bound of the median",
            "days_p75": "Days within which three quarters of them ended",
            "n_left_truncated": "Of n, those that began before the first sync: slow ones are more likely among them",
            "n_historic": "Cases that ended before the first sync, in no quartile",
            "historic_days_p50_at_most": "Upper bound of their median",
            "is_suppressed": "Too few people to show",
        },
    ),
    "benchmarks": (
        "One row per metric: quartiles of the companies' own medians or shares. Every company counts once. Told from "
        f"{LEAST_COMPANIES} companies on that have {LEAST_APPLICATIONS} applications each and show the metric.",
        {
            "metric": "time_to_hire, time_to_fill, time_to_decision or time_to_first_movement: the company's median; "
            "share_stuck: of its open applications",
            "unit": "days or share",
            "n_companies": "Companies that count for the metric",
            **{
                f"{name}{end}": f"{said} of the companies{bound}"
                for name, said in {"p25": "Lower quartile", "p50": "Median", "p75": "Upper quartile"}.items()
                for end, bound in {
                    "_lo": ", by lower bounds",
                    "": "",
                    "_hi": ", by upper bounds; null for share_stuck",
                }.items()
            },
            "is_suppressed": f"Fewer than {LEAST_COMPANIES} companies count",
        },
    ),
}
