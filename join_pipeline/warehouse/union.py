"""What the sources of several connections have together: their feeds, their checks, the tables that they fill.

Belongs here: putting together. Not here: which sources there are (sources.registry). With one source, it is that one's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from join_pipeline.checks.finding import Check
from join_pipeline.checks.sync import sync_checks
from join_pipeline.sources.base import Source
from join_pipeline.sources.feed import Feed
from join_pipeline.warehouse.lineage import Described, raw, tables, versions


@dataclass(frozen=True, slots=True)
class Union:
    """`common` has the names of the feeds that every source has. Only they are sure to be read in a run.

    So a table is told to be made of those, and a feed is checked if all have it.
    """

    title: str
    kinds: tuple[str, ...]
    feeds: tuple[Feed, ...]
    common: frozenset[str]
    raw: tuple[Described, ...]
    versions: tuple[Described, ...]
    tables: tuple[Described, ...]
    checks: tuple[Check, ...]


def union_of(sources: Sequence[Source]) -> Union:
    """The union of some sources."""
    common = frozenset.intersection(*(frozenset(feed.name for feed in source.feeds) for source in sources))
    checks = [{(check.about, check.name): check for check in sync_checks(source)} for source in sources]
    return Union(
        title=" and ".join(dict.fromkeys(source.title for source in sources)),
        kinds=(*(source.name for source in sources), "parquet") if len(sources) == 1 else ("parquet",),
        feeds=tuple({feed.name: feed for source in sources for feed in source.feeds}.values()),
        common=common,
        raw=_joined([raw(source) for source in sources]),
        versions=_joined([versions(source) for source in sources]),
        tables=tuple(_of_common(one, common) for one in _joined([tables(source) for source in sources])),
        checks=tuple(check for key, check in checks[0].items() if all(key in others for others in checks)),
    )


def _joined(described: Sequence[Sequence[Described]]) -> tuple[Described, ...]:
    """Each path once, made from all that any source makes it from."""
    found: dict[str, Described] = {}
    for each in described:
        for one in each:
            known = found.get(one.path, one)
            found[one.path] = known._replace(sources=tuple(dict.fromkeys((*known.sources, *one.sources))))
    return tuple(found.values())


def _of_common(one: Described, common: frozenset[str]) -> Described:
    """Without the feeds that some source lacks: a step waits for all that it is made of."""
    is_sure = {path for path in one.sources if not path.startswith("raw/") or path.removeprefix("raw/") in common}
    return one._replace(sources=tuple(path for path in one.sources if path in is_sure))
