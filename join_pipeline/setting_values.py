"""What a setting's value may be: the checks that pydantic has no word for, and the words for those that it has.

Belongs here: checks of one value, and what is said of a wrong one. Not here: which setting has which check (settings).
"""

import re
import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Final

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from join_pipeline.environment import in_words
from join_pipeline.sources.options import Options

SHORTEST_KEY: Final = 16
NO_ZONES: Final = frozenset({"localtime", "posixrules", "Factory", "leapseconds"})
UNITS: Final = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}
MOST_MEMORY: Final = 10**15
_MEMORY: Final = re.compile(r"([1-9][0-9]*(?:\.[0-9]+)?)(MB|GB|MiB|GiB)")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def known_zone(name: str) -> str:
    """The name of a time zone that every machine knows."""
    # the files of a machine's own zone are listed, too; what they hold differs from machine to machine
    if name in NO_ZONES or name not in zoneinfo.available_timezones():
        raise ValueError("is not an IANA time zone; an example is Europe/Zurich")
    return name


def long_key(key: SecretStr) -> SecretStr:
    """A key that nobody guesses."""
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"needs at least {SHORTEST_KEY} characters")
    return key


def memory(text: str) -> str:
    """An amount of memory in DuckDB's words."""
    found = _MEMORY.fullmatch(text)
    if found is None:
        raise ValueError(
            "needs a number above zero and a unit (MB, GB, MiB or GiB), without a blank; an example is 2GB"
        )
    if float(found[1]) * UNITS[found[2]] > MOST_MEMORY:
        raise ValueError("is more memory than any machine has")
    return text


def short_name(name: str) -> str:
    """The name of a connection or a team: it is a folder's and Dagster's, too."""
    if not is_short_name(name):
        raise ValueError(
            "needs 1 to 63 lowercase letters, digits, hyphens and underscores, first a letter or a digit, as in acme-2"
        )
    return name


def is_short_name(name: str) -> bool:
    """Whether a connection may have this name. What has another one names no folder."""
    return _NAME.fullmatch(name) is not None


@cache
def from_environment(kind: type[Options]) -> Callable[..., Options]:
    """A type with the same options that reads those from the environment that are not given."""
    return type(
        kind.__name__,
        (kind, BaseSettings),
        {"model_config": SettingsConfigDict(env_ignore_empty=True), "__module__": __name__},
    )


def faults_of(error: ValidationError, told: Callable[[str], str]) -> list[str]:
    """The message of each fault, with the setting as it is told, and without its value."""
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        said = in_words(fault["type"], fault.get("ctx", {}), fault["msg"].removeprefix("Value error, "))
        faults.append(f"{told(str(fault['loc'][0]))}: {said}" if fault["loc"] else said)
    return faults
