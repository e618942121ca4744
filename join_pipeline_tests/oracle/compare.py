"""Compares an expected table with a found one, field by field.

Instants are compared as instants, JSON text with objects, arrays with lists, a null of any kind with any other. What
the specification leaves open is one thing here: in a cell, nothing, an empty list, an empty object and a struct of
nulls; in the members of `format` and `custom_fields`, null and absent; in `roles` and `integration_fields`, the order.
`remote_data` is exact.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd

MOST = 20  # lines that are still read
JSON_COLUMNS = frozenset({"remote_data", "custom_fields", "integration_fields", "format"})
SPARSE = frozenset({"custom_fields", "format"})
UNORDERED = frozenset({"roles", "integration_fields"})


def fetched(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """A query's rows as plain Python objects. (DuckDB's own `df()` trips over warnings of pandas 3.1.)"""
    answer = connection.sql(query).to_arrow_table()
    return pd.DataFrame(answer.to_pylist(), columns=answer.column_names, dtype=object)


def differences(expected: pd.DataFrame, actual: pd.DataFrame, key: str = "id") -> list[str]:
    """Readable differences, at most `MOST` and a line that counts the rest. Extra columns of `actual` are ignored."""
    missing = [name for name in expected.columns if name not in actual.columns]
    if missing:
        return [f"columns missing: {', '.join(missing)}"]
    found = _cells(actual[list(expected.columns)], key)
    wanted = _cells(expected, key)

    lines = [f"{key} {name!r} is there {n} times" for name, n in actual[key].value_counts().items() if n > 1]
    lines += [f"missing: {name!r} {_label(wanted[name])}" for name in sorted(wanted.keys() - found.keys(), key=str)]
    lines += [f"not expected: {name!r} {_label(found[name])}" for name in sorted(found.keys() - wanted.keys(), key=str)]
    for name in sorted(wanted.keys() & found.keys(), key=str):
        for column, value in wanted[name].items():
            lines += _told_apart(f"{name!r} {_label(wanted[name])} {column}", value, found[name][column])
    return lines if len(lines) <= MOST else [*lines[:MOST], f"… and {len(lines) - MOST} more"]


def _cells(frame: pd.DataFrame, key: str) -> dict[Any, dict[str, Any]]:
    """Normal values by key and column; of rows with the same key, the last."""
    columns = {column: [_cell(column, value) for value in frame[column]] for column in frame.columns}
    return {name: {column: columns[column][n] for column in columns} for n, name in enumerate(columns[key])}


def _cell(column: str, value: Any) -> Any:
    if column in JSON_COLUMNS and isinstance(value, str):
        value = json.loads(value)
    value = _plain(value)
    if column in SPARSE:
        value = _without_nulls(value)
    if column in UNORDERED and isinstance(value, list):
        value = sorted(value, key=lambda item: json.dumps(item, sort_keys=True, default=str))
    is_hollow = value == [] or (isinstance(value, dict) and all(member is None for member in value.values()))
    return None if is_hollow else value


def _plain(value: Any) -> Any:
    """Python's own types for what pandas, numpy and DuckDB hand out."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    match value:
        case Mapping():
            return {key: _plain(member) for key, member in value.items()}
        case list() | tuple() | np.ndarray():
            return [_plain(member) for member in value]
        case np.datetime64():
            plain = pd.Timestamp(value)
        case np.generic():
            plain = value.item()
        case Decimal():
            plain = float(value)
        case datetime(tzinfo=None):
            plain = pd.Timestamp(value)
        case datetime():
            plain = pd.Timestamp(value).tz_convert(UTC)
        case _:
            plain = value
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def _without_nulls(value: Any) -> Any:
    """Options that are not known are no options, so an empty list goes too."""
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None and member != []}
    return [_without_nulls(member) for member in value] if isinstance(value, list) else value


def _told_apart(where: str, expected: Any, actual: Any) -> list[str]:
    """Differences of two normal values, each with the path to it."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        lines = [f"{where}.{name}: missing" for name in expected if name not in actual]
        lines += [f"{where}.{name}: not expected" for name in actual if name not in expected]
        shared = [name for name in expected if name in actual]
        return lines + [
            line for name in shared for line in _told_apart(f"{where}.{name}", expected[name], actual[name])
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [line for n, (one, other) in pairs for line in _told_apart(f"{where}[{n}]", one, other)]
    return [] if _is_same(expected, actual) else [f"{where}: expected {_shown(expected)}, found {_shown(actual)}"]


def _is_same(expected: Any, actual: Any) -> bool:
    """Equal, and of one kind: 1 is 1.0, but neither is True or "1", and a naive timestamp is no instant."""
    return _kind(expected) == _kind(actual) and expected == actual


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, datetime):
        return "local time" if value.tzinfo is None else "instant"
    return "day" if isinstance(value, date) else type(value).__name__


def _label(row: Mapping[str, Any]) -> str:
    return f"({row['remote_id']})" if "remote_id" in row else ""


def _shown(value: Any) -> str:
    text = str(value) if isinstance(value, datetime) else repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
