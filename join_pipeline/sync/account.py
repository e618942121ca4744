"""The account of a lake: whether an account is the one that the lake was filled from.

A lake knows its account by what it holds of it: the source's ids of live records, and when they were created. Nothing
is stored for that, so nothing of an erased person stays.
Belongs here: comparing what an account shows with what the lake knows. Not here: losses (the guard in plan), which
requests fetch a record (a source).
"""

import contextlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb
import msgspec

from join_pipeline.errors import AccountError, LakeError, ModelOffError
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.raw import Spool
from join_pipeline.lake.sql import files_literal
from join_pipeline.models import MODELS
from join_pipeline.sources.base import Session, Source
from join_pipeline.sources.feed import Feed, guarded
from join_pipeline.sync.known import NOT_ERASED
from join_pipeline.sync.workspace import Workspace

COMPARED: Final = 500
"""How many records of a feed are compared. More would show the same, and their payloads are large."""
ASKED: Final = 5
"""How many known records of a feed are asked for if the account has shown none."""
CREATED: Final = "remote_created_at"

Ask = Callable[[Feed, str], bytes | None]
"""A function that returns a record's payload by the source's own id, or None if the account does not have it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A record that the account must show if it is the right one."""

    feed: Feed
    key: str
    created_at: datetime | None


@dataclass(slots=True)
class Evidence:
    """How many records of an account were created when the lake says, at another time, or are not there.

    `n_undated`: records that are there, and nobody knows when they were created.
    """

    n_same: int = 0
    n_undated: int = 0
    n_other: int = 0
    n_absent: int = 0

    @property
    def is_any(self) -> bool:
        """Whether the account has shown a record that the lake knows."""
        return self.n_same + self.n_undated + self.n_other > 0

    @property
    def contradicts(self) -> bool:
        """Whether the account is another one.

        The same id and the same instant are no coincidence. So one such record proves the account, however many others
        are odd or gone.
        """
        return not self.n_same and (self.n_other > self.n_undated or (self.n_absent > 0 and not self.n_undated))


def shown_evidence(con: duckdb.DuckDBPyConnection, spool: Spool, feeds: Iterable[Feed], now: datetime) -> Evidence:
    """Compare what a sync has read with what is known. It needs the workspace's views `versions_<model>`.

    A record that is known as deleted is no evidence for the account, and an instant that is not past is none against
    it. It needs no payload of a record that is not known.
    """
    evidence = Evidence()
    for feed in _compared(feeds):
        spool.flush(feed.name)
        if not (parts := spool.parts(feed.name)):
            continue
        rows = con.execute(
            f"""WITH came AS (FROM read_parquet({files_literal(parts)}) WHERE status = 200 AND payload IS NOT NULL),
            known AS ({_known(feed)}),
            compared AS (
                SELECT DISTINCT key FROM known WHERE key IN (SELECT record_id FROM came)
                ORDER BY hash(key), key LIMIT {COMPARED}
            ),
            shown AS (
                SELECT record_id AS key, {_created(feed)} AS created_at FROM came
                WHERE record_id IN (FROM compared)
            )
            SELECT any_value(is_live), bool_or(shown.created_at = known.created_at), bool_and(
                shown.created_at <> known.created_at AND shown.created_at <= $now
            )
            FROM known JOIN shown USING (key) GROUP BY key""",
            {"now": now},
        ).fetchall()
        for is_live, is_same, is_other in rows:
            if is_other and not is_same:
                evidence.n_other += 1
            elif is_live:
                evidence.n_same += bool(is_same)
                evidence.n_undated += not is_same
    return evidence


def known_records(con: duckdb.DuckDBPyConnection, feeds: Iterable[Feed]) -> list[Known]:
    """Some live records of each feed, the newest first: those that the account most probably still has."""
    return [
        Known(feed, key, created_at)
        for feed in _compared(feeds)
        for key, created_at in con.execute(
            f"""SELECT key, created_at FROM ({_known(feed)}) WHERE is_live
            ORDER BY created_at DESC NULLS LAST, key LIMIT {ASKED}"""
        ).fetchall()
    ]


def known_of(lake: Lake, feeds: Iterable[Feed]) -> list[Known]:
    """The same of a lake that no sync has open."""
    newest = lake.newest()
    if newest is None:
        return []
    with contextlib.closing(duckdb.connect()) as con:
        con.execute("SET TimeZone = 'UTC'")
        try:
            Workspace(con, lake.path, newest.files, newest.started_at).open()
            return known_records(con, feeds)
        except duckdb.Error:
            raise LakeError(f"A file of {lake.path} can't be read. Restore the lake from its backup.") from None


