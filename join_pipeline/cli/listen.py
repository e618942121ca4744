"""The command `listen`."""

from typing import Annotated

import typer

from join_pipeline.cli.output import out
from join_pipeline.settings import load_settings


def listen(
    host: Annotated[
        str, typer.Option(help="Where it answers; leave it on this machine, behind a proxy.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8766,
) -> None:
    """Receive Kombo's webhooks: each that is signed asks for one sync, which Dagster's sensor `webhook` launches."""
    from join_pipeline.sources.kombo import receiver

    def ready(taken: int) -> None:
        out.print(f"listening on http://{host}:{taken}", highlight=False, soft_wrap=True)

    receiver.listen(load_settings(), host, port, ready)
