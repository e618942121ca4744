"""The command `connect`: it guides a user in the terminal, or runs without questions in a script."""

import contextlib
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape

from join_pipeline.cli.arguments import text_content
from join_pipeline.cli.output import Json, err, print_findings, print_json
from join_pipeline.cli.progress import watching
from join_pipeline.cli.verbosity import say
from join_pipeline.errors import AccountError, AuthError, SettingsError
from join_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from join_pipeline.sources.base import Source, TokenConnection

ATTEMPTS: Final = 3


def connect(
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read the token from standard input.")] = False,
    sync: Annotated[
        bool | None, typer.Option("--sync/--no-sync", help="Run the first full sync at once. Default: ask.")
    ] = None,
    accept_account: Annotated[
        bool, typer.Option("--accept-account", help="Whether the command accepts another account than the lake's.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Connect an account of the source that JOIN_PIPELINE_SOURCE names. It shows each step and checks the credentials.

    Only the file's owner can read a stored token. If the environment has credentials, the command checks those and
    asks for none.
    """
    from join_pipeline.connections import connect as connections
    from join_pipeline.sources.base import TokenConnection
    from join_pipeline.sources.registry import open_source

    settings = load_settings()
    source = open_source(settings)
    connection = source.connection
    is_asked = isinstance(connection, TokenConnection) and _is_asked(connection, token_stdin=token_stdin)
    if not as_json:
        _print_guide(settings, source)
    found = connections.prerequisites(source, settings)
    _show(found, as_json=as_json)
    if any(finding.is_grave for finding in found):
        if as_json:
            print_json({"prerequisites": found})
        err.print("Correct what failed, then run `join-pipeline connect` again.")
        raise typer.Exit(1)
    token = text_content("--token-stdin", "-", is_line=True) if token_stdin else None
    connect_with = partial(connections.connect, source, settings, accept_account=accept_account)
    connected = _ask_and_connect(connect_with) if is_asked else connect_with(token)
    _show(connected.findings, as_json=as_json)
    is_wanted = sync if sync is not None else is_asked and typer.confirm("Run the first full sync?", True, err=True)
    record = _first_sync(load_settings(), accept_account=accept_account) if is_wanted else None
    if as_json:
        print_json({**_as_dict(connected), "prerequisites": found, "sync": record})
    else:
        _print_connected(connected, record, connection.variables)


def _is_asked(connection: "TokenConnection", *, token_stdin: bool) -> bool:
    """Whether the command asks the user for the token. Raises `SettingsError` if there is no terminal to ask in."""
    variable = connection.variables
    if token_stdin and connection.is_set:
        raise SettingsError(f"{variable} is set and wins over a stored token. Unset it, or omit --token-stdin.")
    if not (token_stdin or connection.is_set or sys.stdin.isatty()):
        raise SettingsError(f"There is no terminal to ask in. Give the token with --token-stdin or {variable}.")
    return not (token_stdin or connection.is_set)


def _ask_and_connect(connect_with: Callable[[str], Any]) -> Any:
    """Ask for the token and connect. A token that can be none, or that the source rejects, is asked for again."""
    for left in range(ATTEMPTS - 1, -1, -1):
        token = typer.prompt("Paste the token (it is not shown)", hide_input=True, err=True)
        try:
            return connect_with(token)
        except AccountError:  # the token is good, so another paste helps nobody
            raise
        except (SettingsError, AuthError) as error:
            if not left:
                raise
            err.print(f"[yellow]not accepted[/] {escape(str(error))}", soft_wrap=True)
            _forget_typed()
    raise AssertionError("the last attempt returns or raises")


def _forget_typed() -> None:
    """Drop what is typed already: further lines of a paste are no answers to the next questions."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import termios

        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _print_guide(settings: Settings, source: "Source") -> None:
    say(f"Connecting as “{settings.connection}”, by {source.name}. You need:\n", highlight=False)
    for number, step in enumerate(source.connection.guide, start=1):
        say(f"{number}. {step}", highlight=False)
    say()


def _show(findings: Iterable[Any], *, as_json: bool) -> None:
    if not as_json:
        print_findings(findings)


def _print_connected(connected: Any, record: Any, variables: str) -> None:
    where = escape(str(connected.token_file)) if connected.token_file else f"{variables} in your environment"
    say(f"Connected. Credentials: {where}\nIntegration id: {connected.integration_id}", soft_wrap=True)
    if record is None:
        say("Next: join-pipeline sync, then join-pipeline build")
    else:
        live = {name: model.live for name, model in record.models.items()}
        say(f"{live['applications']} applications, {live['jobs']} jobs. Next: join-pipeline build")


def _first_sync(settings: Settings, *, accept_account: bool) -> Any:
    from join_pipeline.pipeline import sync

    with watching() as watch:
        return sync(settings, "full", (), watch.records, accept_account=accept_account, expect=watch.expect).record


def _as_dict(connected: Any) -> dict[str, Any]:
    return {name: getattr(connected, name) for name in connected.__struct_fields__}
