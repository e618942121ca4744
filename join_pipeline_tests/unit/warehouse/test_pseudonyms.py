"""The pseudonym key: it is made at first use, only its owner can read it, and it is never guessed."""

import multiprocessing
from pathlib import Path

import pytest

from join_pipeline.errors import LakeError, SettingsError
from join_pipeline.settings import load_settings
from join_pipeline.warehouse.pseudonyms import creation_key, key_from_file, pseudonym_key, rotate


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "config" / "join-pipeline" / "pseudonym.key"
    key = key_from_file(path)
    assert len(key) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert key_from_file(path) == key
    assert key_from_file(tmp_path / "another.key") != key


def test_processes_that_need_the_first_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    paths = [tmp_path / str(n) / "pseudonym.key" for n in range(20)]
    with multiprocessing.get_context("fork").Pool(8) as pool:
        keys = [pool.map(key_from_file, [path] * 8, chunksize=1) for path in paths]
        # they end by themselves: Dagster turns SIGTERM into SIGINT for a process, and so for those it forks
        pool.close()
        pool.join()
    assert [len(set(found)) for found in keys] == [1] * 20
    assert len({found[0] for found in keys}) == 20
    assert [path.name for folder in tmp_path.iterdir() for path in folder.iterdir()] == ["pseudonym.key"] * 20


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    key_from_file(path)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        key_from_file(path)


def test_a_key_file_without_a_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text("short\n")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="16 characters"):
        key_from_file(path)


def test_a_key_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.mkdir(mode=0o700)
    with pytest.raises(LakeError, match="can't be read"):
        key_from_file(path)


def test_a_rotated_key_is_new_and_the_journal_of_creations_keeps_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("JOIN_PIPELINE_PSEUDONYM_KEY", raising=False)
    settings = load_settings()
    first = pseudonym_key(settings)
    assert creation_key(settings) == first
    rotate(settings)
    second = pseudonym_key(settings)
    rotate(settings)
    assert len({first, second, pseudonym_key(settings)}) == 3
    assert creation_key(settings) == first
    paths = (settings.creation_key_file, settings.pseudonym_key_file)
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}


def test_a_key_of_the_environment_is_left_to_whoever_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    settings = load_settings(pseudonym_key="a key for tests only")
    with pytest.raises(SettingsError, match="only you can change it"):
        rotate(settings)
    assert not settings.creation_key_file.exists()
