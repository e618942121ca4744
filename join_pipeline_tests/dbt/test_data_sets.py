"""Published data sets through the SQL of the survival curves: values of the papers, of R's documentation and of R.

All data sets are the sources of one company, so that one run of dbt makes all curves.
"""

import duckdb
import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.datasets import load_lung, load_stanford_heart_transplants

from join_pipeline_tests.dbt.building import Build, dbt

Subject = tuple[float, float, str | None]
"""When somebody enters, when they exit, and to what; None if censored."""
DIED, RELAPSED, OF_TREATMENT = "DECLINED", "DECLINED", "VANISHED"
A_SECOND = 1 / 86400

# Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data (1980), appendix 1; - is censored.
VETERAN_STANDARD = """
    72 411 228 126 118 10 82 110 314 -100 42 8 144 -25 11 30 384 4 54 13 -123 -97 153 59 117 16 151 22 56 21 18 139 20
    31 52 287 18 51 122 27 54 7 63 392 10 8 92 35 117 132 12 162 3 95 177 162 216 553 278 12 260 200 156 -182 143 105
    103 250 100"""
VETERAN_TEST = """
    999 112 -87 -231 242 991 111 1 587 389 33 25 357 467 201 1 30 44 283 15 25 -103 21 13 87 2 20 7 24 99 8 99 61 25 95
    80 51 29 24 18 -83 31 51 90 52 73 8 36 48 7 140 186 84 19 45 80 52 164 19 53 15 43 340 133 111 231 378 49"""
# Edmonson et al., Cancer Treatment Reports 63 (1979), 241–247.
OVARIAN = """
    59 115 156 -421 431 -448 464 475 -477 563 638 -744 -769 -770 -803 -855 -1040 -1106 -1129 -1206 -1227 268 329 353 365
    -377"""
# Miller, Survival Analysis (1981), 49: chemotherapy maintained, weeks of remission.
AML = "9 13 -13 18 23 -28 31 34 -45 48 -161"
# Scrucca, Santucci and Aversa, Bone Marrow Transplantation 40 (2007), 381–387: months, r relapse, t death of treatment.
TRANSPLANT = """
    13r 1t 72 7r 8r 67 9r 5r 70 4 7 68 1r 10r 7r 3t 4t 4t 3t 3t 22r 8t 2r 0r 0t 35 35 4r 14r 26r 3r 2 8 32 12t"""
# Hyde, Biostatistics Casebook (1980), 31–46: the men of Channing House, months of age at entry and exit.
CHANNING_MEN = """
    782 909 1020 1128 856 969 915 957 863 983 906 1012 955 1055 943 1025 943 1043 837 945 966 1009 936 971 919 1033 852
    869 1073 1139 925 1036 967 1085 806 -943 969 -1001 923 -1060 865 -1002 953 -1031 871 -945 982 -1006 883 -959 817
    -843 875 -1012 821 -956 936 -1073 971 -1107 830 -940 885 -911 894 -1031 893 -996 866 -895 878 -1015 820 -957 1007
    -1043 879 -1016 956 -1093 854 989 890 -1027 1041 -1044 978 -1005 836 -973 938 -1064 886 -1023 876 -1013 955 -977 823
    -960 960 -1047 843 -943 856 -951 847 -984 1027 -1058 988 -1045 978 -1018 981 -1118 926 -970 1036 -1070 1016 -1153
    969 -1106 900 -936 898 -906 846 -866 964 1029 984 1053 1046 1080 871 872 847 893 962 -966 853 894 967 985 1063 1094
    856 927 865 948 1051 1059 1010 1012 878 911 1021 1094 959 -972 921 993 836 876 919 993 751 777 906 966 835 907 946
    1031 759 781 909 -914 962 998 984 1022 891 932 835 898 1039 1060 1010 1044"""


def followed(text: str) -> list[Subject]:
    """From the beginning; a minus marks who is censored."""
    return [(0.0, abs(int(word)), None if word.startswith("-") else DIED) for word in text.split()]


def entering(text: str, after: float = 0.0) -> list[Subject]:
    """Pairs of entry and exit, of those who exit after an age."""
    words = text.split()
    return [
        (max(float(entry), after), abs(int(exit_)), None if exit_.startswith("-") else DIED)
        for entry, exit_ in zip(words[::2], words[1::2], strict=True)
        if abs(int(exit_)) > after
    ]


def transplanted() -> list[Subject]:
    ends = {"r": RELAPSED, "t": OF_TREATMENT}
    return [(0.0, float(word.rstrip("rt")), ends.get(word[-1])) for word in TRANSPLANT.split()]


def lung() -> list[Subject]:
    return [(0.0, row.time, DIED if row.status else None) for row in load_lung().itertuples()]


