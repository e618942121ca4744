"""The attacker with every table: each whole number of the shared tables is an unknown or is known, and every sum, rate
and order between them is a row of a linear program.

It shares no code with what hides. A number is named by what it counts, its period and its group. Belongs here: the
attack. Not here: what must withstand it.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from join_pipeline_tests.privacy.members import ALWAYS, Name, people_of, quarter_of
from join_pipeline_tests.privacy.program import CLOSE, Program, Row

MILESTONES: Final = ("SCREENING", "INTERIM", "OFFER", "HIRED")
Place = tuple[str, date, str, str]  # grain, period, scope, key

FUNNEL: Final = ("reached_observed", "reached_assumed", "moved_on", "out", "waiting", "in_closed_job", "expired")
SOURCES: Final = ("unknown", "waiting", "in_closed_job", "hired", "declined", "vanished", "expired")
CONSENTS: Final = ("given", "rejected", "rejected_kept", "expired", "expired_kept", "requested", "not_asked", "unknown")
AGED: Final = ("reached",)

# A column of a rate, and as columns what it is of what: the rate times the second less the first is zero.
RATES: Final = {
    "fct_funnel_cohort": {
        "pass_through": ("n_moved_on", "n_moved_on n_out"),
        "pass_through_low": ("n_moved_on", "n_reached_assumed"),
        "pass_through_high": ("n_moved_on n_waiting n_expired", "n_reached_assumed"),
    },
    "fct_funnel_cohort_age": {"conversion": ("n_reached", "n_old_enough")},
    "mart_source_effectiveness": {
        "hire_rate": ("n_hired", "n_hired n_declined n_vanished"),
        "hire_rate_low": ("n_hired", "n_applications"),
        "share_qualified": ("n_qualified", "n_qualification_known"),
    },
    "mart_service_level": {"share_attained": ("n_attained", "n_attained n_breached")},
}


@dataclass(frozen=True)
class Told:
    """A hidden group of fewer than k people, and between which counts it must be."""

    group: Name
    n_people: int
    low: float
    high: float


class AttackOnAll:
    """What the shared tables of one published file say of every count."""

    def __init__(self, con: duckdb.DuckDBPyConnection, schema: str, only: str = "") -> None:
        """With `only`, a pattern of what is counted: the attacker knows no other numbers."""
        self._con, self._schema = con, schema
        self._only = re.compile(only)
        self._place: dict[Name, int] = {}
        self._known: list[float | None] = []
        self._rows: list[Row] = []
        self._where: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._has_periods: set[tuple[str, str, str]] = set()
        self._read()
        self._nest_periods()
        self._nest_periods()  # longer periods of what the first added
        self._nest()
        self._link()

    @property
    def names(self) -> Iterable[Name]:
        return self._place.keys()

    # what is told

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._con.execute(sql.format(s=self._schema)).fetchall()

    def _tell(self, name: Name, n: float | None) -> int:
        place = self._place.setdefault(name, len(self._known))
        if place == len(self._known):
            self._known.append(None)
        if n is not None and self._only.match(name[0]):
            assert self._known[place] in (None, float(n)), (name, n, self._known[place])
            self._known[place] = float(n)
        return place

    def _read(self) -> None:
        """Every number, and every rate of numbers that are hidden."""
        self._named = {
            "category": ("job", self._words("dim_job", "job_id", "coalesce(category, 'unknown')"), "unknown"),
            "city": ("job", self._words("dim_job", "job_id", "coalesce(city, 'unknown')"), "unknown"),
            "channel": ("source", self._words("dim_source", "source", "coalesce(channel, 'OTHER')"), "OTHER"),
        }
        at = "coalesce({period}, DATE '0001-01-01'), {scope}, {key}"
        cohort = "cohort_grain, cohort_on, scope, scope_key"
        self._columns("fct_funnel_cohort", cohort, "milestone", FUNNEL)
        self._columns("fct_funnel_cohort", cohort, "''", ("cohort", "unknown"), {"cohort": "applied"})
        self._columns("fct_funnel_cohort_age", cohort, "milestone || ' ' || age_days", AGED)
        self._columns("fct_funnel_cohort_age", cohort, "age_days", ("old_enough",), {"old_enough": "aged"})
        self._add_hidden_ages()
        period = "period_grain, " + at.format(period="period_on", scope="{scope}", key="{key}")
        source = period.format(scope="'source'", key="source_key")
        self._columns(
            "mart_source_effectiveness",
            source,
            "''",
            ("applications", *SOURCES, "qualified", "qualification_known"),
            {"applications": "applied", "waiting": "waiting_any", "in_closed_job": "in_closed_any"},
        )
        consent = period.format(scope="scope", key="scope_key")
        self._columns("mart_consent", consent, "''", ("applications",), {"applications": "applied"})
        self._columns("mart_consent", consent, "'consent'", CONSENTS)
        self._columns(
            "mart_weekly_trend",
            "'week', week_on, 'overall', 'all'",
            "''",
            ("applications",),
            {"applications": "applied"},
        )
        self._columns(
            "mart_seasonality",
            "'month', month_on, 'overall', 'all'",
            "''",
            ("applications",),
            {"applications": "applied"},
        )
        self._columns("mart_speed", consent, "metric", ("", "historic", "left_truncated"), {"": "ended"})
        ever = "'all', DATE '0001-01-01', "
        self._columns(
            "mart_time_in_stage",
            ever + "scope, scope_key",
            "milestone || ' ' || visit_status",
            ("visits", "applications", "in_closed_job", "left_truncated"),
            {"applications": "visitors", "in_closed_job": "visits_in_closed_job", "left_truncated": "visits_truncated"},
        )
        self._columns("mart_bottleneck", ever + "scope, scope_key", "''", ("hires",))
        self._columns(
            "mart_pipeline_now",
            ever + "CASE scope WHEN 'job' THEN 'stage_job' WHEN 'milestone' THEN 'overall' ELSE scope END, "
            "CASE scope WHEN 'job' THEN stage_key || '/' || job_key WHEN 'stage' THEN stage_key ELSE scope_key END",
            "milestone",
            ("open", "stuck", "certainly_stuck"),
            {"open": "waits"},
        )
        self._columns(
            "mart_service_level",
            ever + "scope, scope_key",
            "milestone",
            ("stays", "attained", "breached", "certainly_breached", "unknown", "open"),
            {"open": "waits", "unknown": "stays_unknown"},
        )
        self._columns("mart_hiring_forecast", ever + "scope, scope_key", "''", ("waiting",), {"waiting": "forecast"})
        for table, rates in RATES.items():
            self._rates(table, rates)

    def _columns(
        self, table: str, place: str, of: str, columns: Iterable[str], names: dict[str, str] | None = None
    ) -> None:
        names = names or {}
        columns = list(columns)
        told = ", ".join(f"n_{one}" if one else "n" for one in columns)
        for *at, of_what, row in [
            (*one[:4], one[4], one[5:])
            for one in self._ask(f"SELECT DISTINCT {place}, {of}, {told} FROM {{s}}.{table}")
        ]:
            for column, n in zip(columns, row, strict=True):
                self._tell((f"{names.get(column, column)} {of_what}".strip(), *at), n)
        for column in columns:
            self._where[table, f"n_{column}"] = (place, of, names.get(column, column))

    def _add_hidden_ages(self) -> None:
        """Hidden cohorts have no rows by age, and members of each age all the same."""
        cohorts = [name[1:] for name in self._place if name[0] == "applied"]
        for what in {name[0] for name in self._place if name[0].startswith(("aged ", "reached "))}:
            for place in cohorts:
                self._tell((what, *place), None)

    def _rates(self, table: str, rates: dict[str, tuple[str, str]]) -> None:
        for rate, (parts, whole) in rates.items():
            columns = [*parts.split(), *whole.split()]
            at = [self._where[table, column] for column in columns]
            names = ", ".join(f"{place}, {of}" for place, of, _ in at)
            nulls = " OR ".join(f"{column} IS NULL" for column in columns)
            for row in self._ask(f"SELECT {rate}, {names} FROM {{s}}.{table} WHERE {rate} IS NOT NULL AND ({nulls})"):
                found: dict[int, float] = defaultdict(float)
                for number in range(len(columns)):
                    one = row[1 + 5 * number : 6 + 5 * number]
                    place = self._tell((f"{at[number][2]} {one[4]}".strip(), *one[:4]), None)
                    found[place] += 1.0 if number < len(parts.split()) else -row[0]
                self._rows.append((dict(found), -1e-6, 1e-6))

    # what adds up

    def _equal(self, total: Name, parts: Iterable[Name], *, or_more: bool = False) -> None:
        """The parts add up to the total, or with `or_more` to no more than it."""
        found: dict[int, float] = defaultdict(float)
        found[self._tell(total, None)] -= 1.0
        for part in parts:
            found[self._tell(part, None)] += 1.0
        known = [self._known[one] for one in found]
        if None not in known:
            rest = sum(value * sign for value, sign in zip(known, found.values(), strict=True) if value is not None)
            if rest > 0 or (rest < 0 and not or_more):
                return  # it holds of no reader's numbers
        self._rows.append((dict(found), -math.inf if or_more else 0.0, 0.0))

    def _words(self, table: str, key: str, word: str) -> dict[str, str]:
        return dict(self._ask(f"SELECT {key}, {word} FROM {{s}}.{table}"))

    def _nest(self) -> None:
        """Groups add up to totals."""
        scopes: dict[tuple[str, str, date], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        told: dict[tuple[str, str], set[str]] = defaultdict(set)
        for what, grain, period, scope, key in self._place:
            scopes[what, grain, period][scope].append(key)
            told[what, scope].add(key)
        for at, keys in list(scopes.items()):
            for scope in ("job", "source", "category", "city", "channel"):
                if scope in keys and (*at, "overall", "all") in self._place:
                    self._equal((*at, "overall", "all"), ((*at, scope, key) for key in keys[scope]))
            self._nest_pairs(at, keys.get("job_source", []))
            self._nest_stages(at, keys.get("stage_job", []))
            for scope, (part, words, other) in self._named.items():
                parts: dict[str, list[str]] = defaultdict(list)
                for key in keys.get(part, ()) if scope in keys else ():
                    word = words.get(key, other)
                    parts[word if word in told[at[0], scope] else "(other)"].append(key)
                for word, inside in parts.items():
                    if (*at, scope, word) in self._place:
                        self._equal((*at, scope, word), ((*at, part, key) for key in inside))

    def _nest_pairs(self, at: tuple[str, str, date], keys: list[str]) -> None:
        by_job, by_source = _grouped(keys, 0), _grouped(keys, 1)
        for job, inside in by_job.items():
            self._equal((*at, "job", job), ((*at, "job_source", key) for key in inside))
        for source, inside in by_source.items():
            if (*at, "source", source) in self._place:
                self._equal((*at, "source", source), ((*at, "job_source", key) for key in inside), or_more=True)

    def _nest_stages(self, at: tuple[str, str, date], keys: list[str]) -> None:
        by_stage, by_job = _grouped(keys, 0), _grouped(keys, 1)
        for scope, found in (("stage", by_stage), ("job", by_job)):
            for one, inside in found.items():
                self._equal((*at, scope, one), ((*at, "stage_job", key) for key in inside))
        if by_stage:
            self._equal((*at, "overall", "all"), ((*at, "stage", key) for key in by_stage))

    def _nest_periods(self) -> None:
        by_group: dict[tuple[str, str, str], dict[str, list[date]]] = defaultdict(lambda: defaultdict(list))
        for what, grain, period, scope, key in list(self._place):
            by_group[what, scope, key][grain].append(period)
        for (what, scope, key), grains in by_group.items():
            if "month" not in grains or (what, scope, key) in self._has_periods:
                continue
            self._has_periods.add((what, scope, key))
            group = (scope, key)
            months = sorted(grains["month"])
            if not what.startswith(("aged", "reached ")):
                self._equal((what, "all", ALWAYS, *group), ((what, "month", one, *group) for one in months))
            if scope == "source":
                for quarter in sorted({quarter_of(one) for one in months}):
                    inside = [one for one in months if quarter_of(one) == quarter]
                    self._equal((what, "quarter", quarter, *group), ((what, "month", one, *group) for one in inside))
            runs: dict[date, list[Name]] = defaultdict(list)
            for week in grains.get("week", ()):
                of_week = sorted({week.replace(day=1), (week + timedelta(6)).replace(day=1)}.intersection(months))
                if len(of_week) == 1 and (week + timedelta(6)).month == week.month:
                    runs[of_week[0]].append((what, "week", week, *group))
                    continue
                days = [(what, "days", max(week, month), *group) for month in of_week]
                self._equal((what, "week", week, *group), days)
                for month, one in zip(of_week, days, strict=True):
                    runs[month].append(one)
            for month, parts in runs.items():
                self._equal((what, "month", month, *group), parts)

    def _link(self) -> None:
        """Different numbers of one group."""
        places: dict[Place, set[str]] = defaultdict(set)
        for what, grain, period, scope, key in list(self._place):
            places[grain, period, scope, key].add(what)
        for at, whats in places.items():
            if "reached_assumed SCREENING" in whats:
                self._funnel(at)
            for what in whats:
                if what.startswith("aged "):
                    self._age(at, what.removeprefix("aged "), whats)
            if "given consent" in whats:
                self._equal(
                    ("applied", *at),
                    ((f"{one} consent", *at) for one in CONSENTS if not one.endswith("kept")),
                )
            if "waiting_any" in whats:
                self._source(at)
            if at[0] == "all":
                for milestone in MILESTONES[:3]:
                    waits, waiting = f"waits {milestone}", f"waiting {milestone}"
                    if waits in whats and waiting in whats:
                        self._equal((waiting, *at), ((waits, *at), (f"no state {milestone}", *at)))
                        self._equal(("unknown", *at), ((f"no state {milestone}", *at),), or_more=True)

    def _funnel(self, at: Place) -> None:
        self._equal(("applied", *at), (("reached_assumed SCREENING", *at),))
        for milestone, later in zip(MILESTONES, (*MILESTONES[1:], None), strict=True):
            parts = [f"{one} {milestone}" for one in ("moved_on", "out", "waiting", "expired")]
            is_last = later is None
            self._equal((f"reached_assumed {milestone}", *at), ((one, *at) for one in parts), or_more=is_last)
            if later:
                self._equal((f"reached_assumed {later}", *at), ((f"moved_on {milestone}", *at),))
            self._equal((f"reached_assumed {milestone}", *at), ((f"reached_observed {milestone}", *at),), or_more=True)
            self._equal((f"waiting {milestone}", *at), ((f"in_closed_job {milestone}", *at),), or_more=True)

    def _source(self, at: Place) -> None:
        if (f"waiting {MILESTONES[0]}", *at) in self._place:
            self._equal(("waiting_any", *at), ((f"waiting {one}", *at) for one in MILESTONES))
            self._equal(("expired", *at), ((f"expired {one}", *at) for one in MILESTONES))
        self._equal(
            ("applied", *at), ((one, *at) for one in ("waiting_any", "hired", "declined", "vanished", "expired"))
        )
        if (f"waits {MILESTONES[0]}", *at) in self._place:
            waits = [(f"waits {one}", *at) for one in MILESTONES[:3] if (f"waits {one}", *at) in self._place]
            self._equal(("waiting_any", *at), (*waits, ("unknown", *at)))

    def _age(self, at: Place, age: str, whats: set[str]) -> None:
        self._equal(("applied", *at), ((f"aged {age}", *at),), or_more=True)
        if f"reached SCREENING {age}" not in whats:
            return
        before = (f"aged {age}", *at)
        for milestone in MILESTONES:
            self._equal(before, ((f"reached {milestone} {age}", *at),), or_more=True)
            self._equal((f"reached_assumed {milestone}", *at), ((f"reached {milestone} {age}", *at),), or_more=True)
            before = (f"reached {milestone} {age}", *at)

    # the attack

    def found(self, people: dict[Name, int], k: int) -> tuple[int, list[Told]]:
        """How many groups of fewer than k people are hidden, and those that are told more closely than that."""
        secrets = [
            (name, n)
            for name, n in people.items()
            if 1 <= n < k and name in self._place and self._known[self._place[name]] is None
        ]
        told = [
            Told(name, n, float(self._known[self._place[name]] or 0), float(self._known[self._place[name]] or 0))
            for name, n in people.items()
            if 1 <= n < k and name in self._place and self._known[self._place[name]] is not None
        ]
        low, high = Program(self._known, self._rows, sorted({self._place[name] for name, _ in secrets}), k).ends()
        for name, n in secrets:
            place = self._place[name]
            # few can wait where few reached the milestone and did not move on, which are numbers of shown groups
            is_bounded = high[place] < k - 1 - CLOSE and not name[0].startswith("waits ")
            if low[place] > CLOSE or is_bounded:
                told.append(Told(name, n, low[place], high[place]))
        return len(secrets), told


def _grouped(keys: list[str], by: int) -> dict[str, list[str]]:
    """Keys of two parts by one of them."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        found[key.split("/", 1)[by]].append(key)
    return found


def attack_all(
    file: Path, k: int, zone: str, *, schema: str = "main", only: str = "", of: str = ""
) -> tuple[int, list[Told]]:
    """How many small groups a file hides, and which of them its numbers tell. `of` is a pattern of what is counted."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{file}' AS attacked (READ_ONLY)")
        attack = AttackOnAll(con, f"attacked.{schema}", only)
        people = people_of(con, f"attacked.{schema}", zone, attack.names)
        return attack.found({name: len(one) for name, one in people.items() if re.match(of, name[0])}, k)
