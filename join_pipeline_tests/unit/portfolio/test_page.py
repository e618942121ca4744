"""The page over all companies: it says what portfolio.duckdb has, in two languages, and no more."""

import html
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.portfolio import AS_OF, make
from join_pipeline.portfolio.tables import LEAST_COMPANIES
from join_pipeline.portfolio.words import day, number, percent, said, texts
from join_pipeline.portfolio.write import write_portfolio
from join_pipeline.settings import Settings, load_settings
from join_pipeline.warehouse.parquet import note_path
from join_pipeline_tests.unit.portfolio.test_portfolio import change

NOW = datetime.fromisoformat(AS_OF) + timedelta(hours=1)
NAMES = [f"company-{place:02}" for place in range(LEAST_COMPANIES)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=tmp_path)


def written(settings: Settings, *names: str) -> str:
    return write_portfolio(settings, names, NOW).report.read_text("utf-8")


def shown(page: str, language: str) -> str:
    """The text that a reader of this language sees."""
    other = {"en": "de", "de": "en"}[language]
    body = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    body = re.sub(rf'<span lang="{other}">.*?</span>', "", body, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def rows(page: str, section: str, language: str = "en") -> list[list[str]]:
    """The cells of a section's table, by row, without those that hold a bar."""
    (found,) = re.findall(rf'<section id="{section}".*?</section>', page, re.DOTALL)
    body = found.partition("<tbody>")[2]
    cells = (re.findall(r"<t[hd][^>]*>.*?</t[hd]>", row, re.DOTALL) for row in re.findall(r"<tr>.*?</tr>", body))
    return [[shown(cell, language).strip() for cell in row if 'class="bar"' not in cell] for row in cells]


def test_both_languages_say_the_same() -> None:
    english, german = texts()["en"], texts()["de"]
    assert list(english) == list(german)
    for key, text in english.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", german[key])), key


def test_numbers_and_days_are_written_as_in_each_language() -> None:
    assert (number(1234.5, 1).en, number(1234.5, 1).de) == ("1,234.5", "1.234,5")
    assert (percent(0.056).en, percent(0.056).de) == ("5.6%", "5,6\u00a0%")
    assert (day(NOW).en, day(NOW).de) == ("30 Nov 2026", "30.11.2026")
    assert str(number(None)) == "–"
    assert str(said("least", n=1500)) == '<span lang="en">at least 1,500</span><span lang="de">mindestens 1.500</span>'


def test_it_tells_who_waits_who_is_slow_and_how_others_are(settings: Settings) -> None:
    make(settings.parquet, NAMES)
    page = written(settings, *NAMES)
    assert "2,970 applications are open at 20 companies; 480 of them are stuck" in shown(page, "en")
    assert "2.970 Bewerbungen sind bei 20 Unternehmen offen" not in shown(page, "en")
    assert "2.970 Bewerbungen sind bei 20 Unternehmen offen" in shown(page, "de")
    waits, slow = rows(page, "waits"), rows(page, "slow")
    assert waits[0] == ["company-00", "120", "24", "22%", "15", "Screening"]
    assert [row[0] for row in waits] == NAMES, "the largest share of stuck ones first"
    assert slow[0] == ["company-19", "250", "39.0", "39.0", "39.0", "39.0"]
    assert [row[0] for row in slow] == NAMES[::-1]
    assert rows(page, "benchmarks", "de")[-2][1:] == ["20", "24,8", "29,5", "34,2"]
    assert len(rows(page, "companies")) == 20


def test_what_is_hidden_stays_so_and_few_companies_have_no_benchmarks(settings: Settings) -> None:
    make(settings.parquet, NAMES[1:])
    offer = "scope = 'milestone' AND milestone = 'OFFER'"
    hidden = ", ".join(
        f"if({offer}, NULL, {name}) AS {name}" for name in ("n_open", "n_in_closed_job", "n_stuck", "n_certainly_stuck")
    )
    change(settings, "mart_pipeline_now", NAMES[1], f"{hidden}, ({offer}) AS is_suppressed")
    page = written(settings, *NAMES[1:])
    (one,) = [row for row in rows(page, "waits") if row[0] == NAMES[1]]
    assert one[1:4] == ["at least 80", "hidden", "–"]
    assert "At least" in shown(page, "en")
    assert "Too few companies" in shown(page, "en")
    assert "Median of the days to a hire" not in page


def test_a_company_that_is_left_out_comes_first_and_says_why(settings: Settings) -> None:
    make(settings.parquet, ["acme", "globex"])
    note_path(settings.parquet, "globex").unlink()
    page = written(settings, "acme", "globex")
    assert [row[0] for row in rows(page, "companies")] == ["globex", "acme"]
    assert "It has no Parquet files" in rows(page, "companies")[0][3]
    assert [row[0] for row in rows(page, "waits")] == ["acme"]


def test_it_loads_nothing_and_opens_in_the_language_that_is_set(settings: Settings) -> None:
    make(settings.parquet, ["acme"])
    assert '<html lang="en" data-fixed=""' in written(settings, "acme")
    german = settings.model_copy(update={"report_language": "de"})
    page = written(german, "acme")
    assert '<html lang="de" data-fixed="de"' in page
    assert "<title>Recruiting-Portfolio</title>" in page
    assert not re.search(r'(src|href)=(?!"#)', page)
    assert "default-src 'none'" in page
    assert german.portfolio_report.stat().st_mode & 0o777 == 0o444
