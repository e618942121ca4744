"""The lineage from a source's feeds to the tables of `ats`, with a description of each.

Belongs here: names such as `raw/<feed>`, `models/<model>`, `ats/<table>`. Not here: the meaning of columns (models),
dbt's lineage (its manifest).
"""

from typing import NamedTuple

from join_pipeline.models import MODELS, Column
from join_pipeline.sources.base import Source
from join_pipeline.warehouse import pseudonyms
from join_pipeline.warehouse.tables import BESIDE, PSEUDONYMS, STATES, UNREAD


class Described(NamedTuple):
    """A result of a step: its path, its description, the paths that it is made from, its columns if declared."""

    path: str
    doc: str
    sources: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()


def raw(source: Source) -> tuple[Described, ...]:
    """The feeds of the source."""
    return tuple(
        Described(f"raw/{feed.name}", f"{feed.doc} Payloads as they came: lake/raw/{feed.name}.")
        for feed in source.feeds
    )


def versions(source: Source) -> tuple[Described, ...]:
    """The models in the lake, each made from its feeds."""
    return tuple(
        Described(
            f"models/{name}",
            f"{model.doc} One row per version: lake/models/{name}.",
            tuple(f"raw/{feed}" for feed in source.model_feeds[name]),
            model.version_columns,
        )
        for name, model in MODELS.items()
    )


def tables(source: Source) -> tuple[Described, ...]:
    """The models in the warehouse, and the tables that load writes beside them."""
    feeds = {
        STATES.name: ("models/applications",),
        UNREAD.name: ("raw/applications",),
        PSEUDONYMS.name: tuple(f"models/{model}" for model in pseudonyms.MODELS),
    }
    every = tuple(f"raw/{feed.name}" for feed in source.feeds)
    return (
        *(
            Described(
                f"ats/{name}",
                f"{model.doc} The newest version of each record; all versions in ats_history.",
                (f"models/{name}",),
                model.loaded_columns,
            )
            for name, model in MODELS.items()
        ),
        *(Described(f"ats/{table.name}", table.doc, feeds.get(table.name, every), table.columns) for table in BESIDE),
    )
