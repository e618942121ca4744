"""The charts of the benchmarks: they are those that the committed figures make, and each reader can read them."""

import re
from xml.etree import ElementTree

import pytest

from benchmarks.charts import HERE, PAGE, Bar, bars, charts, page

SVG = "{http://www.w3.org/2000/svg}"


def drawing(svg: str) -> ElementTree.Element:
    """The elements of a chart."""
    return ElementTree.fromstring(svg)  # noqa: S314  our own


def test_the_tables_of_the_page_are_those_that_the_figures_make() -> None:
    text = PAGE.read_text()
    assert text == page(), "run `make bench-charts`"
    assert text.count("<!-- table: ") == 2
    assert "| first run |" in text


def test_each_chart_is_the_one_that_the_figures_make_and_is_on_the_page() -> None:
    shown = PAGE.read_text()
    for path, text in charts().items():
        assert path.read_text() == text, "run `make bench-charts`"
        assert f"({path.relative_to(HERE).as_posix()})" in shown


@pytest.mark.parametrize(("value", "shown"), [(2.0, "2"), (0.5, "0.5"), (1234.5, "1,234")])
def test_a_bar_is_as_long_as_its_value_and_says_it(value: float, shown: str) -> None:
    drawn = drawing(bars("<title>", {"a & b": [Bar("one", "a", value), Bar("half", "b", value / 2)]}))
    one, half = (float(bar.get("width", "")) for bar in drawn.iter(f"{SVG}rect"))
    assert half == pytest.approx(one / 2, abs=0.1)
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    assert {"<title>", "a & b", "one", "half", shown} <= set(words)


def test_a_spread_is_drawn_where_there_is_one_and_nothing_lies_beyond_the_edge() -> None:
    drawn = drawing(bars("t", {"g": [Bar("a", "a", 5, 4, 9), Bar("b", "b", 5, 5, 5)]}))
    (spread,) = drawn.iter(f"{SVG}path")
    low, high = (float(x) for x in re.findall(r"[ML]([\d.]+),", spread.get("d", "")))
    width, _ = (float(bar.get("width", "")) for bar in drawn.iter(f"{SVG}rect"))
    assert low < float(drawn.find(f"{SVG}rect").get("x", "")) + width < high < int(drawn.get("width", ""))  # type: ignore[union-attr]


def test_the_colours_follow_the_readers_scheme() -> None:
    """A picture has no background, so its words need a colour for either."""
    for text in charts().values():
        light, dark = text.split("@media (prefers-color-scheme: dark)")
        for kind in ("text", ".quiet", ".a", ".b"):
            assert f"{kind} {{ fill:" in light
            assert f"{kind} {{ fill:" in dark
        assert "fill=" not in text
