"""The command `listen`."""

from typing import Annotated

import typer

from join_pipeline.cli.output import out
from join_pipeline.settings import load_settings


def listen(
    host: Annotated[
        str, typer.Option(help="Address to listen on. Keep the default and put a proxy before it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")] = 8766,
) -> None:
    """Receive the source's webhooks. A signed one triggers a sync, which Dagster's sensor `webhook` launches."""
    from join_pipeline.connections.webhooks import receive_webhooks
    from join_pipeline.sources.registry import open_source

    def ready(taken: int) -> None:
        out.print(f"listening on http://{host}:{taken}", highlight=False, soft_wrap=True)

    settings = load_settings()
    receive_webhooks(open_source(settings), settings.home, host, port, ready)
