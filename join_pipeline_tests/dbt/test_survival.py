"""Survival curves and competing incidences, against a second implementation and a published table."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter

from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.sampling import Schedule, draw, write

MINIMUM_N = 10
CAUSES = ("HIRED", "DECLINED", "VANISHED")
REBUILD = ("--select", "int_survival", "fct_survival", "--exclude-resource-type", "test", "unit_test")


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("survival")
    write(draw(11, 1500, Schedule.every(1, 40, 150, 7), horizon=150, jobs=12), folder / "warehouse.duckdb")
    build = dbt(folder, "build", "--exclude-resource-type", "unit_test")
    assert build.failures == []
    return build


def estimate(entry: np.ndarray, exit_: np.ndarray, event: np.ndarray) -> Iterator[dict[str, float]]:
    """Kaplan–Meier and Aalen–Johansen with their errors, by the book: each step looks at everybody again."""
    order = [float(t) for t in np.unique(np.concatenate([entry, exit_]))]
    after = {t: int(((entry <= t) & (exit_ > t)).sum()) for t in order}
    start = next((t for t in order if after[t] >= MINIMUM_N), np.inf)
    end = next((t for t in order if t > start and after[t] < MINIMUM_N), np.inf)
    steps: list[dict[str, float]] = []
    survival = 1.0
    incidence = dict.fromkeys(CAUSES, 0.0)
    for t in order:
        d = int(((exit_ == t) & (event != "")).sum())
        if not d or not start < t <= end:
            continue
        n = int(((entry < t) & (exit_ >= t)).sum())
        step = {"t": t, "n": n, "d": d, "before": survival}
        for cause in CAUSES:
            step[f"d {cause}"] = int(((exit_ == t) & (event == cause)).sum())
            incidence[cause] += survival * step[f"d {cause}"] / n
            step[f"F {cause}"] = incidence[cause]
        survival *= 1 - d / n
        steps.append(step)
        yield {
            "days": t,
            "starts_at_days": start,
            "ends_at_days": end,
            "n_at_risk": n,
            "survival": survival,
            "survival_std_error": survival * sum(s["d"] / (s["n"] * (s["n"] - s["d"])) for s in steps) ** 0.5,
            **{f"incidence_{cause.lower()}": incidence[cause] for cause in CAUSES},
            **{
                f"incidence_{cause.lower()}_std_error": sum(
                    (incidence[cause] - s[f"F {cause}"]) ** 2 * s["d"] / (s["n"] * (s["n"] - s["d"]))
                    + s["before"] ** 2 * s[f"d {cause}"] * (s["n"] - s[f"d {cause}"]) / s["n"] ** 3
                    - 2 * (incidence[cause] - s[f"F {cause}"]) * s["before"] * s[f"d {cause}"] / s["n"] ** 2
                    for s in steps
                )
                ** 0.5
                for cause in CAUSES
            },
        }


def by_day(steps: Iterator[dict[str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(steps)
    frame["day"] = np.ceil(frame["days"]).astype(int)
    return frame.groupby("day").tail(1).set_index("day").drop(columns="days")


ALL_HI = (*CAUSES, "MOVED", "")
KAPLAN_MEIER = [("decision", "lo", ()), ("decision", "hi", ALL_HI)]
STAYS = [("leave_screening", "lo", ()), ("leave_interim", "hi", ALL_HI)]
ENDS = [("hire", "lo", ()), ("hire", "hi", ALL_HI)]
MIXED = [("hire", "hired_lo", ("DECLINED", "VANISHED", "")), ("hire", "vanished_hi", ("VANISHED", ""))]
EVERYWHERE = [*KAPLAN_MEIER, *ENDS]
CURVES = [
    *((*curve, "overall", "all") for curve in [*EVERYWHERE, *STAYS, *MIXED]),
    *((*curve, "source", "linkedin") for curve in [*EVERYWHERE, *STAYS, *MIXED]),
    *((*curve, "job", "j0-3") for curve in EVERYWHERE),
]


def compare(build: Build, question: str, bound: str, hi: tuple[str, ...], scope: str, key: str, per_day: int) -> None:
    """A curve with those of `hi` at their upper bound; `per_day` parts of a day are told apart, all of them if 0."""
    where = "" if scope == "overall" else f"and {scope if scope == 'source' else 'job_id'} = '{key}'"
    subjects = pd.DataFrame(
        build.rows(f"""
            select entry_days, exit_days_lo, exit_days_hi, coalesce(event, '') as event
            from recruiting.fct_time_to_event where is_at_risk and question = '{question}' {where}
        """)
    )
    event = subjects["event"].to_numpy(dtype=str)
    entries = subjects["entry_days"].to_numpy()
    exits = np.where(np.isin(event, hi), subjects["exit_days_hi"], subjects["exit_days_lo"])
    if per_day:
        entries, exits = np.floor(entries * per_day) / per_day, np.ceil(exits * per_day) / per_day
    expected = by_day(estimate(entries, exits, event))
    columns = [column for column in expected if question == "hire" or not column.startswith("incidence")]
    told = pd.DataFrame(
        build.rows(f"""
            select day, {", ".join(columns)} from recruiting.fct_survival
            where question = '{question}' and scope = '{scope}' and scope_key = '{key}' and bound = '{bound}'
            order by day
        """)
    ).set_index("day")
    assert len(told) > 5
    pd.testing.assert_frame_equal(told, expected[columns], check_dtype=False, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("question", "bound", "hi", "scope", "key"), CURVES)
def test_curves_are_those_of_a_second_implementation(
    sampled: Build, question: str, bound: str, hi: tuple[str, ...], scope: str, key: str
) -> None:
    compare(sampled, question, bound, hi, scope, key, per_day=0)


@pytest.mark.parametrize("bound", ["lo", "hi"])
def test_curves_are_those_of_lifelines(sampled: Build, bound: str) -> None:
    """With delayed entries. Its Aalen–Johansen jitters ties: it is asked at hi, where there are none."""
    subjects = pd.DataFrame(
        sampled.rows(f"""
            select entry_days, exit_days_{bound} as days, coalesce(event, '') as event
            from recruiting.fct_time_to_event where is_at_risk and question = 'hire'
        """)
    )
    told = pd.DataFrame(
        sampled.rows(f"""
            select * from recruiting.fct_survival
            where question = 'hire' and scope = 'overall' and bound = '{bound}' and day <= ends_at_days order by day
        """)
    )
    assert len(told) > 30
    assert told["starts_at_days"].max() == 0.0
    days, entry = subjects["days"], subjects["entry_days"]
    event = subjects["event"].map({"": 0, "HIRED": 1, "DECLINED": 2, "VANISHED": 3})
    expected = {"survival": KaplanMeierFitter().fit(days, event > 0, entry=entry)}
    if bound == "hi":
        assert days[event > 0].is_unique
        for cause, number in (("hired", 1), ("declined", 2), ("vanished", 3)):
            fitter = AalenJohansenFitter(calculate_variance=False)
            expected[f"incidence_{cause}"] = fitter.fit(days, event, event_of_interest=number, entry=entry)
    for column, fitted in expected.items():
        np.testing.assert_allclose(told[column], fitted.predict(told["day"]), rtol=0, atol=1e-6, err_msg=column)


def test_curves_of_very_many_are_told_by_the_hour(sampled: Build, tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_bytes(sampled.path.read_bytes())
    build = dbt(tmp_path, "build", *REBUILD, variables={"exact_up_to": 100})
    assert build.failures == []
    for curve in (*KAPLAN_MEIER, *ENDS):
        compare(build, *curve, "overall", "all", per_day=24)


def test_the_6_mp_arm_of_freireichs_trial(sampled: Build, tmp_path: Path) -> None:
    """Remission of 21 children with leukaemia, weeks (+ censored): Freireich et al., Blood 21 (1963), 699–716."""
    remitted, censored = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    weeks = [(week, "DECLINED") for week in remitted] + [(week, None) for week in censored]
    published = {  # week: at risk, survival, Greenwood's standard error
        6: (21, 0.857, 0.0764),
        7: (17, 0.807, 0.0869),
        10: (15, 0.753, 0.0963),
        13: (12, 0.690, 0.1068),
        16: (11, 0.627, 0.1141),
        22: (7, 0.538, 0.1282),
        23: (6, 0.448, 0.1346),
    }
    (tmp_path / "warehouse.duckdb").write_bytes(sampled.path.read_bytes())
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
        con.execute("delete from recruiting.fct_time_to_event")
        con.executemany(
            """insert into recruiting.fct_time_to_event by name
            select ? as application_key, 'decision' as question, to_timestamp(0) as origin_at, 0 as entry_days,
                ? as exit_days_lo, exit_days_lo as exit_days, exit_days_lo as exit_days_hi, ? as event,
                true as is_at_risk""",
            [[str(number), week, event] for number, (week, event) in enumerate(weeks)],
        )
    build = dbt(tmp_path, "build", *REBUILD, variables={"minimum_n": 1, "k": 1})
    assert build.failures == []
    told = build.rows("""
        select day, n_at_risk, survival, survival_std_error from recruiting.fct_survival where bound = 'lo' order by day
    """)
    assert {row["day"]: row["n_at_risk"] for row in told} == {week: n for week, (n, _, _) in published.items()}
    assert [row["survival"] for row in told] == pytest.approx([s for _, s, _ in published.values()], abs=5e-4)
    assert [row["survival_std_error"] for row in told] == pytest.approx([e for _, _, e in published.values()], abs=5e-5)
