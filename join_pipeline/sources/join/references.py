"""Reference lists: fetching them, and the names that they give to the numbers in jobs.

Belongs here: what holds if a list or an entry of it is missing. Not here: which numbers they name (mapping).
A known name is never lost. If a list fails, the last list stays in force. If an entry is missing or has no name, the
row that last named it is kept beside the new list.
"""

from collections.abc import Iterable

from join_pipeline.errors import (
    ContractError,
    NoAnswerError,
    NotFoundError,
    RateLimited,
    RefusedError,
    TransientError,
)
from join_pipeline.http.contracts import read
from join_pipeline.http.pages import Page
from join_pipeline.lake.raw import RawRow
from join_pipeline.sources.feed import RawOf
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import REFERENCES, JoinFeed
from join_pipeline.sources.join.mapping.job import References, reference_names
from join_pipeline.sources.join.payloads import Reference


def read_references(client: JoinClient) -> list[tuple[JoinFeed, Page | None]]:
    """Fetch the reference lists. A list that JOIN does not offer or answers wrongly is None; its last known names hold.

    Raises the error of the last list if JOIN answers all of them wrongly: then something is wrong with more than lists.
    """
    failed: list[TransientError] = []

    def read(feed: JoinFeed) -> Page | None:
        try:
            return client.whole(feed.path, feed.params)
        except (NotFoundError, RefusedError, ContractError):
            return None
        except (NoAnswerError, RateLimited):
            raise
        except TransientError as error:
            failed.append(error)
            return None

    found = [(feed, read(feed)) for feed in REFERENCES]
    if len(failed) == len(found):
        raise failed[-1]
    return found


def references_from(raw_of: RawOf, post_url_template: str | None) -> References:
    """The names of all reference lists."""
    names = {feed.name: _names(raw.payload for raw in raw_of(feed.name)) for feed in REFERENCES}
    return References(**names, post_url_template=post_url_template)


def still_named(known: Iterable[RawRow], page: Page) -> list[RawRow]:
    """The known rows that name something that the new list does not name."""
    named = _names(record.payload for record in page.records).keys()
    return [row for row in known if _names([row.payload]).keys() - named]


def _names(payloads: Iterable[str | bytes | None]) -> dict[int, str]:
    """Names by number. An entry that breaks the contract has no name."""
    entries = []
    for payload in payloads:
        try:
            entries.append(read(Reference, payload or ""))
        except ContractError:
            continue
    return reference_names(entries)
