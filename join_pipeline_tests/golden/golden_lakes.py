"""The committed golden lakes: finding them, unpacking a copy, and reading the copy as a later release.

Belongs here: what a test does with a golden lake. Not here: writing one (make), what it holds (reader).
"""

import contextlib
import gzip
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest

from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.models import MODELS, Model
from join_pipeline.models.types import Column
from join_pipeline.settings import Settings
from join_pipeline_tests.golden.company import CONNECTION, Company
from join_pipeline_tests.golden.reader import Expected

LAKES = Path(__file__).with_name("lakes")
ARCHIVE = "lake.tar.gz"  # the records alone are a hundred kilobytes, and shrink to a tenth
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Golden:
    """One golden lake: `format-<format>-mapping-<mapping>-<source>`. Those of mapping 1 do not name it."""

    folder: Path

    @property
    def format(self) -> int:
        return int(self.folder.name.split("-")[1])

    @property
    def mapping(self) -> int:
        parts = self.folder.name.split("-")
        return int(parts[3]) if "mapping" in parts else 1

    @property
    def company(self) -> Company:
        return msgspec.json.decode((self.folder / "company.json").read_bytes(), type=Company)

    @property
    def expected(self) -> Expected:
        expected: Expected = json.loads((self.folder / "expected.json").read_text())
        return expected

    def unpack(self, data: Path) -> "Copy":
        """A copy in a data folder, as if its company had been read there."""
        copy = Copy(self.company, data)
        copy.path.mkdir(parents=True)
        with tarfile.open(self.folder / ARCHIVE) as archive:
            archive.extractall(copy.path, filter="data")
        return copy


@dataclass(frozen=True)
class Copy:
    """A golden lake that a test may change."""

    company: Company
    data: Path

    @property
    def path(self) -> Path:
        return self.data / CONNECTION / "lake"

    def open(self) -> Lake:
        return open_lake(self.path)

    def settings(self, url: str = NOWHERE, **changes: Any) -> Settings:
        """Settings by which the pipeline works on it; `url` is needed only by what asks the company."""
        return self.company.settings(url, self.data, **changes)


def golden_lakes() -> list[Golden]:
    """All of them: a new one is tested by being there."""
    return [Golden(folder) for folder in sorted(LAKES.iterdir())]


def cases(*, slow: Callable[["Golden"], bool]) -> list[Any]:
    """All of them as a test's cases; those for which `slow` holds are slow."""
    return [
        pytest.param(golden, id=golden.folder.name, marks=[pytest.mark.slow] if slow(golden) else [])
        for golden in golden_lakes()
    ]


def pack(lake: Path, archive: Path) -> None:
    """Put a lake's files in an archive that says nothing of who packed it, where and when."""
    with gzip.GzipFile(archive, "wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as members:
        for path in sorted(lake.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                member = tarfile.TarInfo(path.relative_to(lake).as_posix())
                member.size, member.mode = path.stat().st_size, 0o600
                with path.open("rb") as content:
                    members.addfile(member, content)


@contextlib.contextmanager
def redeclared(name: str, change: Callable[[tuple[Column, ...]], tuple[Column, ...]]) -> Iterator[Model]:
    """The code of another release, in which a model has other columns.

    This is the place for a change of the format: `change` adds, widens or drops a column of a model, and whatever reads
    a golden lake within the block reads it by that declaration.
    """
    model = MODELS[name]
    with mock.patch.dict(MODELS, {name: replace(model, fields=change(model.fields))}):
        yield MODELS[name]
