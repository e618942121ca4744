"""A bucket as a test looks at it, and a machine that works on it.

Belongs here: every byte of a bucket, the files of a mirrored folder. Not here: starting servers (conftest).
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from join_pipeline.bucket.log import FILES, ROOMS, Log, Slot
from join_pipeline.bucket.store import Bucket
from join_pipeline.lake.absent import is_stub
from join_pipeline.settings import Settings
from join_pipeline_tests.privacy.people import settings_of


@dataclass(frozen=True)
class Place:
    """A bucket below a prefix. `environment` is what a process needs to reach it."""

    url: str
    bucket: Bucket
    environment: dict[str, str] = field(default_factory=dict)

    def settings(self, api: str, data: Path, **changes: object) -> Settings:
        """The settings of a machine that works on this bucket in this data folder."""
        return settings_of(api, data, lake_url=self.url, **changes)

    def newest(self, connection: str = "join") -> Slot:
        return Log(self.bucket.below(connection)).newest()

    def objects(self) -> dict[str, bytes]:
        """Every object, with its content."""
        return {name: b"".join(self.bucket.stream(name) or ()) for name in sorted(self.bucket.names(""))}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every object's bytes and, of a Parquet file, every value, as texts."""
        for name, content in self.objects().items():
            yield name, content.decode("utf-8", "replace")
            if content.startswith(b"PAR1"):
                yield name, str(pq.read_table(io.BytesIO(content)).to_pylist())

    def text_of(self, inside: str, connection: str = "join") -> str:
        """A mirrored file, as the newest commit has it."""
        name = self.newest(connection).files[inside].object
        return b"".join(self.bucket.stream(f"{connection}/{name}") or ()).decode()

    def reachable(self, connection: str = "join") -> set[str]:
        """The data objects that the newest commit lists."""
        return {f"{connection}/{entry.object}" for entry in self.newest(connection).files.values()}

    def data(self, connection: str = "join") -> set[str]:
        """The data objects that are there."""
        return set(self.bucket.names(f"{connection}/data/"))


def mirrored(settings: Settings) -> dict[str, str]:
    """The mirrored files of a machine with their digests; of a stub only that it is one."""
    paths = [path for room in ROOMS for path in sorted((settings.home / room).rglob("*"))]
    paths += [settings.home / name for name in FILES]
    return {
        path.relative_to(settings.home).as_posix(): "stub"
        if is_stub(path)
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and not path.name.startswith(".")
    }
