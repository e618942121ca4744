"""The commands `retention due` and `apply`."""

from dataclasses import astuple
from datetime import datetime
from typing import Annotated

import typer

from join_pipeline.cli.output import Json, out, print_json
from join_pipeline.cli.query import Decimals, print_csv
from join_pipeline.cli.tables import print_rows
from join_pipeline.cli.verbosity import everywhere, say
from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings

retention = typer.Typer(help="What is kept longer than your policy allows.", no_args_is_help=True)


@retention.callback()
def about() -> None:
    """What is kept longer than your policy allows."""


@retention.command()
@everywhere
def due(
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Also what will be due by this day.")
    ] = None,
    in_ats: Annotated[bool, typer.Option("--in-ats", help="Only what the ATS still has.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the list as CSV.")] = False,
    as_json: Json = False,
) -> None:
    """List applications whose personal data is due, by JOIN's ids, for those who may delete there.

    The periods are those of JOIN_PIPELINE_RETENTION_POLICY_CSV. Nobody saw the instant of a decision, only between
    which syncs it was made: data may be due from `due_from` on, and certainly is from `due_on` on. The list has no
    names.
    """
    from join_pipeline.warehouse.retention import COLUMNS
    from join_pipeline.warehouse.retention import due as read_due

    if as_csv and as_json:
        raise SettingsError("Give one of --json and --csv.")
    listed = [one for one in read_due(load_settings(), until=until and until.date()) if one.is_in_ats or not in_ats]
    if as_json:
        print_json(listed)
    elif as_csv:
        print_csv(COLUMNS, map(astuple, listed), ",", Decimals.POINT)
    else:
        print_rows(COLUMNS, map(astuple, listed))
        say(f"{len(listed):,} applications. Delete them in the ATS: the next full sync then erases them here.")


@retention.command()
@everywhere
def apply(
    yes: Annotated[bool, typer.Option("--yes", help="Erase them. Without it, only their number is told.")] = False,
    as_json: Json = False,
) -> None:
    """Erase here, at once, the people whose data is certainly due, and leave a receipt. It changes nothing in JOIN.

    Somebody is erased if all of their applications are due, and nobody who still waits or was hired. A person whom JOIN
    still has does not come back with the next sync. Somebody of whom a sync after the build saw anything new waits for
    the next build. JOIN_PIPELINE_RETENTION_APPLY does the same with each build.
    """
    from join_pipeline import pipeline
    from join_pipeline.people.keeping import erase_due
    from join_pipeline.warehouse.retention import candidates_due

    settings = load_settings()
    n, receipt = len(candidates_due(settings)), None
    if yes:
        n, receipt = erase_due(settings, pipeline.feeds_of, pipeline.build)
    if as_json:
        print_json({"n_people": n, "receipt": receipt})
    elif receipt is not None:
        out.print(f"{n:,} people were erased. Receipt {receipt['number']}.", highlight=False)
    else:
        out.print(f"{n:,} people are due." + (" --yes erases them here." if n else ""), highlight=False)
