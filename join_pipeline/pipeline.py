"""The pipeline's steps in order: sync, load, models, publish, report.

An orchestrator calls each step by itself; `build` runs all steps after the sync, `run` the sync, too.
Belongs here: the order, each step's lock and checks, rebuilding, and the rule that failed tests stop publishing.
Not here: what a step does (sync, warehouse).
"""

import contextlib
import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

import duckdb
import msgspec

from join_pipeline.bucket.writing import writing
from join_pipeline.checks.finding import Finding
from join_pipeline.checks.load import check_references
from join_pipeline.checks.sync import check_sync
from join_pipeline.connections.trigger import answering
from join_pipeline.errors import BuildError
from join_pipeline.lake.files import locked, who_locks
from join_pipeline.lake.lake import IDENTITY, Lake, open_lake
from join_pipeline.lake.upgrade import upgrade
from join_pipeline.people import erase
from join_pipeline.people.commands import resume, resume_first
from join_pipeline.people.keeping import erase_due_before_load
from join_pipeline.report.write import Report, can_draw, write_report
from join_pipeline.results import Built, Loaded, Modelled, Synced
from join_pipeline.settings import Settings
from join_pipeline.sources.base import Source
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.registry import open_source, source_of
from join_pipeline.sync.extract import Progress, no_progress
from join_pipeline.sync.origin import carried
from join_pipeline.sync.plan import AskedMode
from join_pipeline.sync.replay import replay
from join_pipeline.sync.run import run_sync
from join_pipeline.transform.figures import copy_tables
from join_pipeline.transform.findings import ADVICE
from join_pipeline.transform.maps import copy_maps
from join_pipeline.transform.run import Node, build_marts, forget_compiled, last_build, read_manifest
from join_pipeline.warehouse import needed
from join_pipeline.warehouse.file import Connect, forget_warehouse, new_warehouse
from join_pipeline.warehouse.growth import CannotGrow, last_loaded
from join_pipeline.warehouse.load import load_versions
from join_pipeline.warehouse.outcome import outcome
from join_pipeline.warehouse.pseudonyms import pseudonym_key
from join_pipeline.warehouse.publish import Published, publish, withdraw_people

Step = Callable[[str, int, int | None], None]
"""A function that is called with what a build does now, how many parts of that are done, and how many there are."""


def no_step(_step: str, _done: int, _of: int | None) -> None:
    """The `Step` of callers that show none."""


def sync(
    settings: Settings,
    mode: AskedMode,
    accept_loss: Collection[str],
    progress: Progress = no_progress,
    *,
    accept_account: bool = False,
    accept_source: bool = False,
    expect: Progress = no_progress,
) -> Synced:
    """Run one sync from the first request to the commit, then check it."""
    resume_first(settings, feeds_of)
    source = open_source(settings)
    record = run_sync(
        source,
        settings,
        mode,
        accept_loss=accept_loss,
        accept_account=accept_account,
        accept_source=accept_source,
        progress=progress,
        expect=expect,
        # entered once it holds the lock: a sync that gets no lock reads nothing, so its trigger must stay
        hold=writing(settings, answering(settings.home)),
    )
    lake = open_lake(settings.lake)
    return Synced(record, check_sync(source, lake, record, lake.record(record.previous)))


def run(
    settings: Settings,
    mode: AskedMode,
    progress: Progress = no_progress,
    on_synced: Callable[[Synced], None] = lambda _synced: None,
    *,
    expect: Progress = no_progress,
    force: bool = False,
    on_step: Step = no_step,
) -> Built:
    """Run one sync, then every step after it unless nothing has changed. A guarded sync is built, too.

    `on_synced` is called with the sync's result as soon as it is committed.
    """
    on_synced(sync(settings, mode, (), progress, expect=expect))
    return build_if_needed(settings, force=force, on_step=on_step)


def build(settings: Settings, *, on_step: Step = no_step) -> Built:
    """Run every step after the sync: load, models, publish and report."""
    with writing(settings):
        return _build(settings, on_step)


def build_if_needed(settings: Settings, *, force: bool = False, on_step: Step = no_step) -> Built:
    """Build, unless another build would publish the same: see `join_pipeline/warehouse/needed.py`."""
    with writing(settings):
        made_of = None if force or resume_erasure(settings) else _fingerprint(settings)
        last = None if made_of is None else needed.noted(settings, made_of)
        if last is not None:
            with contextlib.suppress(msgspec.ValidationError):  # of other code of the same version, or of single steps
                return replace(_decoded(last), is_unchanged=True)
        return _build(settings, on_step)


