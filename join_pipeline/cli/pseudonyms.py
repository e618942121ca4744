"""The command `pseudonyms rotate`."""

from typing import Annotated

import typer

from join_pipeline.cli.output import out
from join_pipeline.cli.verbosity import everywhere
from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings, pseudonym_key_file

pseudonyms = typer.Typer(help="The keys under which readers know people.", no_args_is_help=True)


@pseudonyms.callback()
def about() -> None:
    """The keys under which readers know people."""


@pseudonyms.command()
@everywhere
def rotate(
    yes: Annotated[bool, typer.Option("--yes", help="Do it: nobody can go back to the old pseudonyms.")] = False,
) -> None:
    """Make a new pseudonym key, for all connections of this account. The next build publishes new pseudonyms.

    Readers then see every application, candidate and user under another key: what they noted by the old keys, and files
    that they kept, match nothing any more. All numbers stay the same. Backups of the old key do not.
    """
    from join_pipeline.warehouse.pseudonyms import rotate as run

    if not yes:
        raise SettingsError("--yes is needed: what readers noted by the old pseudonyms matches nothing afterwards.")
    run(load_settings())
    out.print(f"{pseudonym_key_file()} has a new key. Run `join-pipeline build` for each connection.", soft_wrap=True)
