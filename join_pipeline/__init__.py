"""Recruiting data from the JOIN ATS: history, funnel and time to hire in DuckDB."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`join_pipeline.JoinCompanies`, for `dg`. It is imported when somebody asks, as a command needs no Dagster."""
    if name == "JoinCompanies":
        return import_module("join_pipeline.component.companies").JoinCompanies
    raise AttributeError(name)


def __dir__() -> list[str]:
    return [*globals(), "JoinCompanies"]
