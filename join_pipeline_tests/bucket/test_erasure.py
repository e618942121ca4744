"""Who is erased leaves every byte of the bucket, too; and what is encrypted there tells nobody a name.

Belongs here: people, encryption and what is published, in a bucket. Not here: how an erasure works (privacy).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from join_pipeline import pipeline
from join_pipeline.bucket import writing
from join_pipeline.checks.lake import LakeCheck
from join_pipeline.errors import DamagedError, SettingsError
from join_pipeline.lake.lake import open_lake
from join_pipeline.people import commands, erase
from join_pipeline.settings import Settings
from join_pipeline_tests.bucket.places import Place, mirrored
from join_pipeline_tests.privacy.canaries import CANARY, Join, found_in
from join_pipeline_tests.privacy.people import company, is_found, receipts, somebody, versions

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def api() -> Iterator[Join]:
    with company() as api:
        yield api


def found(place: Place, pattern: str) -> set[str]:
    """The objects in which a pattern is found, in their bytes or in their values."""
    sought = re.compile(pattern)
    return {name for name, text in place.texts() if sought.search(text)}


@pytest.mark.parametrize("where", ["memory", pytest.param("served", marks=pytest.mark.slow)])
def test_an_erased_person_is_in_no_byte_of_the_bucket_and_of_either_machine(
    api: Join, where: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place: Place = request.getfixturevalue(where)
    a, b = (place.settings(api.url, tmp_path / name / "data") for name in "ab")
    pipeline.sync(a, "full", ())
    pipeline.sync(a, "full", ())
    pipeline.load(b)
    pipeline.load(a)
    spool = a.builds / "spool" / "applications" / "00000-0.parquet"
    person = somebody(a)
    spool.parent.mkdir(parents=True)
    spool.write_text(person.address)
    assert len(found(place, person.pattern)) > 3
    erase_them(b, person.address, f"candidate:{person.candidate}")
    assert found(place, person.pattern) == set()
    assert found_in(b.data, person.pattern) == {}
    assert place.data() == place.reachable()
    assert is_found(a, person.address) == []
    assert found_in(a.data, person.pattern) == {}
    assert receipts(a) == receipts(b)
    assert [line["kind"] for line in _reads(a)] == [line["kind"] for line in _reads(b)] + ["person verify"]
    pipeline.sync(a, "full", ())
    assert found(place, person.pattern) == set(), "the list of erased people is on every machine"
    with writing.writing(a):
        assert {one.verdict for one in LakeCheck(open_lake(a.lake), a.builds, a.memory_limit).findings()} == {"ok"}
    assert commands.undo(b, [str(receipts(b)[0]["number"])]) == 1
    pipeline.sync(a, "full", ())
    assert found(place, person.pattern)


def _reads(settings: Settings) -> list[dict[str, str]]:
    return [json.loads(line) for line in (settings.home / "reads.jsonl").read_text().splitlines()]


def test_an_erasure_that_is_cut_off_is_carried_out_on_another_machine(
    api: Join, memory: Place, hasty: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (memory.settings(api.url, tmp_path / name / "data") for name in "ab")
    pipeline.sync(a, "full", ())
    person = somebody(a)
    with monkeypatch.context() as patched:
        patched.setattr(erase, "carry_out", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase_them(a, person.address)
    pipeline.sync(b, "full", ())
    build(b)
    assert found(memory, person.pattern) == set()
    assert receipts(b)[-1]["what"] == "erase"


def build(settings: Settings) -> None:
    """What stands in for a build, which dbt makes slow."""
    pipeline.load(settings)
    with writing.writing(settings):
        erase.finish(settings)


def erase_them(settings: Settings, *given: str) -> None:
    assert commands.erase_person(settings, given, pipeline.feeds_of, build)


def test_an_encrypted_bucket_tells_no_content(api: Join, memory: Place, tmp_path: Path) -> None:
    a, b = (memory.settings(api.url, tmp_path / name / "data", lake_key=KEY) for name in "ab")
    pipeline.sync(a, "full", ())
    pipeline.sync(b, "full", ())
    assert found_in(a.lake, CANARY)
    assert found(memory, CANARY) == set()
    assert all(content.startswith(b"JPL1") for name, content in memory.objects().items() if "/data/" in name)
    whole, objects = mirrored(b), memory.objects()
    for changes, words in (({}, "is not set"), ({"lake_key": "f" * 32}, "is not the key")):
        for name in ("b", "c"):
            other = memory.settings(api.url, tmp_path / name / "data", **changes)
            with pytest.raises(SettingsError, match=words) as refused:
                pipeline.sync(other, "full", ())
            assert "f" * 32 not in str(refused.value)
    kept = {name: content for name, content in memory.objects().items() if not name.endswith(("lease.json", "clock"))}
    assert (mirrored(b), kept) == (whole, {name: objects[name] for name in kept})
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    with_file = memory.settings(api.url, tmp_path / "c" / "data", lake_key_file=file)
    pipeline.load(with_file)
    assert versions(open_lake(with_file.lake), "candidates") == versions(open_lake(b.lake), "candidates")
    file.write_text("")
    with pytest.raises(SettingsError, match="holds no key"):
        pipeline.load(with_file)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="can be read by others"):
        pipeline.load(with_file)


def test_encryption_that_is_switched_on_later_covers_all_files(api: Join, memory: Place, tmp_path: Path) -> None:
    a, b = (memory.settings(api.url, tmp_path / name / "data") for name in "ab")
    pipeline.sync(a, "full", ())
    assert found(memory, CANARY)
    pipeline.load(memory.settings(api.url, b.data, lake_key=KEY))
    assert found(memory, CANARY) == set()
    assert all(entry.is_encrypted for entry in memory.newest().files.values())
    with pytest.raises(SettingsError, match="is not set"):
        pipeline.sync(a, "full", ())


def test_an_encrypted_object_that_was_changed_is_refused(api: Join, memory: Place, tmp_path: Path) -> None:
    a, b = (memory.settings(api.url, tmp_path / name / "data", lake_key=KEY) for name in "ab")
    pipeline.sync(a, "full", ())
    ((name, content),) = [
        (f"join/{entry.object}", memory.objects()[f"join/{entry.object}"])
        for inside, entry in memory.newest().files.items()
        if inside == "lake/connection.json"
    ]
    memory.bucket.put(name, content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DamagedError, match="changed since it was put"):
        pipeline.load(b)
