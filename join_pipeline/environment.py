"""Which variables of the environment never reach a library, and what a path or proxy of the environment may look like.

Belongs here: the lists and rules, as functions of a mapping. Not here: reading the environment (settings).
"""

import contextlib
import difflib
import re
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

DROPPED_BEGINNINGS: Final = (
    "DBT_",  # flags, such as DBT_EMPTY; targets and profiles; dbt's own DBT_ENGINE_
    "_DBT_",
    "DUCKDB_",
    "MOTHERDUCK_",
    "motherduck_",
    "ARROW_",
    "PYARROW_",
    "PYDANTIC_",
    "OTEL_",
)
DROPPED_NAMES: Final = frozenset(
    {
        "MAX_GROUPING_DEPTH",  # of dbt's parser of SQL
        "MAX_GROUPING_TOKENS",
        "SSLKEYLOGFILE",  # would write the keys of connections, by which anybody reads the token
    }
)
"""What would change results, send data elsewhere or weaken a connection. docs/deploying.md names them."""

NUMBERS: Final = frozenset({"TERMINAL_WIDTH", "COLUMNS", "LINES"})
"""What the libraries of the command line take for a number without looking. They are dropped if they are none."""
MOST_COLUMNS: Final = 100_000

_NEAR: Final = 0.6
_VERY_NEAR: Final = 0.85
_WORDS: Final = {
    "int_parsing": "needs a whole number",
    "int_parsing_size": "needs a whole number that is not so large",
    "int_from_float": "needs a whole number",
    "float_parsing": "needs a number, with a point before decimals",
    "finite_number": "needs a number that is not infinite",
    "bool_parsing": "needs true or false",
    "literal_error": "needs one of these: {expected}",
    "greater_than": "needs a number above {gt}",
    "greater_than_equal": "needs a number of at least {ge}",
    "less_than": "needs a number below {lt}",
    "less_than_equal": "needs a number of at most {le}",
    "string_too_short": "needs at least {min_length} characters",
    "string_too_long": "needs at most {max_length} characters",
    "string_unicode": "needs text in UTF-8",
    "path_type": "needs a path",
    "string_type": "needs text",
}
"""Our words for pydantic's names of faults."""

PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_SCHEMES: Final = frozenset({"http", "https"})
_NOT_IN_A_PATH: Final = re.compile(r"[?#=\\\x00-\x1f\x7f]")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\]")


def dropped(environment: Mapping[str, str]) -> list[str]:
    """The variables that no library may see."""
    return [
        name
        for name, value in environment.items()
        if name in DROPPED_NAMES
        or name.startswith(DROPPED_BEGINNINGS)
        or (name in NUMBERS and not (value.isascii() and value.isdecimal() and 0 < int(value[:6]) < MOST_COLUMNS))
    ]


