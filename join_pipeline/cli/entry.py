"""The entry point: the list of commands, and how an error ends a command."""

import errno
import os
import sys
import warnings
from pathlib import Path
from typing import Final

import typer

from join_pipeline.cli.api import api
from join_pipeline.cli.attachments import attachments
from join_pipeline.cli.connect import connect
from join_pipeline.cli.create import create
from join_pipeline.cli.demo import demo, sandbox
from join_pipeline.cli.dev import dev
from join_pipeline.cli.inspect import doctor, query, status
from join_pipeline.cli.listen import listen
from join_pipeline.cli.output import err, prepare_streams, shown
from join_pipeline.cli.pipeline import build, rebuild, report, sync
from join_pipeline.errors import PipelineError, SettingsError
from join_pipeline.faults import is_the_machines, told
from join_pipeline.settings import drop_foreign

INTERRUPTED: Final = 130
FAULT: Final = 70
"""sysexits.h calls it an internal software error."""
NO_OUTPUT: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})

app = typer.Typer(
    help="Recruiting data from the JOIN ATS: history, funnel and time to hire in DuckDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
# help shows the commands in this order
for command in (connect, sync, build, rebuild, report, query, status, doctor, listen, dev, sandbox, demo, api):
    app.command()(command)
app.add_typer(create, name="create")
app.add_typer(attachments, name="attachments")


def main() -> None:
    """Run a command. Every error ends it with one line: a `PipelineError` with its exit code, a fault of ours with 70.

    Typer itself ends wrong usage with 2 and an interruption with 130.
    """
    os.umask(0o077)  # dbt and DuckDB create files too, and only the owner may read them
    prepare_streams()
    warnings.simplefilter("ignore")  # PYTHONWARNINGS=error would make errors of what libraries only remark
    drop_foreign()
    try:
        try:
            sys.argv[1:] = map(_text, sys.argv[1:])
            app()
        finally:
            _flush()
    except PipelineError as error:
        _end(told(error), error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            err.print("Interrupted. Nothing is half-written. Run it again.")
        raise
    except Exception as error:  # the one place where what nobody expected becomes a line
        _end(told(error), 1 if is_the_machines(error) else FAULT)


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


def _end(message: str, code: int) -> None:
    err.print("[red]Error[/]:", end=" ")
    err.print(shown(message), markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)