def stanford(*, has_transplant: bool) -> list[Subject]:
    """Before the transplant a patient is censored by it; after it they enter late."""
    data = load_stanford_heart_transplants()
    kept = data[data["transplant"].astype(int) == has_transplant]
    return [(row.start, row.stop, DIED if row.event else None) for row in kept.itertuples()]


DATA_SETS = {
    "lung": lung(),
    "veteran": followed(VETERAN_STANDARD) + followed(VETERAN_TEST),
    "veteran standard": followed(VETERAN_STANDARD),
    "veteran test": followed(VETERAN_TEST),
    "ovarian": followed(OVARIAN),
    "aml": followed(AML),
    "stanford before": stanford(has_transplant=False),
    "stanford after": stanford(has_transplant=True),
    "transplant": transplanted(),
    "channing": entering(CHANNING_MEN),
    "channing from 68": entering(CHANNING_MEN, 68 * 12),
    "channing from 80": entering(CHANNING_MEN, 80 * 12),
}


@pytest.fixture(scope="module")
def curves(built: Build, tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("data-sets")
    (folder / "warehouse.duckdb").write_bytes(built.path.read_bytes())
    rows = [
        [f"{name} {number}", name, entry, max(exit_, entry + A_SECOND), event]
        for name, subjects in DATA_SETS.items()
        for number, (entry, exit_, event) in enumerate(subjects)
    ]
    with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
        con.execute("delete from recruiting.fct_time_to_event")
        con.executemany(
            """insert into recruiting.fct_time_to_event by name
            select ? as application_key, ? as source, 'hire' as question, to_timestamp(0) as origin_at,
                ? as entry_days, ? as exit_days_lo, exit_days_lo as exit_days, exit_days_lo as exit_days_hi,
                ? as event, true as is_at_risk, false as is_perhaps_expired""",
            rows,
        )
    select = ("--select", "int_survival", "fct_survival", "--exclude-resource-type", "test", "unit_test")
    build = dbt(folder, "build", *select, variables={"minimum_n": 1, "k": 1})
    assert build.failures == []
    return build


def told(build: Build, name: str) -> dict[int, dict[str, float]]:
    """A curve's rows by day."""
    rows = build.rows(f"from recruiting.fct_survival where source = '{name}' and bound = 'lo' order by day")
    return {row["day"]: row for row in rows}


def at(curve: dict[int, dict[str, float]], day: int) -> dict[str, float]:
    return curve[max(step for step in curve if step <= day)]


def median(curve: dict[int, dict[str, float]], column: str = "survival") -> float:
    """As R has it: where the curve is at one half from one step to the next, the middle of the two."""
    first = next(day for day, row in curve.items() if row[column] <= 0.5 + 1e-9)
    if curve[first][column] < 0.5 - 1e-9:
        return first
    return (first + next(day for day in curve if day > first)) / 2


def log_end(row: dict[str, float], sign: int) -> float:
    """An end of R's usual interval, on the scale of the logarithm; ours is published on the log-log scale."""
    return min(1.0, row["survival"] * np.exp(sign * 1.96 * row["survival_std_error"] / row["survival"]))


def test_lung_is_as_r_has_it(curves: Build) -> None:
    """R: survfit(Surv(time, status) ~ 1, lung): 228, 165 events, median 310, 285 to 363 (on the log-log scale 284 to
    361); after a year 65 at risk, .409, error .0358, .345 to .486."""
    curve = told(curves, "lung")
    assert sum(row["n_events"] for row in curve.values()) == 165
    assert median(curve) == 310
    assert median(curve, "survival_low") == 284
    assert next(day for day, row in curve.items() if row["survival_high"] <= 0.5) == 361
    assert next(day for day, row in curve.items() if log_end(row, -1) <= 0.5) == 285
    assert next(day for day, row in curve.items() if log_end(row, 1) <= 0.5) == 363
    year = at(curve, 365)
    assert (year["survival"], year["survival_std_error"]) == pytest.approx((0.409, 0.0358), abs=5e-4)
    assert (log_end(year, -1), log_end(year, 1)) == pytest.approx((0.345, 0.486), abs=5e-4)


def test_veteran_is_as_r_has_it(curves: Build) -> None:
    """R: medians 80 (52 to 105), 103 (59 to 132) and 52.5 (44 to 95) days; survival after 1, 30, 60 and 90 days."""
    curve = told(curves, "veteran")
    assert sum(row["n_events"] for row in curve.values()) == 128
    assert [median(told(curves, name)) for name in ("veteran", "veteran standard", "veteran test")] == [80, 103, 52.5]
    ends = {
        name: tuple(
            next(day for day, row in told(curves, name).items() if row["survival"] and log_end(row, sign) <= 0.5)
            for sign in (-1, 1)
        )
        for name in ("veteran", "veteran standard", "veteran test")
    }
    assert ends == {"veteran": (52, 105), "veteran standard": (59, 132), "veteran test": (44, 95)}
    rows = [at(curve, day) for day in (1, 30, 60, 90)]
    assert [row["survival"] for row in rows] == pytest.approx([0.985, 0.700, 0.538, 0.464], abs=5e-4)
    assert [row["survival_std_error"] for row in rows] == pytest.approx([0.0102, 0.0392, 0.0427, 0.0428], abs=5e-5)


def test_ovarian_is_as_r_has_it(curves: Build) -> None:
    """As R 4.5.2 with survival 3.8 computes it; median 638."""
    survival = {
        **{59: 0.96153846154, 115: 0.92307692308, 156: 0.88461538462, 268: 0.84615384615, 329: 0.80769230769},
        **{353: 0.76923076923, 365: 0.73076923077, 431: 0.68778280543, 464: 0.6419306184, 475: 0.59607843137},
        **{563: 0.54640522876, 638: 0.49673202614},
    }
    curve = told(curves, "ovarian")
    assert {day: row["survival"] for day, row in curve.items()} == pytest.approx(survival, abs=1e-10)
    assert [row["n_at_risk"] for row in curve.values()] == [26, 25, 24, 23, 22, 21, 20, 17, 15, 14, 12, 11]
    assert median(curve) == 638


def test_maintained_remission_is_as_r_has_it(curves: Build) -> None:
    """As R 4.5.2 with survival 3.8 computes survival and Greenwood's error; median 31."""
    survival = [0.90909090909, 0.81818181818, 0.71590909091, 0.61363636364, 0.49090909091, 0.36818181818, 0.18409090909]
    error = [0.086678417204, 0.11629129983, 0.13966497056, 0.15263233103, 0.16419326722, 0.16266888583, 0.15349274579]
    curve = told(curves, "aml")
    assert list(curve) == [9, 13, 18, 23, 31, 34, 48]
    assert [row["survival"] for row in curve.values()] == pytest.approx(survival, abs=1e-10)
    assert [row["survival_std_error"] for row in curve.values()] == pytest.approx(error, abs=1e-10)
    assert median(curve) == 31


def test_men_of_channing_house_show_what_delayed_entry_does(curves: Build) -> None:
    """Klein and Moeschberger, example 4.3: nobody is left at risk at 781 months, so the curve is 0 and tells nothing.

    It begins at the first entry, and we end it there.
    """
    curve = told(curves, "channing")
    assert {day: (row["n_at_risk"], row["survival"]) for day, row in curve.items()} == {777: (2, 0.5), 781: (1, 0.0)}
    assert {(row["starts_at_days"], row["ends_at_days"]) for row in curve.values()} == {(751.0, 781.0)}


LATE = ["channing from 68", "channing from 80", "stanford before", "stanford after"]


@pytest.mark.parametrize("name", [name for name in DATA_SETS if name not in {"channing", "transplant"}])
def test_curves_are_those_of_lifelines(curves: Build, name: str) -> None:
    entry, exit_, event = zip(*DATA_SETS[name], strict=True)
    late = {"entry": entry} if name in LATE else {}
    fitter = KaplanMeierFitter().fit(
        np.maximum(exit_, np.array(entry) + A_SECOND), [e is not None for e in event], **late
    )
    curve = told(curves, name)
    assert len(curve) > 5
    assert [row["survival"] for row in curve.values()] == pytest.approx(fitter.predict(list(curve)).tolist(), abs=1e-9)


def test_stanford_heart_transplants_have_the_numbers_that_are_known(curves: Build) -> None:
    """Crowley and Hu, JASA 72 (1977), 27–36: 103 patients, 69 transplants, 75 deaths, of which 30 without one."""
    before, after = told(curves, "stanford before"), told(curves, "stanford after")
    assert [len(DATA_SETS[f"stanford {when}"]) for when in ("before", "after")] == [103, 69]
    assert [sum(row["n_events"] for row in curve.values()) for curve in (before, after)] == [30, 45]


def test_ends_of_bone_marrow_transplants_compete(curves: Build) -> None:
    """35 patients, 15 relapses and 9 deaths of treatment, with ties: by hand, since lifelines parts ties at random."""
    curve = told(curves, "transplant")
    subjects = transplanted()
    by_hand, alive = {RELAPSED: 0.0, OF_TREATMENT: 0.0}, 1.0
    months = sorted({month for _, month, _ in subjects})
    for month in months:
        n = sum(one >= month for _, one, _ in subjects)
        d = {end: sum(one == month and event == end for _, one, event in subjects) for end in by_hand}
        for end in by_hand:
            by_hand[end] += alive * d[end] / n
        alive *= 1 - sum(d.values()) / n
        if month in curve and month > 1:
            row = curve[int(month)]
            assert (row["incidence_declined"], row["incidence_vanished"]) == pytest.approx(tuple(by_hand.values()))
            assert row["survival"] == pytest.approx(alive)
    assert [sum(event == end for _, _, event in subjects) for end in by_hand] == [15, 9]
