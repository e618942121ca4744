"""What every command takes: how much it says (`-v`, `-q`, before its name or after it), and `--connection`.

Belongs here: these options, and printing that follows them. Not here: results, which are printed whatever they say,
`--all` (many).
"""

import functools
import inspect
from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any, Final

import typer

from join_pipeline.cli.output import err, out
from join_pipeline.errors import SettingsError
from join_pipeline.settings import choose_connection, chosen_connection


class Level(IntEnum):
    """How much is printed beside results, warnings and errors."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print details, too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but results, warnings and errors.")]
OneConnection = Annotated[
    str | None, typer.Option("--connection", metavar="NAME", help="The connection, where there are several.")
]
NAMES: Final = ("verbose", "quiet", "connection")
"""The parameters that every command has. docs/make.py tells them once."""
_chosen: list[Level] = [Level.NORMAL]


def begin() -> None:
    """Forget what an earlier command of this process chose."""
    _chosen[0] = Level.NORMAL
    choose_connection(None)


def choose(*, verbose: bool, quiet: bool) -> None:
    """Follow the options. Without either, an earlier choice stays."""
    if verbose and quiet:
        raise SettingsError("Give --verbose or --quiet, not both.")
    if verbose or quiet:
        _chosen[0] = Level.VERBOSE if verbose else Level.QUIET


def is_quiet() -> bool:
    """Whether only results, warnings and errors are printed."""
    return _chosen[0] is Level.QUIET


def is_verbose() -> bool:
    """Whether details are printed, too."""
    return _chosen[0] is Level.VERBOSE


def say(*objects: Any, **options: Any) -> None:
    """Print on standard output what a person likes to know and a timer does not, unless the command is quiet."""
    if not is_quiet():
        out.print(*objects, **options)


def remark(text: str) -> None:
    """Print a warning about data, with markup: beside the result, or on standard error if the command is quiet.

    There, it begins with the connection that was chosen, as no heading says it.
    """
    if is_quiet():
        about = chosen_connection()
        err.print(f"{about}: {text}" if about else text, soft_wrap=True)
    else:
        out.print(text, soft_wrap=True)


def everywhere(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with `-v`, `-q` and `--connection`."""

    def run(*, verbose: bool = False, quiet: bool = False, connection: str | None = None, **given: Any) -> None:
        choose(verbose=verbose, quiet=quiet)
        if connection is not None:
            if given.get("every"):
                raise SettingsError("Give --connection or --all, not both.")
            choose_connection(connection)
        command(**given)

    return with_options(command, run, verbose=(Verbose, False), quiet=(Quiet, False), connection=(OneConnection, None))


def with_options(
    command: Callable[..., None], run: Callable[..., None], **options: tuple[Any, Any]
) -> Callable[..., None]:
    """`run` in place of the command, with its name, help and options and with these, each with its default."""
    own = inspect.signature(command)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]
    wrapped = functools.wraps(command)(run)
    wrapped.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {**command.__annotations__, **{name: kind for name, (kind, _) in options.items()}}
    return wrapped