def rebuild(settings: Settings, *, from_raw: bool = False, on_step: Step = no_step) -> Built:
    """Delete the warehouse, then build. Readers keep the published file until the new one replaces it.

    With `from_raw`, a replay first makes the versions of all kept raw payloads again. A changed mapping needs that.
    """
    with writing(settings):
        resume_erasure(settings)
        lake = open_lake(settings.lake, settings.integration_id)  # before anything is deleted
        replayed = None
        if from_raw:
            replayed = replay(source_of(lake.reads, settings), lake, settings, partial(source_of, settings=settings))
        forget_warehouse(settings)
        shutil.rmtree(settings.builds, ignore_errors=True)
        forget_compiled(settings)
        return replace(_build(settings, on_step), replayed=replayed)


def load(settings: Settings, connect: Connect | None = None, *, from_nothing: bool = False) -> Loaded:
    """Load the newest sync into a new warehouse. `connect`, if given, opens its connection."""
    with writing(settings):
        needed.forget(settings)
        loaded = _load(settings, connect, from_nothing=from_nothing)
        needed.follow(settings, _fingerprint(settings), "loaded")
        return loaded


def model(settings: Settings) -> Modelled:
    """Run dbt on the loaded warehouse. A failed test is a node of the result and raises no error."""
    with locked(settings.home):
        nodes = _marts(settings, no_step)
        made = {node.unique_id for node in nodes if node.status == "success"}
        relations = {
            unique_id: f"{node['schema']}.{node['alias']}"
            for unique_id, node in read_manifest(settings)["nodes"].items()
            if unique_id in made
        }
        with contextlib.closing(duckdb.connect(settings.warehouse, read_only=True)) as con:
            return Modelled(nodes, _count(con, relations))


def pictures(settings: Settings) -> dict[str, bytes]:
    """Draw small charts of the last dbt run. Returns the PNG of each mart by its name."""
    if not can_draw():
        return {}
    from join_pipeline.report.pictures import draw  # noqa: PLC0415  a second of imports that only this needs

    with locked(settings.home), contextlib.closing(duckdb.connect(settings.warehouse, read_only=True)) as con:
        return draw(con)


def publish_modelled(settings: Settings) -> Published:
    """Publish the last dbt run. Raises `BuildError` if the run did not finish or one of its tests failed."""
    with writing(settings):
        refuse_failed(last_build(settings))
        published = publish(settings)
        erase.finish(settings)
        needed.follow(settings, _fingerprint(settings), "published", is_last=not can_draw())
        return published


def report(settings: Settings) -> Report:
    """Write the report from the published file. Needs the extra `report`."""
    with writing(settings):
        written = _report(settings)
        needed.follow(settings, _fingerprint(settings), "reported", is_last=True)
        return written


def is_unchanged(settings: Settings, say: Callable[[str], object]) -> bool:
    """Whether a build would publish the same as the last one did. Then it is said."""
    with writing(settings):
        made_of = None if resume_erasure(settings) else _fingerprint(settings)
    if made_of is None or needed.noted(settings, made_of) is None:
        return False
    say("Nothing has changed since the last build, and no day has turned: nothing is built.")
    return True


def loaded_findings(settings: Settings) -> list[Finding]:
    """The checks of the warehouse as it was loaded last."""
    with locked(settings.home), contextlib.closing(duckdb.connect(settings.warehouse, read_only=True)) as con:
        return check_references(con)


def feeds_of(settings: Settings, lake: Lake) -> tuple[Feed, ...]:
    """The feeds of the sources that a lake was filled from, by its ids."""
    sources = (carried(source_of(name, settings), lake) for name in dict.fromkeys((lake.reads, lake.source)))
    return tuple(feed for source in sources for feed in source.feeds)


def resume_erasure(settings: Settings) -> bool:
    """Carry out an erasure of a person that was cut off. Returns whether there was one. The caller holds the lock."""
    return resume(settings, feeds_of)


def forget_people(settings: Settings) -> None:
    """Withdraw the published names and contacts if the setting is off, even if the build then fails."""
    if not settings.publish_people:
        withdraw_people(settings)


