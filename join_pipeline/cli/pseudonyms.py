"""The command `pseudonyms rotate`."""

from typing import Annotated

import typer

from join_pipeline.cli.output import out
from join_pipeline.cli.verbosity import everywhere
from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings

pseudonyms = typer.Typer(help="The keys under which readers know people.", no_args_is_help=True)


@pseudonyms.callback()
def about() -> None:
    """The keys under which readers know people."""


@pseudonyms.command()
@everywhere
def rotate(
    yes: Annotated[bool, typer.Option("--yes", help="Do it: nobody can go back to the old pseudonyms.")] = False,
) -> None:
    """Make a new pseudonym key. The next build publishes new pseudonyms.

    All connections that are set by the environment share one key; each connection of a file has its own.

    Readers then see every application, candidate and user under another key: what they noted by the old keys, and files
    that they kept, match nothing any more. All numbers stay the same. Backups of the old key do not.
    """
    from join_pipeline.warehouse.pseudonyms import rotate as run

    if not yes:
        raise SettingsError("--yes is needed: what readers noted by the old pseudonyms matches nothing afterwards.")
    settings = load_settings()
    run(settings)
    out.print(
        f"{settings.pseudonym_key_file} has a new key. Run `join-pipeline build` for each connection that has it.",
        soft_wrap=True,
    )
