"""How much a command says: `-v` and `-q`, which every command takes, before its name or after it.

Belongs here: the two options, and printing that follows them. Not here: results, which are printed whatever they say.
"""

import functools
import inspect
from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any, Final

import typer

from join_pipeline.cli.output import err, out
from join_pipeline.errors import SettingsError


class Level(IntEnum):
    """How much is printed beside results, warnings and errors."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print details, too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but results, warnings and errors.")]
NAMES: Final = ("verbose", "quiet")
"""The parameters that every command has. docs/make.py tells them once."""
_chosen: list[Level] = [Level.NORMAL]


def begin() -> None:
    """Forget what an earlier command of this process chose."""
    _chosen[0] = Level.NORMAL


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
    """Print a warning about data, with markup: beside the result, or on standard error if the command is quiet."""
    (err if is_quiet() else out).print(text, soft_wrap=True)


def everywhere(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with `-v` and `-q`."""

    @functools.wraps(command)
    def run(*, verbose: bool = False, quiet: bool = False, **given: Any) -> None:
        choose(verbose=verbose, quiet=quiet)
        command(**given)

    own = inspect.signature(command)
    kinds = dict(zip(NAMES, (Verbose, Quiet), strict=True))
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in kinds.items()
    ]
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, **kinds}
    return run
