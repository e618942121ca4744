"""Needed: whether a build would publish anything else than what is published.

A build is a function of the lake's versions, the day of the last sync, the settings, the user's files and the code. If
none of them differs from the last build, and its files are as it left them, there is no need for another.
Belongs here: the fingerprint of those, and the note of the last build. Not here: building (pipeline).
"""

import contextlib
import hashlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

import join_pipeline
from join_pipeline.bucket.options import BucketSettings
from join_pipeline.csv_files import file_content
from join_pipeline.errors import SettingsError
from join_pipeline.lake.files import write_whole
from join_pipeline.lake.record import SyncRecord
from join_pipeline.notices.options import OWN_SETTINGS
from join_pipeline.settings import Settings, setting_text, values
from join_pipeline.transform.run import project_dir
from join_pipeline.warehouse.parquet import note_path

WITHOUT_EFFECT: Final = {
    *OWN_SETTINGS,
    *BucketSettings.model_fields,
    *("memory_limit", "pages_in_flight", "timeout_seconds", "max_wait_seconds"),
}
"""Settings that change how long something takes or who is told of it, and never what is published."""
Step = Literal["loaded", "published", "reported"]
BEFORE: Final[dict[Step, Step]] = {"published": "loaded", "reported": "published"}
"""The step before each, of those that are noted."""
NOT_CODE: Final = frozenset({"__pycache__", "target", "logs", "dbt_packages"})


class MadeOf(msgspec.Struct, frozen=True):
    """What a build is made of: a digest, and the words and parts that its sync did not know.

    A full sync counts these in all payloads, one that reads what changed in a few. So only new ones need a build.
    """

    digest: str
    words: frozenset[str] = frozenset()


class Note(msgspec.Struct, kw_only=True):
    """The last build: what it was made of, the state of its files, and its result as JSON."""

    made_of: MadeOf
    files: dict[str, list[int]]
    result: msgspec.Raw


class Followed(msgspec.Struct, frozen=True):
    """The last step of a build whose steps are run one by one, and the digest of what that build is made of."""

    digest: str
    step: Step


def fingerprint(settings: Settings, record: SyncRecord, key: bytes) -> MadeOf:
    """What a build of this record would be made of. `key` is the key of the pseudonyms.

    A sync that saw nothing new differs from the one before only by its instants. Of these the day counts, and the last
    full sync, which proves what is still there.
    """
    digest = hashlib.sha256(key)
    for part in (*_of_lake(settings, record), *_of_settings(settings), *_of_code()):
        digest.update(hashlib.sha256(part).digest())
    return MadeOf(digest.hexdigest(), frozenset(record.unknown) | frozenset(record.odd))


def noted(settings: Settings, made_of: MadeOf) -> bytes | None:
    """The result of the last build, if another one made of `made_of` would publish the same; else None."""
    try:
        last = msgspec.json.decode(_path(settings).read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError):
        return None
    is_same = last.made_of.digest == made_of.digest and made_of.words <= last.made_of.words
    is_same = is_same and last.files == _files(settings)
    return bytes(last.result) if is_same else None


def forget(settings: Settings) -> None:
    """Forget the last build, because another begins. One that fails or is killed leaves nothing to go by."""
    _path(settings).unlink(missing_ok=True)
    _steps(settings).unlink(missing_ok=True)


def note(settings: Settings, made_of: MadeOf, result: bytes) -> None:
    """Note a build that has ended: what it was made of, and its result as JSON."""
    made = Note(made_of=made_of, files=_files(settings), result=msgspec.Raw(result))
    write_whole(_path(settings), msgspec.json.encode(made))


def follow(settings: Settings, made_of: MadeOf | None, step: Step, *, is_last: bool = False) -> None:
    """Note a step of a build whose steps are run one by one, as Dagster does. The last one notes the build.

    Each step counts only if those before it were made of the same. Such a build notes no result.
    """
    if made_of is None:
        return
    path = _steps(settings)
    if step != "loaded" and _followed(path) != Followed(made_of.digest, BEFORE[step]):
        return
    write_whole(path, msgspec.json.encode(Followed(made_of.digest, step)))
    if is_last:
        note(settings, made_of, b"null")


def _followed(path: Path) -> Followed | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Followed)
    except (OSError, msgspec.DecodeError):
        return None


def _steps(settings: Settings) -> Path:
    return settings.builds / "steps.json"


def _path(settings: Settings) -> Path:
    return settings.builds / "last_build.json"


def _files(settings: Settings) -> dict[str, list[int]]:
    """The state of each file that a build makes. A file that was changed, replaced or removed since has another one."""
    found = {}
    parquet = note_path(settings.parquet, settings.connection)
    for path in (settings.warehouse, settings.published, settings.report, settings.people, parquet):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found[path.name] = [stat.st_ino, stat.st_size, stat.st_mtime_ns]
    return found


def _of_lake(settings: Settings, record: SyncRecord) -> Iterator[bytes]:
    day = record.as_of.astimezone(ZoneInfo(settings.time_zone)).date().isoformat()
    feeds = {name: (feed.unread, feed.is_whole, feed.quarantined) for name, feed in record.feeds.items()}
    yield msgspec.json.encode(
        [
            (record.files.models, record.files.personal, record.files.quarantine),
            (day, record.last_full, record.verdict, record.objections, record.pending, record.mapping_version),
            (record.only_created, record.lost, record.clock.suspect, feeds),
        ]
    )


def _of_settings(settings: Settings) -> Iterator[bytes]:
    for name, value in values(settings).items():
        if name in WITHOUT_EFFECT:
            continue
        yield f"{name}={setting_text(value)}".encode()
        if name.endswith("_csv") and isinstance(value, Path):
            yield _content(value)


def _content(path: Path) -> bytes:
    """What a file of the user holds, or why it can't be read: the build that reads it says so by its setting."""
    try:
        return file_content(path, "")
    except SettingsError as error:
        return str(error).encode()


def _of_code() -> Iterator[bytes]:
    yield from (f"{name} {version(name)}".encode() for name in ("join-pipeline", "duckdb", "dbt-core", "dbt-duckdb"))
    with contextlib.suppress(PackageNotFoundError):  # of the extra `report`, so that its first build writes one
        yield version("vl-convert-python").encode()
    for folder in (Path(join_pipeline.__file__).parent, project_dir()):
        for path in sorted(folder.rglob("*")):
            if NOT_CODE.isdisjoint(path.parts) and path.is_file():
                yield f"{path.relative_to(folder)}".encode()
                yield path.read_bytes()
