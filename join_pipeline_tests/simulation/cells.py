"""Rows as the oracle compares them, without values that depend on other records or on a past."""

import json
from typing import Any

import pandas as pd

from join_pipeline_tests.oracle.compare import _cells

# what a record's payload holds of other records is as old as the record's own last change
BORROWED = ("candidate", "job", "currentStage")
BORROWERS = ("applications", "application_stages")
# what depends on all that was ever seen
REMEMBERED = ("opened_at", "global_index")


def cells_of(model: str, frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Normal values by id and column."""
    plain = without_borrowed(model, frame.drop(columns=[name for name in REMEMBERED if name in frame]))
    return _cells(plain, "id")


def without_borrowed(model: str, frame: pd.DataFrame) -> pd.DataFrame:
    """`remote_data` without what belongs to other records, which does not make a version of its own."""
    if model not in BORROWERS:
        return frame
    return frame.assign(remote_data=[own_part(value) for value in frame["remote_data"]])


def own_part(value: Any) -> Any:
    data = json.loads(value) if isinstance(value, str) else value or {}
    return {path: {key: v for key, v in payload.items() if key not in BORROWED} for path, payload in data.items()}
