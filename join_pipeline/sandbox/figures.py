"""The demo's own figures: a hiring plan, service levels and costs that fit the made-up company.

Belongs here: what the example files say. Not here: how such files are read (transform.figures).
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

PLAN_LINES: Final = (
    ";Nursing;12;31.12.2026",
    ";Electrics & Mechanics;14;31.12.2026",
    ";Shop & Office;20;30.09.2026",
    ";IT Services;8;31.12.2026",
    ";Sales;9;31.05.2026",
)
SERVICE_LEVELS: Final = (("SCREENING", 5), ("INTERIM", 14), ("OFFER", 7))
MONTHLY_COSTS: Final = {"indeed": 1450.0, "StepStone": 990.0, "jobs.ch": 780.5, "LinkedIn": 640.0, "XING": 210.0}
AGENCY: Final = ("Agentur Müller & Söhne", 5200.0)
"""The agency is paid in every third month."""


def example_figures(months: Iterable[date], jobs: Iterable[str]) -> dict[str, str]:
    """The text of each file by its setting: a line of the plan for each of `jobs`, by title, and costs per month."""
    plan = ["job;category;hires;by", *(f"{_quoted(title)};;2;2026-09-30" for title in jobs), *PLAN_LINES]
    levels = ["milestone;days", *(f"{milestone};{days}" for milestone, days in SERVICE_LEVELS)]
    costs = ["source;month;cost;currency"]
    for place, month in enumerate(months):
        paid = MONTHLY_COSTS | ({AGENCY[0]: AGENCY[1]} if place % 3 == 0 else {})
        costs += [f"{source};{month:%Y-%m};{f'{cost:.2f}'.replace('.', ',')};EUR" for source, cost in paid.items()]
    texts = {"hiring_plan_csv": plan, "service_level_csv": levels, "cost_csv": costs}
    return {setting: "\n".join([*lines, ""]) for setting, lines in texts.items()}


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
