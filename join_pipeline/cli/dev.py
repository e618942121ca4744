"""The command `dev`: Dagster's pages of one connection."""

from typing import Annotated

import typer

from join_pipeline.cli.output import err


def dev(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 3000,
) -> None:
    """Serve Dagster, its daemon too, on this machine alone: the connected company, or the demo where none is connected.

    With a file of several connections, it shows them all. --connection names another one. Ctrl-C ends it.
    """
    from join_pipeline.connections.dagster_home import serve, shown_settings, shows_all
    from join_pipeline.connections.listed import DEMO
    from join_pipeline.sandbox.demo import figure_files
    from join_pipeline.settings import load_settings

    settings = shown_settings()
    if settings.connection == DEMO:  # its plan, service levels and costs are files of its own
        figures = {name: path for name, path in figure_files(settings.data).items() if path.exists()}
        settings = load_settings(connection=DEMO, **figures)
    shown = "all connections" if shows_all() else settings.connection
    err.print(f"Dagster of [bold]{shown}[/]: http://127.0.0.1:{port} (Ctrl-C ends it)")
    if code := serve(settings, port):
        err.print("Dagster ended by itself. Its messages above say why.")
        raise typer.Exit(code)
