"""`--all`: one command over all connections, one after the other. What fails for one stops no other.

Belongs here: the loop, its headings and its exit code. Not here: the commands, the file of connections (connections).
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from join_pipeline.cli.output import collecting, err, out, print_json, shown
from join_pipeline.cli.verbosity import is_quiet, with_options
from join_pipeline.errors import PipelineError, pass_interruption
from join_pipeline.faults import is_the_machines, told
from join_pipeline.settings import choosing, listed_connections, load_settings

FAULT: Final = 70
"""sysexits.h calls it an internal software error."""
GUARDED: Final = 3
All = Annotated[bool, typer.Option("--all", help="Do it for every connection, one after the other.")]


def for_all(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with `--all`."""

    def run(*, every: bool = False, **given: Any) -> None:
        if every:
            _every(command, given)
        else:
            command(**given)

    return with_options(command, run, every=(All, False))


def _every(command: Callable[..., None], given: dict[str, Any]) -> None:
    """Run the command for each connection. Raises `typer.Exit` if it went wrong for any of them."""
    is_json = given.get("as_json", False)
    codes: dict[str, int] = {}
    document: dict[str, Any] = {}
    for name in _names():
        if not (is_json or is_quiet()):
            out.print(f"[bold]{escape(name)}[/]", highlight=False)
        with choosing(name), collecting() as printed:
            codes[name], error = _ended(command, given)
        if error is not None:
            err.print("[red]Error[/]:", end=" ")
            err.print(shown(f"{name}: {error['message']}"), markup=False, highlight=False, soft_wrap=True)
            printed.append({"error": error})
        document[name] = printed[-1] if printed else None
    if is_json:
        print_json({"connections": document})
    wrong = {code for code in codes.values() if code}
    if wrong:
        listed = ", ".join(f"{name} ({code})" for name, code in codes.items() if code)
        err.print(f"{len(codes)} connections; not well, with its exit code: {listed}", highlight=False, soft_wrap=True)
        failed = wrong - {GUARDED} or wrong
        raise typer.Exit(failed.pop() if len(failed) == 1 else 1)


def _names() -> list[str]:
    """The connections of the file; without one, the environment's own."""
    with choosing(None):
        return list(listed_connections()) or [load_settings().connection]


def _ended(command: Callable[..., None], given: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    """The exit code of the command for one connection, and its error as a document."""
    try:
        command(**given)
    except typer.Exit as ended:
        return ended.exit_code, None
    except PipelineError as error:
        code = error.exit_code
        return code, {"type": error.kind, "message": told(error), "exit_code": code}
    except Exception as error:  # what nobody expected of one company must not stop the others
        pass_interruption(error)
        kind, code = ("MachineError", 1) if is_the_machines(error) else ("Fault", FAULT)
        return code, {"type": kind, "message": told(error), "exit_code": code}
    return 0, None
