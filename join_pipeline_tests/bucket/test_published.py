"""What builds publish is in the bucket as on the worker's disk, and what is withdrawn goes from there."""

from pathlib import Path

import duckdb
import pytest

from join_pipeline.bucket import store, writing
from join_pipeline.bucket.published import withdraw
from join_pipeline.bucket.store import UnsureError
from join_pipeline.bucket.tables import bring_tables
from join_pipeline.errors import LakeError
from join_pipeline.settings import Settings
from join_pipeline.warehouse.parquet import note_path, parquet_file, withdraw_parquet
from join_pipeline_tests.bucket.places import Place
from join_pipeline_tests.bucket.test_server import machine
from join_pipeline_tests.cli.commands import Shell, is_good

TABLES = "published/parquet"


def publish(settings: Settings, **contents: str) -> None:
    """What stands in for a build: it writes the files that a build publishes."""
    with writing.writing(settings):
        for name, content in contents.items():
            path = {
                "file": settings.published,
                "report": settings.report,
                "people": settings.people,
                "note": note_path(settings.parquet, settings.connection),
            }.get(name, parquet_file(settings.parquet, name, settings.connection))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(".aside").write_text(content)
            path.with_name(".aside").replace(path)
        (settings.parquet / "fct").mkdir(parents=True, exist_ok=True)


def published(place: Place) -> dict[str, str]:
    return {name: content.decode() for name, content in place.objects().items() if name.startswith("published/")}


def test_what_is_published_replaces_what_was_and_names_stay_on_the_worker(memory: Place, tmp_path: Path) -> None:
    a, b = (memory.settings("http://127.0.0.1:9", tmp_path / name / "data") for name in "ab")
    publish(a, file="f1", report="r1", people="names", fct="t1", note="n1")
    first = {
        "published/join/recruiting.duckdb": "f1",
        "published/join/report.html": "r1",
        f"{TABLES}/fct/connection=join/fct.parquet": "t1",
        f"{TABLES}/_builds/connection=join/build.json": "n1",
    }
    assert published(memory) == first
    publish(b)
    assert published(memory) == first, "a machine that has built nothing changes nothing"
    publish(b, file="f2", fct="t2", note="n2", dim="d2")
    assert published(memory) == first | {
        "published/join/recruiting.duckdb": "f2",
        f"{TABLES}/fct/connection=join/fct.parquet": "t2",
        f"{TABLES}/dim/connection=join/dim.parquet": "d2",
        f"{TABLES}/_builds/connection=join/build.json": "n2",
    }
    with writing.writing(b):
        withdraw_parquet(b.parquet, "join")
    assert published(memory) == {
        "published/join/recruiting.duckdb": "f2",
        "published/join/report.html": "r1",
    }


