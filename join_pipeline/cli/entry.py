"""The entry point: the list of commands, and how an error ends a command."""

import os
import sys
from typing import Final

import typer

from join_pipeline.cli.api import api
from join_pipeline.cli.attachments import attachments
from join_pipeline.cli.connect import connect
from join_pipeline.cli.create import create
from join_pipeline.cli.demo import demo, sandbox
from join_pipeline.cli.inspect import doctor, query, status
from join_pipeline.cli.listen import listen
from join_pipeline.cli.output import err
from join_pipeline.cli.pipeline import build, rebuild, report, sync
from join_pipeline.errors import PipelineError

INTERRUPTED: Final = 130

app = typer.Typer(
    help="Recruiting data from the JOIN ATS: history, funnel and time to hire in DuckDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
# help shows the commands in this order
for command in (connect, sync, build, rebuild, report, query, status, doctor, listen, sandbox, demo, api):
    app.command()(command)
app.add_typer(create, name="create")
app.add_typer(attachments, name="attachments")


def main() -> None:
    """Run a command. A `PipelineError` ends it with one line and the error's exit code.

    Typer itself ends wrong usage with 2 and an interruption with 130.
    """
    os.umask(0o077)  # dbt and DuckDB create files too, and only the owner may read them
    try:
        app()
    except PipelineError as error:
        err.print("[red]Error[/]:", end=" ")
        err.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            err.print("Interrupted. Nothing is half-written. Run it again.")
        raise
