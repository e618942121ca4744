"""connections.toml: many companies in one file, each a table with its settings and with where its secrets come from.

    [acme]
    time_zone = "Europe/Zurich"
    schedule = "nightly"
    k = 7

    [acme.secrets]
    join_api_token = {environment = "ACME_TOKEN"}
    pseudonym_key = {file = "/etc/join-pipeline/acme.key"}

Belongs here: reading the file, and what is wrong with an entry, by line and field. Not here: writing it (edited), what
a setting may be (settings).
"""

import contextlib
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from join_pipeline.connections.turns import WHAT, is_schedule
from join_pipeline.errors import SettingsError, foreign
from join_pipeline.setting_values import short_name

FILE: Final = "connections.toml"
SECRETS: Final = "secrets"
SCHEDULE: Final = "schedule"
ORIGINS: Final = ("environment", "file")
DEMO: Final = "sandbox"
"""The connection of the demo. No company may have this name, so that the demo never meets a company's data."""
PUBLISHED: Final = "published"
"""The folder of all companies' Parquet files lies beside the companies' own."""
ALL_ALIKE: Final = frozenset({"connection", "data", "connections_toml", "team"})
"""Settings that are the same for all connections of a file."""
OF_ALL: Final[Mapping[str, frozenset[str]]] = {
    "notice_webhook": frozenset(),
    "mail_password": frozenset({"mail_host", "mail_user"}),
}
"""Secrets that the environment has for all connections, unless an entry states one of these settings.

Who is told of a failure is often the same for all. But a password goes to no other server than it was set for.
"""
_HEADER: Final = re.compile(r"\s*\[(?!\[)\s*([^\]]+?)\s*\]\s*(?:#.*)?$")
_KEY: Final = re.compile(r"""\s*((?:[\w-]+|"[^"]*")(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""")
Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kinds:
    """The settings that an entry may have: all, those that are secrets, and those that name a file.

    `variables` are the names of settings by that of their variable, where they differ.
    """

    settings: tuple[str, ...]
    secrets: tuple[str, ...]
    files: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()

    def named(self, path: Path_) -> Path_:
        """The path of a setting, which may be written as its variable is."""
        return (path[0], dict(self.variables).get(path[1], path[1])) if len(path) == 2 else path


def kinds_of(fields: Mapping[str, FieldInfo]) -> Kinds:
    """The settings that an entry may have, from all that are declared."""
    return Kinds(
        tuple(fields),
        tuple(name for name, field in fields.items() if "SecretStr" in str(field.annotation)),
        tuple(name for name in fields if name.endswith("_csv")),
        tuple((short, name) for name, field in fields.items() if (short := _short(field)) not in {"", name}),
    )


def _short(field: FieldInfo) -> str:
    """The variable of a setting as an entry writes it."""
    alias = field.validation_alias
    return alias.removeprefix("JOIN_PIPELINE_").lower() if isinstance(alias, str) else ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry: its settings by name, where its secrets come from, and what is wrong with it."""

    name: str
    file: Path
    settings: Mapping[str, object]
    secrets: Mapping[str, tuple[str, str]]
    schedule: str
    lines: Mapping[Path_, int]
    faults: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        """The line at which the entry begins."""
        return _line(self.lines, (self.name,))

    def place(self, field: str) -> str | None:
        """Where the file states this setting, for a message; None if it does not."""
        path = (self.name, SECRETS, field) if field in self.secrets else (self.name, field)
        is_stated = field in self.settings or field in self.secrets
        return f"{self.file}, line {_line(self.lines, path)}: {'.'.join(path)}" if is_stated else None

    @property
    def says_who_is_told(self) -> bool:
        """Whether the entry has a webhook or a mail server of its own for notices."""
        return "notice_webhook" in self.secrets or "mail_host" in self.settings

    def values(self, kinds: Kinds, environment: Mapping[str, str]) -> dict[str, object]:
        """The settings with the secrets in them. A secret that the entry does not name is none, whatever is set.

        Those in `OF_ALL` are the exception. Raises `SettingsError` with all that is wrong.
        """
        faults, found = list(self.faults), dict[str, object](self.settings)
        own = [name for name in kinds.secrets if name not in OF_ALL or OF_ALL[name] & self.settings.keys()]
        found |= dict.fromkeys(own) | {"integration_id": self.settings.get("integration_id")}
        for field, (origin, where) in self.secrets.items():
            try:
                found[field] = environment.get(where) if origin == "environment" else secret_in(self.file, where)
            except SettingsError as error:
                faults.append(f"{self.place(field)}: {error}")
            else:
                if not found[field]:
                    faults.append(
                        f"{self.place(field)}: {where} {'is not set' if origin == 'environment' else 'is empty'}"
                    )
        if faults:
            raise SettingsError("; ".join(faults))
        return found | {"connection": self.name}


def secret_in(listing: Path, where: str) -> str:
    """The secret in a file, whose path may be relative to the listing. Raises `SettingsError` if others can read it."""
    path = beside(listing, where)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device could wait for ever
            raise SettingsError(f"{path} is no plain file")
        if os.name == "posix" and status.st_mode & 0o077:
            raise SettingsError(f"{path} can be read by others. Run: chmod 600 {path}")
        return path.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} can't be read ({foreign(error)})") from None


def beside(listing: Path, where: str) -> Path:
    """A path as the listing means it: relative to the listing's folder."""
    try:
        return listing.parent / Path(where).expanduser()
    except RuntimeError:
        raise SettingsError("names the home folder of a user who is not known") from None


