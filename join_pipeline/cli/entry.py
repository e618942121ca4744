"""The entry point: the list of commands, and how an error ends a command."""

import errno
import gc
import os
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from join_pipeline.cli.api import api
from join_pipeline.cli.assistants import mcp
from join_pipeline.cli.attachments import attachments
from join_pipeline.cli.connect import connect
from join_pipeline.cli.connections import connections
from join_pipeline.cli.create import create
from join_pipeline.cli.demo import demo, sandbox
from join_pipeline.cli.dev import dev
from join_pipeline.cli.inspect import doctor, status
from join_pipeline.cli.listen import listen
from join_pipeline.cli.many import FAULT, for_all
from join_pipeline.cli.notify import telling
from join_pipeline.cli.output import err, has_printed_json, prepare_streams, print_json, shown
from join_pipeline.cli.person import person
from join_pipeline.cli.pipeline import build, rebuild, report, run, sync
from join_pipeline.cli.portfolio import portfolio
from join_pipeline.cli.pseudonyms import pseudonyms
from join_pipeline.cli.query import export, query
from join_pipeline.cli.retention import retention
from join_pipeline.cli.verbosity import Quiet, Verbose, begin, choose, everywhere
from join_pipeline.errors import PipelineError, SettingsError, is_interruption
from join_pipeline.faults import is_the_machines, told
from join_pipeline.settings import drop_foreign, unknown_variables

INTERRUPTED: Final = 130
MISUSED: Final = 2
INTERRUPTION: Final = "Interrupted. Nothing is half-written. Run it again."
NO_OUTPUT: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
SEARCH_AFTER: Final = 50_000
"""Python looks for forgotten objects after so many new ones. After its 700, that is a tenth of a sync's time."""
MISUSE: Final[tuple[type[Exception], ...]] = (typer.BadParameter.__mro__[2],)
"""Typer's base of all errors about the command line. Typer exports only the classes below it."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
# help shows the commands in this order
for command in (
    connect,
    for_all(telling(run)),
    for_all(telling(sync)),
    for_all(telling(build)),
    rebuild,
    report,
    query,
    export,
    portfolio,
    for_all(status),
    for_all(doctor),
    mcp,
    listen,
    dev,
    sandbox,
    demo,
    api,
):
    app.command()(everywhere(command))
app.add_typer(connections, name="connections")
app.add_typer(create, name="create")
app.add_typer(attachments, name="attachments")
app.add_typer(person, name="person")
app.add_typer(retention, name="retention")
app.add_typer(pseudonyms, name="pseudonyms")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"join-pipeline {version('join-pipeline')}")  # noqa: T201  a result
        raise typer.Exit


@app.callback(help="Recruiting data from the JOIN ATS: history, funnel and time to hire in DuckDB.")
def before(
    version_only: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run before each command: follow the common options, and warn of variables that set nothing."""
    del version_only  # its callback has ended the command
    choose(verbose=verbose, quiet=quiet)
    for name, near in unknown_variables().items():
        err.print("[yellow]warning[/]", end=" ")
        _print_plainly(f"{name} is no setting." + (f" Did you mean {near}?" if near else " See settings.md in docs."))


def main() -> None:
    """Run a command. Every error ends it with one line: a `PipelineError` with its exit code, a fault of ours with 70.

    With `--json`, the error is a JSON document on standard output, too. Typer itself ends wrong usage with 2 and an
    interruption with 130.
    """
    gc.set_threshold(SEARCH_AFTER, 50, 1000)
    os.umask(0o077)  # dbt and DuckDB create files too, and only the owner may read them
    prepare_streams()
    warnings.simplefilter("ignore")  # PYTHONWARNINGS=error would make errors of what libraries only remark
    drop_foreign()
    begin()
    has_printed_json(begin=True)
    try:
        try:
            sys.argv[1:] = map(_text, sys.argv[1:])
            code = app(standalone_mode=not _is_json())
        finally:
            _flush()
    except PipelineError as error:
        _end(told(error), error.exit_code, error.kind, _details(error))
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            err.print(INTERRUPTION)
        raise
    except MISUSE as error:
        _end(error.format_message(), getattr(error, "exit_code", MISUSED), "UsageError")  # type: ignore[attr-defined]
    except typer.Abort:
        _end("Nobody answered the question.", 1, "Aborted")
    except Exception as error:  # the one place where what nobody expected becomes a line
        if is_interruption(error):
            _end(INTERRUPTION, INTERRUPTED, "Interrupted")
        is_refused = is_the_machines(error)
        _end(told(error), 1 if is_refused else FAULT, "MachineError" if is_refused else "Fault")
    if code == INTERRUPTED:
        _end(INTERRUPTION, INTERRUPTED, "Interrupted")
    sys.exit(code or 0)


def _details(error: PipelineError) -> dict[str, Any]:
    """What the error's type adds to its message, without what libraries leave at it."""
    return {name: value for name, value in vars(error).items() if not name.startswith("_")}


def _is_json() -> bool:
    """Whether the command line asks for JSON, even if it is wrong otherwise."""
    arguments = sys.argv[1:]
    return "--json" in arguments[: arguments.index("--") if "--" in arguments else None]


def _text(argument: str) -> str:
    """An argument as the text that it is. In a locale without UTF-8, Python keeps its bytes as halves of characters."""
    try:
        return argument if argument.isascii() else os.fsencode(argument).decode()
    except UnicodeError:
        raise SettingsError("An argument is not UTF-8.") from None


def _flush() -> None:
    """Write what standard output still holds. Python would do it at its end, and report a failure with a traceback."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
    except OSError as error:
        if error.errno not in NO_OUTPUT:
            raise
        _forget_output()
        _end(f"Standard output can't be written ({os.strerror(error.errno)}).", 1)


def _forget_output() -> None:
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  it lives as long as the process


def _end(message: str, code: int, kind: str = "MachineError", details: dict[str, Any] | None = None) -> NoReturn:
    """Print an error in words, and with `--json` as a document, unless the result was printed before. Then exit."""
    if code == INTERRUPTED:
        err.print(message)
    else:
        err.print("[red]Error[/]:", end=" ")
        _print_plainly(message)
    if _is_json() and not has_printed_json():
        about = {"details": details} if details else {}
        print_json({"error": {"type": kind, "message": message, "exit_code": code, **about}})
        _flush()
    sys.exit(code)


def _print_plainly(text: str) -> None:
    err.print(shown(text), markup=False, highlight=False, soft_wrap=True)