def refuse_failed(nodes: list[Node]) -> None:
    """Raise a `BuildError` that names every failed test, so that nothing is published."""
    failed = [node for node in nodes if node.is_failed]
    if failed:
        listed = "; ".join(f"{node.unique_id} ({node.failures or 0} rows): {node.message}" for node in failed)
        raise BuildError(
            f"{len(failed)} dbt tests failed, so nothing was published; readers keep the old file. {listed}. {ADVICE}"
        )


def busy(settings: Settings) -> str | None:
    """A sentence that says who holds the connection's lock, or None while it is free."""
    return who_locks(settings.home)


def _build(settings: Settings, on_step: Step) -> Built:
    resume_erasure(settings)
    needed.forget(settings)
    before = outcome(settings)
    on_step("loading the lake", 0, None)
    loaded = _load(settings)
    nodes = _marts(settings, on_step)
    refuse_failed(nodes)
    on_step("publishing", 0, None)
    published = publish(settings)
    on_step("writing the report", 0, None)
    written = _report(settings) if can_draw() else None
    if written is None:  # an old one would show other figures than the file beside it
        settings.report.unlink(missing_ok=True)
    built = Built(loaded.tables, nodes, published, written, before, outcome(settings))
    erase.finish(settings)
    made_of = _fingerprint(settings)  # the load may have upgraded the lake
    if made_of is not None:
        needed.note(settings, made_of, msgspec.json.encode(built, enc_hook=str))
    return built


def _decoded(result: bytes) -> Built:
    """The result of a build from its JSON, in which a path is a text."""
    return msgspec.json.decode(result, type=Built, dec_hook=lambda kind, value: kind(value))


def _fingerprint(settings: Settings) -> needed.MadeOf | None:
    """What a build would be made of now; None without a sync."""
    if not (settings.lake / IDENTITY).exists():
        return None
    record = open_lake(settings.lake, settings.integration_id).newest()
    return None if record is None else needed.fingerprint(settings, record, pseudonym_key(settings))


def _load(settings: Settings, connect: Connect | None = None, *, from_nothing: bool = False) -> Loaded:
    resume_erasure(settings)
    erase_due_before_load(settings, feeds_of)
    forget_people(settings)
    copy_maps(settings)  # first, so that a faulty file is reported before anything changes
    copy_tables(settings)
    lake = open_lake(settings.lake, settings.integration_id)
    upgrade(lake, settings.builds, settings.memory_limit)
    if from_nothing:
        forget_warehouse(settings)
    key = pseudonym_key(settings)
    since = last_loaded(settings.warehouse, lake, key)
    if since is not None:
        with contextlib.suppress(CannotGrow):
            return _loaded(settings, lake, key, connect, since)
    return _loaded(settings, lake, key, connect, None)


def _loaded(settings: Settings, lake: Lake, key: bytes, connect: Connect | None, since: str | None) -> Loaded:
    with new_warehouse(settings, connect, is_copy=since is not None) as con:
        # a lake that goes on with another source still has the words of the one before
        sources = [source_of(name, settings) for name in dict.fromkeys((lake.reads, lake.source))]
        states = next((source.application_states for source in sources if source.application_states), ())
        tables = load_versions(lake, con, key, settings.warehouse, states, since)
        names = con.execute(
            """SELECT schema_name || '.' || table_name FROM duckdb_tables()
            WHERE schema_name IN ('ats', 'ats_history') ORDER BY ALL"""
        ).fetchall()
        return Loaded(tables, _count(con, {name: name for (name,) in names}), check_references(con))


def _marts(settings: Settings, on_step: Step) -> list[Node]:
    on_step("building the marts", 0, None)
    return build_marts(settings, on_node=lambda done, of: on_step("building and testing the marts", done, of))


def _report(settings: Settings) -> Report:
    return write_report(_source_of_lake(settings), settings)


def _source_of_lake(settings: Settings) -> Source:
    """The source that the lake names; without a lake, the one that is set, as the published file needs no lake."""
    has_lake = (settings.lake / IDENTITY).exists()
    return source_of(open_lake(settings.lake).reads if has_lake else settings.source, settings)


def _count(con: duckdb.DuckDBPyConnection, relations: dict[str, str]) -> dict[str, int]:
    return {
        name: con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0] for name, relation in relations.items()
    }
