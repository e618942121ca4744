"""The commands `connections …`: the file of many companies."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from operator import itemgetter
from typing import Annotated, Any, Final

import typer
from pydantic import SecretStr

from join_pipeline.cli.arguments import pair
from join_pipeline.cli.output import Json, out, print_findings, print_json
from join_pipeline.cli.verbosity import everywhere, say
from join_pipeline.errors import InputError, PipelineError
from join_pipeline.places import PARQUET
from join_pipeline.setting_values import is_short_name
from join_pipeline.settings import connections_file, data_folder, kinds, listed_connections, load_settings
from join_pipeline.sources.registry import SOURCES

ORIGINS: Final = {"env": "environment", "environment": "environment", "file": "file"}

connections = typer.Typer(
    help="List, add, remove and check the connections of several companies.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name of the connection, as in acme-2.")]
Secret = Annotated[
    list[str] | None,
    typer.Option(help="Where a secret lies: join_api_token=env:NAME or pseudonym_key=file:PATH. Never the secret."),
]


@connections.command("list")
@everywhere
def list_connections(as_json: Json = False) -> None:
    """List the connections of the file, each with its source, its schedule and its folder."""
    found = [_line(name) for name in listed_connections()]
    if as_json:
        print_json({"file": connections_file(), "connections": found})
        return
    if not found:
        _say_none()
    for one in found:
        said = f"{one['source']:<6} {one['schedule']:<8} {one['home'] or one['fault']}"
        out.print(f"{one['name']:<20} {said}", markup=False, highlight=False, soft_wrap=True)


@connections.command("add")
@everywhere
def add_connection(
    name: Name,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A setting, as in time_zone=Europe/Zurich or source=kombo.")
    ] = None,
    secret: Secret = None,
    schedule: Annotated[
        str | None, typer.Option(help="hourly (the default), nightly, off, or a cron expression.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a connection to the file. Without a token's place, `join-pipeline connect --connection NAME` asks for it."""
    from join_pipeline.connections.edited import add

    settings = {field: _scalar(text) for field, text in (pair("--set", one) for one in setting or [])}
    if schedule is not None:
        settings["schedule"] = schedule
    origins = dict(_origin(one) for one in secret or [])
    add(connections_file(), kinds(), name, settings, origins)
    _say_done(name, f"{name} is in {connections_file()}. Next: join-pipeline connections check {name}", as_json=as_json)


@connections.command("remove")
@everywhere
def remove_connection(name: Name, as_json: Json = False) -> None:
    """Take a connection out of the file, and its Parquet files out of the folder of all companies.

    Its data folder stays: delete it yourself if nobody needs it.
    """
    from join_pipeline.connections.edited import remove
    from join_pipeline.lake.files import locked
    from join_pipeline.warehouse.parquet import note_folder, withdraw_parquet

    data = data_folder()
    home = data / name
    is_withdrawn = _withdraw_from_bucket(name)
    has_files = is_short_name(name) and note_folder(data / PARQUET, name).is_dir()
    with locked(home) if has_files else nullcontext():  # a build under way would bring them back
        remove(connections_file(), kinds(), name)
        if has_files:
            withdraw_parquet(data / PARQUET, name)
    said = " Its Parquet files are removed." if has_files or is_withdrawn else ""
    _say_done(name, f"{name} is removed from the file.{said} Its data stays in {home}.", as_json=as_json)


def _withdraw_from_bucket(name: str) -> bool:
    """Remove the company's Parquet files from its bucket. Returns whether it has one.

    An entry that can't be read must be removable, too. Only if it names a bucket, it has to be mended first.
    """
    from join_pipeline.bucket.published import withdraw

    entry = listed_connections().get(name)
    if entry is None:
        return False
    try:
        settings = load_settings(connection=name)
    except PipelineError:
        if "lake_url" in entry.settings:
            raise
        return False
    if settings.lake_url is None:
        return False
    withdraw(settings)
    return True


@connections.command("check")
@everywhere
def check_connections(
    name: Annotated[str | None, typer.Argument(help="Name of one connection; all without it.")] = None,
    as_json: Json = False,
) -> None:
    """Check the entries of the file: names, settings, and whether each secret can be read. It sends no request.

    `join-pipeline doctor --connection NAME` asks the source, too.
    """
    from join_pipeline.checks.finding import Finding

    known = listed_connections()
    if name is not None and name not in known:
        raise InputError("name", f"{name} is not in {connections_file()}. It has {', '.join(known) or 'none'}.")
    findings = []
    for one in [name] if name else known:
        line = _line(one)
        findings.append(Finding(one, "failed" if line["fault"] else "ok", str(line["fault"] or line["home"])))
    if name is None:
        told = "has the secrets and the address of {}. Both read one account, and `portfolio` counts it twice."
        findings += [Finding(one, "warning", told.format(first)) for one, first in _read_twice(known)]
    print_json(findings) if as_json else print_findings(findings)
    if not findings and not as_json:
        _say_none()
    if any(finding.is_grave for finding in findings):
        raise typer.Exit(1)


def _say_none() -> None:
    out.print(f"No connection is in {connections_file()}. The environment's own is used.", soft_wrap=True)


def _read_twice(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The connections that read an account as an earlier one does, each with that one. It asks no source."""
    first_of: dict[object, str] = {}
    for name in names:
        with suppress(PipelineError):
            settings = load_settings(connection=name)
            options = settings.of(SOURCES[settings.source].options)
            values = {field: getattr(options, field) for field in type(options).model_fields}
            told = {field: value.get_secret_value() for field, value in values.items() if isinstance(value, SecretStr)}
            if told:
                account = (settings.source, *sorted((values | told).items(), key=itemgetter(0)))
                if (first := first_of.setdefault(account, name)) != name:
                    yield name, first


def _line(name: str) -> dict[str, Any]:
    """What there is to say of an entry, or what is wrong with it."""
    entry = listed_connections()[name]
    try:
        settings, fault = load_settings(connection=name), None
    except PipelineError as error:
        settings, fault = None, str(error)
    return {
        "name": name,
        "source": settings.source if settings else "?",
        "schedule": entry.schedule,
        "home": settings.home if settings else None,
        "line": entry.line,
        "fault": fault,
    }


def _scalar(text: str) -> object:
    """A setting's value as TOML should hold it: a number and a truth value as such, all else as a text."""
    if text in {"true", "false"}:
        return text == "true"
    return json.loads(text) if re.fullmatch(r"0|[1-9]\d*(\.\d+)?", text) else text


def _origin(text: str) -> tuple[str, tuple[str, str]]:
    field, where = pair("--secret", text)
    kind, mark, rest = where.partition(":")
    if not mark or kind not in ORIGINS or not rest:
        raise InputError("--secret", f"{field} needs env:NAME or file:PATH, and never the secret itself.")
    return field, (ORIGINS[kind], rest)


def _say_done(name: str, said: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "file": connections_file()})
    else:
        say(said, soft_wrap=True, highlight=False, markup=False)
