"""The command `mcp`."""

from typing import Annotated

import typer

from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings


def mcp(
    analyst: Annotated[
        bool, typer.Option("--analyst", help="Show the marts for analysts, too: rows about single people.")
    ] = False,
) -> None:
    """Let an assistant read the published file, by the Model Context Protocol on standard input and output.

    It reads views, shared marts and definitions, and can change nothing. The assistant's provider sees the results.
    """
    try:
        from join_pipeline.assistants.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types"}:
            raise
        raise SettingsError("mcp needs an extra. Install it: pip install 'join-pipeline[mcp]'") from None
    serve(load_settings(), is_analyst=analyst)