def spooled_records(con: duckdb.DuckDBPyConnection, spool: Spool, feeds: Iterable[Feed]) -> list[Known]:
    """Some records of each feed that an interrupted sync has read."""
    return [
        Known(feed, key, created_at)
        for feed in _compared(feeds)
        if (parts := spool.parts(feed.name))
        for key, created_at in con.execute(
            f"""SELECT record_id, {_created(feed)} FROM read_parquet({files_literal(parts)})
            WHERE status = 200 AND payload IS NOT NULL AND record_id IS NOT NULL
            ORDER BY fetched_at DESC, record_id LIMIT {ASKED}"""
        ).fetchall()
    ]


def asked_evidence(ask: Ask, known: Iterable[Known], now: datetime) -> Evidence:
    """Ask the account for these records, until it shows one. A model that is switched off tells nothing."""
    evidence = Evidence()
    for one in known:
        try:
            payload = ask(one.feed, one.key)
        except ModelOffError:
            continue
        if payload is None:
            evidence.n_absent += 1
        else:
            created_at = _created_at(one.feed, payload)
            if created_at is None or one.created_at is None or created_at > now:
                evidence.n_undated += 1
            elif created_at != one.created_at:
                evidence.n_other += 1
            else:
                return Evidence(n_same=1)
    return evidence


def check_account(
    con: duckdb.DuckDBPyConnection, spool: Spool, source: Source, session: Session, accept_loss: Collection[str]
) -> None:
    """Raise `AccountError` if the account that a sync has read is not the lake's.

    A sync that shows no known record proves nothing: perhaps nothing has changed since the last one. Then the account
    is asked for some of the known records. An account that has nothing at all is believed if the user accepts the loss
    of everything.
    """
    now = session.client.clock.latest()
    evidence = shown_evidence(con, spool, source.feeds, now)
    if not evidence.is_any:
        if set(accept_loss) >= set(guarded(source.feeds)) and not spooled_records(con, spool, source.feeds):
            return
        evidence = asked_evidence(session.record, known_records(con, source.feeds), now)
    if evidence.contradicts:
        raise AccountError(f"{differs(evidence)} Nothing was written. {cure(source)}")


def has_read(spool: Spool, source: Source, session: Session) -> bool:
    """Whether an interrupted sync can have read this spool from this account."""
    if spool.state.reader == session.client.mark(spool.state.salt):
        return True
    read = spooled_records(spool.con, spool, source.feeds)
    return not asked_evidence(session.record, read, session.client.clock.latest()).contradicts


def differs(evidence: Evidence) -> str:
    """The sentence that says how the account differs from the lake's."""
    what = (
        "it has other records under the ids that the lake knows: they were created at other times"
        if evidence.n_other
        else "it shows none of the records that the lake knows"
    )
    return f"This is not the account that the lake was filled from: {what}."


def cure(source: Source) -> str:
    """The sentences that say how to go on."""
    losses = "".join(f" --accept-loss {name}" for name in guarded(source.feeds))
    return (
        f"Check {source.connection.variables} and the API's address. For another company, set "
        "JOIN_PIPELINE_CONNECTION to begin another lake. If this account is to take the place of the lake's, accept "
        "it: `join-pipeline sync --mode full --accept-account`, or launch the job sync_full with `accept_account: "
        f"true`. If also everything that it lacks is gone, add{losses}."
    )


def _compared(feeds: Iterable[Feed]) -> list[Feed]:
    """The feeds that have records of their own: jobs first, because they are few and stay longest."""
    return sorted((feed for feed in feeds if not feed.is_reference), key=lambda feed: feed.name != "jobs")


def _known(feed: Feed) -> str:
    """SQL of all records that the lake has ever known.

    When one was created is unknown if that was not past when it was first seen, as the mapping may have bounded it.
    """
    created = f"max_by({CREATED}, sync_id)" if _has_created(feed) else "NULL::TIMESTAMPTZ"
    return f"""SELECT key, is_live, if(created_at < first_seen_at, created_at, NULL) AS created_at
        FROM (
            SELECT {feed.key} AS key, max_by(remote_deleted_at IS NULL, sync_id) AS is_live,
                {created} AS created_at, min(observed_at) AS first_seen_at
            FROM versions_{feed.name} WHERE {feed.key} IS NOT NULL AND {NOT_ERASED} GROUP BY {feed.key}
        )"""


def _created(feed: Feed) -> str:
    """SQL of when the source says that the record of a payload was created."""
    if feed.created is None or not _has_created(feed):
        return "NULL::TIMESTAMPTZ"
    return f"try_cast(try(payload->>'$.{feed.created}') AS TIMESTAMPTZ)"


def _has_created(feed: Feed) -> bool:
    return any(column.name == CREATED for column in MODELS[feed.name].plain)


def _created_at(feed: Feed, payload: bytes) -> datetime | None:
    """When the source says that a record was created; None if it can't be read."""
    try:
        created_at = msgspec.convert(msgspec.json.decode(payload)[feed.created], datetime)
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return created_at if created_at.tzinfo is not None else None
