"""The German editions of pages say what the English ones say: the same sections, code, tables, settings and names."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
GERMAN = sorted((DOCS / "de").glob("*.md"))
CODE = re.compile(r"^```\w*\n.*?^```", re.DOTALL | re.MULTILINE)


def shape(path: Path) -> dict[str, list[str]]:
    """What of a page does not depend on its language, in the order in which it comes."""
    text = path.read_text(encoding="utf-8")
    prose = CODE.sub("", text)
    lines = prose.splitlines()
    return {
        "sections": [line.split()[0] for line in lines if line.startswith("#")],
        "code": CODE.findall(text),
        "rows of tables": [str(line.count(" | ")) for line in lines if line.startswith("|")],
        "items": [line.strip()[:1].replace("-", "*") for line in lines if re.match(r"\s*(\*|-|\d+\.) ", line)],
        "names": sorted(re.findall(r"`([^`\n]+)`", re.sub(r"\s+", " ", prose))),
    }


def test_there_is_one_for_each_page_that_german_readers_need() -> None:
    assert {page.name for page in GERMAN} >= {"analysts.md", "glossary.md", "privacy.md"}


@pytest.mark.parametrize("german", GERMAN, ids=lambda page: page.name)
def test_it_has_what_the_english_page_has(german: Path) -> None:
    ours, theirs = shape(german), shape(DOCS / german.name)
    assert ours["sections"]
    assert ours == theirs


@pytest.mark.parametrize("german", GERMAN, ids=lambda page: page.name)
def test_each_section_is_about_as_long(german: Path) -> None:
    """A section that was added to or left out of one edition shows, even where it has no code and no table."""
    parts = [re.split(r"^#+ .*$", page.read_text(), flags=re.MULTILINE)[1:] for page in (german, DOCS / german.name)]
    for ours, theirs in zip(*parts, strict=True):
        assert 0.75 < len(ours) / len(theirs) < 1.6, ours[:80]


@pytest.mark.parametrize("german", GERMAN, ids=lambda page: page.name)
def test_the_two_lead_to_each_other(german: Path) -> None:
    assert f"](../{german.name})" in german.read_text()
    assert f"](de/{german.name})" in (DOCS / german.name).read_text()
