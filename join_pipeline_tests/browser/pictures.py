"""Takes the pictures of the docs: `python -m join_pipeline_tests.browser.pictures` writes them to docs/pictures.

Belongs here: which part of which page is in a picture. Not here: what should be on a page (test_report…). They show the
made-up company of the browser tests. Take them anew when the report's look changes; they are committed.
"""

import argparse
import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from join_pipeline.settings import Settings
from join_pipeline_tests.browser.conftest import launched
from join_pipeline_tests.browser.report_page import opened
from join_pipeline_tests.report.companies import Companies

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
COLOURS = 64
"""So few that a picture stays small, and so many that charts keep theirs."""


@dataclass(frozen=True)
class Picture:
    """A part of the report: what a profile of a browser shows, from `part` on; from the top if it is empty."""

    part: str = ""
    height: int = 760
    profile: Mapping[str, Any] = field(default_factory=dict)


WIDE = {"viewport": {"width": 1200, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
SHOWN = {
    "funnel": Picture("#heading-funnel", profile=WIDE),
    "speed": Picture("#heading-speed", profile=WIDE),
    "report-de": Picture(profile={**WIDE, "locale": "de-DE"}),
    "phone-dark": Picture(height=844, profile=PHONE),
}


def take(browser: Browser, settings: Settings, to: Path) -> None:
    """Write all pictures as PNG."""
    to.mkdir(parents=True, exist_ok=True)
    for name, picture in SHOWN.items():
        with opened(browser, settings, **picture.profile) as page:
            whole = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
            top = _top(page, picture.part)
        shown = whole.crop((0, top, whole.width, min(top + picture.height, whole.height)))
        shown.quantize(COLOURS).save(to / f"{name}.png", optimize=True)


def _top(page: Page, part: str) -> int:
    if not part:
        return 0
    box = page.locator(part).bounding_box()
    assert box is not None, part
    return max(int(box["y"] + page.evaluate("scrollY")) - 16, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=PICTURES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        take(browser, Companies(Path(folder))("busy"), given.to)


if __name__ == "__main__":
    main()
