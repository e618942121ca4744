"""Cells of a user's CSV file: numbers, days and months in each usual form; what can be read in two ways is refused."""

import pytest

from join_pipeline.transform.cells import cost_of, currency_of, day_of, month_of, whole_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234", 1234),
        ("1234.5", 1234.5),
        ("1234,50", 1234.5),
        ("1.234,56", 1234.56),
        ("1,234.56", 1234.56),
        ("1.234.567", 1_234_567),
        ("1 234,50", 1234.5),
        ("1\u202f234\u00a0567", 1_234_567),
        ("1'234'567.80", 1_234_567.8),
        ("1’234", 1234),
        ("12345.678", 12345.678),
        ("0,500", 0.5),
        ("0", 0),
    ],
)
def test_a_cost_has_a_decimal_point_or_comma(text: str, number: float) -> None:
    assert float(cost_of(text)) == number


@pytest.mark.parametrize("text", ["1.234", "1,234", "12.345", "999,999"])
def test_a_number_that_can_be_read_in_two_ways_is_refused_with_both(text: str) -> None:
    with pytest.raises(ValueError, match=r"two ways. Write \d+ or \d+\.\d{4}$"):
        cost_of(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-5", "not a number"),
        ("1.2.3", "not a number"),
        ("1.234,5.6", "not a number"),
        ("12,34,56", "not a number"),
        ("5,", "not a number"),
        ("٣", "not a number"),
        ("1e3", "column currency"),
        ("€ 5", "column currency"),
        ("5 EUR", "column currency"),
        ("9" * 14, "more than"),
    ],
)
def test_what_is_no_cost_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cost_of(text)


@pytest.mark.parametrize(
    ("text", "last", "first"),
    [
        ("2026-12-31", "2026-12-31", "2026-12-31"),
        ("31.12.2026", "2026-12-31", "2026-12-31"),
        ("1. 2. 2026", "2026-02-01", "2026-02-01"),
        ("2026-12-31 00:00:00", "2026-12-31", "2026-12-31"),
        ("2028-02", "2028-02-29", "2028-02-01"),
        ("12.2026", "2026-12-31", "2026-12-01"),
        ("Dez 26", "2026-12-31", "2026-12-01"),
    ],
)
def test_a_day_is_iso_or_german_and_a_month_is_its_end_or_its_beginning(text: str, last: str, first: str) -> None:
    assert (day_of(is_end=True)(text), day_of(is_end=False)(text)) == (last, first)


@pytest.mark.parametrize(
    "text", ["01/02/2026", "12/31/2026", "31.12.26", "2026-02-30", "1999-01-01", "soon", "20261231"]
)
def test_a_day_that_is_none_or_says_no_order_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a day. Write 2026-12-31 or 31.12.2026"):
        day_of(is_end=True)(text)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03", "2026/3", "03.2026", "3/2026", "2026-03-17", "17.03.2026"),
        *("Mrz 26", "März 2026", "MÄR. 2026", "Ma\u0308rz 26", "March-26", "mar 2026"),
    ],
)
def test_a_month_is_read_as_spreadsheets_write_it(text: str) -> None:
    assert month_of(text) == "2026-03-01"


@pytest.mark.parametrize("text", ["13.2026", "Maybe 26", "Ma 26", "March", "2026", "Jun 126", "03/04/2026"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month"):
        month_of(text)


def test_a_whole_number_may_have_zeros_behind_it_and_no_thousands() -> None:
    read = whole_of(1, 3650)
    assert [read(text) for text in ("5", "05", "5,0", "5.00")] == ["5"] * 4
    for text in ("0", "3651", "1.000", "2,5", "-1", "five", "5 "):
        with pytest.raises(ValueError, match="not a whole number from 1 to 3650"):
            read(text)


def test_a_currency_has_three_letters() -> None:
    assert currency_of("chf") == "CHF"
    for text in ("€", "EURO", "E1R"):
        with pytest.raises(ValueError, match="three letters"):
            currency_of(text)