def read_listed(file: Path, kinds: Kinds) -> dict[str, Listed]:
    """All entries by name, in their order. Without a file, there are none. An entry that is wrong has its faults.

    Raises `SettingsError` with the line if the file is not TOML or can't be read: then no entry can be told.
    """
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{file} can't be read ({foreign(error)}).") from None
    if not stat.S_ISREG(status.st_mode):
        raise SettingsError(f"{file} is no plain file.")
    return _parsed(file, (status.st_mtime_ns, status.st_size, status.st_ino), kinds)


def parse(file: Path, text: str, kinds: Kinds) -> dict[str, Listed]:
    """The entries in a text. Raises `SettingsError` with the line if it is not TOML."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        line = int(where[1]) if where else len(text.splitlines())
        said = str(error).partition(" (at ")[0]
        raise SettingsError(f"{file}, line {line}: this is not TOML ({said}).") from None
    except RecursionError:
        raise SettingsError(f"{file} is nested too deeply.") from None
    lines = {kinds.named(path): line for path, line in _places(text)}
    return {name: _entry(file, name, entry, lines, kinds) for name, entry in found.items()}


def faults_of(name: str, entry: Any, kinds: Kinds) -> list[str]:
    """What is wrong with an entry that stands in no file, by field."""
    return [fault.partition(": ")[2] for fault in _entry(Path(), name, entry, {}, kinds).faults]


@lru_cache(maxsize=8)
def _parsed(file: Path, _version: tuple[int, ...], kinds: Kinds) -> dict[str, Listed]:
    """The entries of a version of the file: who works on a thousand companies reads it once."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} can't be read ({foreign(error)}).") from None
    return parse(file, text, kinds)


def _entry(file: Path, name: str, entry: Any, lines: Mapping[Path_, int], kinds: Kinds) -> Listed:
    table = {kinds.named((name, field))[1]: value for field, value in entry.items()} if isinstance(entry, dict) else {}
    stated = table.get(SECRETS, {})
    secrets = stated if isinstance(stated, dict) else {}
    found = {field: _fault_of(name, field, value, kinds) for field, value in table.items()}
    said: list[tuple[Path_, str | None]] = [((name,), _fault_of_name(name, entry))]
    said += [((name, field), fault) for field, fault in found.items()]
    said += [((name, SECRETS, field), _fault_of_secret(field, origin, kinds)) for field, origin in secrets.items()]
    faults = [f"{file}, line {_line(lines, path)}: {'.'.join(path)}: {fault}" for path, fault in said if fault]
    settings = {f: v for f, v in table.items() if found[f] is None and f not in {SECRETS, SCHEDULE}}
    settings |= {f: str(beside(file, v)) for f, v in settings.items() if f in kinds.files and isinstance(v, str)}
    origins = {field: next(iter(o.items())) for field, o in secrets.items() if not _fault_of_secret(field, o, kinds)}
    schedule = table.get(SCHEDULE, "hourly")
    return Listed(name, file, settings, origins, "off" if found.get(SCHEDULE) else schedule, lines, tuple(faults))


def _fault_of_name(name: str, entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "stands outside of a table. A connection begins with its name in brackets, as in [acme]"
    if name == DEMO:
        return "is the demo's name. Take another one"
    if name == PUBLISHED:
        return "is the name of the folder of all companies' Parquet files. Take another one"
    try:
        short_name(name)
    except ValueError as error:
        return f"the name {error}"
    return None


def _fault_of(name: str, field: str, value: Any, kinds: Kinds) -> str | None:
    """What is wrong with a key of an entry. It never shows a value: somebody may have written a secret there."""
    if field == SECRETS:
        return None if isinstance(value, dict) else f"needs a table of its own: [{name}.{SECRETS}]"
    if field == SCHEDULE:
        return None if is_schedule(value) else f"is one of {WHAT}"
    if field in kinds.secrets:
        return f'no secret stands here. Say where it lies, below [{name}.{SECRETS}]: {field} = {{file = "/path"}}'
    if field in ALL_ALIKE:
        return "is the same for all connections. Set it in the environment"
    if field not in kinds.settings:
        return "is no setting. A setting is written without JOIN_PIPELINE_ and in lower case, as in time_zone"
    return None if isinstance(value, str | int | float) else "needs a text, a number, true or false"


def _fault_of_secret(field: str, origin: Any, kinds: Kinds) -> str | None:
    if field not in kinds.secrets:
        return f"is no secret. The secrets are {', '.join(kinds.secrets)}"
    is_origin = isinstance(origin, dict) and len(origin) == 1 and set(origin) <= set(ORIGINS)
    if not is_origin or not all(isinstance(where, str) and where.strip() for where in origin.values()):
        return 'needs {environment = "NAME"} or {file = "/path"}, and never the secret itself'
    return None


def _places(text: str) -> Iterable[tuple[Path_, int]]:
    """The line of each table and key. Only for messages: a text of several lines may hold what looks like one."""
    table: Path_ = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = parts_of(header[1])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *parts_of(key[1])), number


def parts_of(dotted: str) -> Path_:
    """The names of a dotted key of TOML, as near as they can be told if it is none."""
    with contextlib.suppress(tomllib.TOMLDecodeError, RecursionError):
        parts: list[str] = []
        found: Any = tomllib.loads(f"{dotted} = 0")
        while isinstance(found, dict):
            ((name, found),) = found.items()
            parts.append(name)
        return tuple(parts)
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", dotted))


def _line(lines: Mapping[Path_, int], path: Path_) -> int:
    """The line of the path, else of the nearest one that it is in."""
    begin = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in lines), None)
    if begin is not None:
        return lines[begin]
    return min((line for other, line in lines.items() if other[:1] == path[:1]), default=1)