@contextlib.contextmanager
def without_dropped(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Take those variables away while the block runs."""
    kept = {name: environment.pop(name) for name in dropped(environment)}
    try:
        yield
    finally:
        environment.update(kept)


def misspelt(environment: Mapping[str, str], prefix: str, known: Collection[str]) -> dict[str, str | None]:
    """The variables that look like a setting and are none, each with the nearest known name, or None without one.

    A variable looks like a setting if it begins with the prefix, or if it is nearly the name of one. An empty one
    counts as not set.
    """
    found: dict[str, str | None] = {}
    names = {name.upper() for name in known}  # pydantic reads a name in any case
    families = tuple({name.partition("_")[0] for name in names})
    for name in sorted(name for name, value in environment.items() if value):
        upper = name.upper()
        if upper in names or not upper.startswith(families):
            continue
        is_ours = upper.startswith(prefix)
        # the part that all have in common would make any two of them alike
        rests = (
            {one.removeprefix(prefix): one for one in sorted(names, reverse=True)}
            if is_ours
            else {one: one for one in names}
        )
        near = difflib.get_close_matches(
            upper.removeprefix(prefix), sorted(rests), n=1, cutoff=_NEAR if is_ours else _VERY_NEAR
        )
        if is_ours or near:
            found[name] = rests[near[0]] if near else None
    return found


def in_words(kind: str, limits: Mapping[str, Any], said: str) -> str:
    """What is wrong with a value, by pydantic's name of the fault and its limits; `said` where we have no words.

    Pydantic's own message is for programmers: it speaks of input, parsing and patterns.
    """
    words = _WORDS.get(kind)
    return said if words is None else words.format(**{name: _plain(limit) for name, limit in limits.items()})


def _plain(limit: object) -> object:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def home_expanded(value: object) -> object:
    """A path with `~` and `~user` expanded. Raises `ValueError` if there is no such user."""
    try:
        return Path(value).expanduser() if isinstance(value, str | Path) else value
    except RuntimeError:
        raise ValueError("names the home folder of a user who is not known") from None


def file_of(value: object) -> object:
    """The same for a file, absolute. Raises `ValueError` for a blank text."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("names no file")
    path = home_expanded(value)
    return path.absolute() if isinstance(path, Path) else path


def folder_of(value: object) -> object:
    """The same for a folder in which DuckDB opens files. Raises `ValueError` for one that it would take for another."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("names no folder")  # pathlib would take the empty text as the current folder
    path = home_expanded(value)
    if not isinstance(path, Path):
        return path
    absolute = str(path.absolute())
    if found := _NOT_IN_A_PATH.search(absolute):
        raise ValueError(
            f"the path holds {found[0]!a}. Without ?, #, =, a backslash and control characters it can be used"
        )
    try:
        absolute.encode()
    except UnicodeEncodeError:
        raise ValueError("the path is no text in this locale. LC_ALL=C.UTF-8 may help") from None
    return path


def proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxy by the scheme of a request (`http`, `https`, `all`), in a form that httpx takes.

    Raises `ValueError` that names the variable and shows no part of its value.
    """
    found = {}
    for name in PROXIES:
        variable = next((one for one in (name.lower(), name) if environment.get(one, "").strip()), None)
        # a web server's scripts get HTTP_PROXY from a header of the request
        if variable is None or (variable == "HTTP_PROXY" and "REQUEST_METHOD" in environment):
            continue
        found[name.partition("_")[0].lower()] = _proxy(variable, environment[variable].strip())
    return found


def asked_directly(host: str, environment: Mapping[str, str]) -> bool:
    """Whether `NO_PROXY` names the host: itself, a domain above it, its address, or a network that has its address."""
    named = environment.get("no_proxy", "").strip() or environment.get("NO_PROXY", "")
    return any(_names(one.strip().lower(), host.lower().rstrip(".")) for one in re.split(r"[,\s]+", named) if one)


def _proxy(variable: str, value: str) -> str:
    scheme, mark, rest = value.partition("://")
    if not mark:
        scheme, rest = "http", value
    if scheme.lower() not in _SCHEMES:
        kind = "SOCKS is not supported" if scheme.lower().startswith("socks") else "its scheme is not known"
        raise ValueError(f"{variable} can't be used: {kind}. Set it to http://user:password@host:port")
    # a password may hold any character: its end is the last @, and what follows is host and port
    login, at, address = rest.rpartition("@")
    host, port = _address(variable, address.split("/")[0].split("?")[0].split("#")[0])
    user, colon, password = login.partition(":")
    shown = f"{quote(unquote(user), '')}{colon}{quote(unquote(password), '')}{at}"
    return f"{scheme.lower()}://{shown}{host}{port}"


def _address(variable: str, address: str) -> tuple[str, str]:
    try:
        split = urlsplit(f"//{address}")
        port = split.port
        host = split.hostname or ""
        host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except (ValueError, UnicodeError):
        host, port = "", None
    if not address.isprintable() or not _HOST.fullmatch(host) or "%" in host:
        raise ValueError(
            f"{variable} can't be used: it names no host and port. Set it to http://user:password@host:port"
        )
    return host, "" if port is None else f":{port}"


def _names(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    bare = re.sub(r"^\[(.*)\](:\d+)?$|^([^:]*):\d+$", lambda match: match[1] or match[3] or "", entry)
    with contextlib.suppress(ValueError):
        return ip_address(host.strip("[]")) in ip_network(bare, strict=False)
    domain = bare.lstrip("*").lstrip(".").rstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))