def test_build_json_is_away_while_tables_are_replaced(
    memory: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = memory.settings("http://127.0.0.1:9", tmp_path / "data")
    publish(a, fct="t1", dim="d1", note="n1")
    real, note = store.Bucket.send, f"{TABLES}/_builds/connection=join/build.json"
    seen = []

    def send(bucket: store.Bucket, name: str, content: object) -> None:
        seen.append(note in published(memory))
        if len(seen) == 2:
            raise UnsureError("The bucket did not answer.")
        real(bucket, name, content)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(store.Bucket, "send", send)
        with pytest.raises(LakeError, match="not all that the build published"):
            publish(a, fct="t2", dim="d2", note="n2")
    assert seen == [False, False]
    assert note not in published(memory)
    publish(a)
    assert set(published(memory).values()) == {"t2", "d2", "n2"}


def test_a_table_that_is_published_no_more_goes_whichever_machine_had_put_it(memory: Place, tmp_path: Path) -> None:
    a, b = (memory.settings("http://127.0.0.1:9", tmp_path / name / "data") for name in "ab")
    publish(a, fct="t1", old="o1", note='{"tables": {"fct": {}, "old": {}}}')
    publish(b, fct="t2", note='{"tables": {"fct": {}}}')
    assert set(published(memory)) == {
        f"{TABLES}/fct/connection=join/fct.parquet",
        f"{TABLES}/_builds/connection=join/build.json",
    }
    withdraw(b)
    assert published(memory) == {}


def test_the_tables_of_all_companies_are_brought_and_put_by_nobody_twice(
    memory: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (tmp_path / name / "data" for name in "ab")
    noted = '{"tables": {"fct": {}, "dim": {}}}'
    for connection in ("acme", "globex"):
        settings = memory.settings("http://127.0.0.1:9", a, connection=connection)
        publish(settings, fct=f"{connection} 1", dim="d1", note=noted)
    assert (bring_tables(b, [memory.url]), bring_tables(b, [memory.url])) == (2, 0)
    assert parquet_files(b) == parquet_files(a)
    publish(memory.settings("http://127.0.0.1:9", a, connection="acme"), fct="acme 2", note=noted + " ")
    assert bring_tables(b, [memory.url]) == 1
    assert parquet_files(b) == parquet_files(a)
    with monkeypatch.context() as patched:
        patched.setattr(store.Bucket, "send", lambda *_: pytest.fail("what was brought is put"))
        publish(memory.settings("http://127.0.0.1:9", b, connection="globex"))
    with monkeypatch.context() as patched:
        patched.setattr(store.Bucket, "send", lambda *_: (_ for _ in ()).throw(UnsureError("no answer")))
        with pytest.raises(LakeError):
            publish(memory.settings("http://127.0.0.1:9", b, connection="acme"), fct="acme 3", note=noted + "  ")
    here = parquet_files(b)
    assert bring_tables(b, [memory.url]) == 0, "this machine's own build is newer"
    assert parquet_files(b) == here
    memory.bucket.put(f"{TABLES}/_builds/connection=..%2F/build.json", noted.encode())
    memory.bucket.put(f"{TABLES}/_builds/connection=evil/build.json", b'{"tables": {"../../x": {}}}')
    bring_tables(b, [memory.url])
    assert [path.name for path in tmp_path.rglob("*x*") if path.is_file()] == []


def parquet_files(data: Path) -> dict[str, str]:
    return {
        path.relative_to(data).as_posix(): path.read_text() for path in (data / TABLES).rglob("*") if path.is_file()
    }


def test_a_connection_that_is_removed_leaves_no_table_in_the_bucket(memory: Place, tmp_path: Path) -> None:
    shell = machine(memory, tmp_path / "data", JOIN_PIPELINE_CONNECTIONS_TOML=str(tmp_path / "connections.toml"))
    is_good(shell("connections", "add", "acme", "--set", f"lake_url={memory.url}"))
    for connection in ("acme", "globex"):
        publish(
            memory.settings("http://127.0.0.1:9", tmp_path / "data", connection=connection),
            fct="t1",
            note='{"tables": {"fct": {}}}',
        )
    is_good(shell("connections", "remove", "acme"))
    assert set(published(memory)) == {
        f"{TABLES}/fct/connection=globex/fct.parquet",
        f"{TABLES}/_builds/connection=globex/build.json",
    }


@pytest.mark.slow  # the same files, made by hand, above
def test_a_run_publishes_to_the_bucket_and_any_machine_builds_the_same(memory: Place, tmp_path: Path) -> None:
    a, b = (machine(memory, tmp_path / name, JOIN_PIPELINE_PUBLISH_PARQUET="true") for name in "ab")
    is_good(a("sync"))
    is_good(a("run"))
    assert_as_here(memory, a)
    is_good(b("rebuild", "--from", "raw"))
    assert rows(b) == rows(a)
    assert_as_here(memory, b)
    with writing.writing(b.settings):
        withdraw_parquet(b.settings.parquet, "join")
    assert memory.bucket.names(TABLES) == []


def assert_as_here(place: Place, shell: Shell) -> None:
    settings = shell.settings
    here = {f"published/join/{path.name}": path.read_bytes() for path in (settings.published, settings.report)}
    for path in settings.parquet.rglob("*"):
        if path.is_file():
            here[f"{TABLES}/{path.relative_to(settings.parquet).as_posix()}"] = path.read_bytes()
    assert {name: content for name, content in place.objects().items() if name.startswith("published/")} == here


def rows(shell: Shell) -> dict[str, int]:

    with duckdb.connect(str(shell.settings.published), read_only=True) as con:
        names = [name for (name,) in con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()]
        names += [name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {name: con.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for name in sorted(names)}
