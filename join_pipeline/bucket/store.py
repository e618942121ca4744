"""A bucket as this room uses it: objects under one prefix, two conditional puts, and errors of ours.

Belongs here: opening a bucket by its URL, each operation on an object, what a library's error means. Not here: what the
objects are (log, lease, mirror).

Credentials come from the environment that the SDKs of the clouds use; nothing of them is read or logged here.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from join_pipeline.errors import LakeError, PipelineError, SettingsError, foreign

RETRIES: Final = 4
RETRY_WITHIN: Final = timedelta(seconds=60)
PART: Final = 5 * 2**20
"""Bytes of a part of an upload, the least that S3 takes. With the parts that are under way, it bounds the memory."""
PARTS_IN_FLIGHT: Final = 3
CHUNK: Final = 2**20
PIECE: Final = 8 * 2**20
"""Bytes of one request for a large object, so that each is answered within the time that a client allows for one."""
MISSING: Final = "The lake in a bucket needs an extra: pip install 'join-pipeline[s3]'."
T = TypeVar("T")


class TakenError(PipelineError):
    """An object of this name is there already."""


class StaleError(PipelineError):
    """The object was changed, or removed, since it was read."""


class UnsureError(LakeError):
    """The bucket did not answer. Nobody knows whether it did what was asked."""


@dataclass(frozen=True, slots=True)
class Found:
    """A small object: its content, the tag of this version, and when the server wrote it."""

    content: bytes
    tag: str
    at: datetime


class Objects(Protocol):
    """What log, lease and mirror need of a bucket. Names are below the prefix of one connection."""

    def get(self, name: str) -> Found | None:
        """A small object; None if there is none."""

    def create(self, name: str, content: bytes) -> str:
        """Put a new object and return its tag. Raises `TakenError` if the name is taken."""

    def replace(self, name: str, content: bytes, tag: str) -> str:
        """Put over the version of this tag and return the new tag. Raises `StaleError` if it is another one now."""

    def put(self, name: str, content: bytes) -> None:
        """Put an object, whatever is there."""

    def send(self, name: str, content: Path | bytes | Iterable[bytes]) -> None:
        """Put a large object in bounded memory."""

    def stream(self, name: str) -> Iterator[bytes] | None:
        """The content of a large object in chunks; None if there is none."""

    def delete(self, names: list[str]) -> None:
        """Remove objects. One that is not there is no error."""

    def names(self, folder: str) -> list[str]:
        """The names of objects in a folder. It is for tidying only: a list may lag behind."""


def open_bucket(url: str) -> "Bucket":
    """The bucket of a URL. Raises `SettingsError` if the extra is missing or the URL can't be one."""
    try:
        from obstore import store  # noqa: PLC0415  an extra
    except ImportError:
        raise SettingsError(MISSING) from None
    kept = _OPENED.get(url)
    if kept is not None:
        return Bucket(kept)
    # no client options: they would take the place of those of the environment, such as AWS_ALLOW_HTTP
    options: Any = {"retry_config": {"max_retries": RETRIES, "retry_timeout": RETRY_WITHIN}}
    try:
        return Bucket(store.from_url(url, **options))
    except Exception as error:  # the library raises what it likes about a URL, and quotes it
        raise SettingsError(
            f"JOIN_PIPELINE_LAKE: the bucket can't be opened ({foreign(error)}). Check its URL, and the region and "
            "credentials in the environment."
        ) from None


_OPENED: Final[dict[str, Any]] = {}
"""Buckets that live in this process only, by their URL."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The objects of an obstore's store, below a prefix."""

    store: Any
    prefix: str = ""

    def below(self, folder: str) -> "Bucket":
        """The same bucket, with names below this folder."""
        return Bucket(self.store, f"{self.prefix}{folder}/")

    def get(self, name: str) -> Found | None:
        import obstore  # noqa: PLC0415  an extra

        def read() -> Found:
            answer = obstore.get(self.store, self.prefix + name)
            return Found(bytes(answer.bytes()), _tag(answer.meta), answer.meta["last_modified"])

        try:
            return _asked(read)
        except FileNotFoundError:
            return None

    def create(self, name: str, content: bytes) -> str:
        return self._put(name, content, "create")

    def replace(self, name: str, content: bytes, tag: str) -> str:
        try:
            return self._put(name, content, _version(tag))
        except FileNotFoundError:  # of some servers, if the object is gone
            raise StaleError(f"{name} is gone.") from None

    def put(self, name: str, content: bytes) -> None:
        self._put(name, content, "overwrite")

    def send(self, name: str, content: Path | bytes | Iterable[bytes]) -> None:
        import obstore  # noqa: PLC0415  an extra

        options: Any = {"chunk_size": PART, "max_concurrency": PARTS_IN_FLIGHT}
        _asked(lambda: obstore.put(self.store, self.prefix + name, content, **options))

    def stream(self, name: str) -> Iterator[bytes] | None:
        import obstore  # noqa: PLC0415  an extra

        try:
            answer = _asked(lambda: obstore.get(self.store, self.prefix + name))
        except FileNotFoundError:
            return None
        size = answer.meta["size"]
        if size <= PIECE:
            return iter([bytes(_asked(answer.bytes))])
        return (self._piece(name, start, min(start + PIECE, size)) for start in range(0, size, PIECE))

    def delete(self, names: list[str]) -> None:
        import obstore  # noqa: PLC0415  an extra

        for first in range(0, len(names), 500):
            some = [self.prefix + name for name in names[first : first + 500]]
            with contextlib.suppress(FileNotFoundError):
                _asked(partial(obstore.delete, self.store, some))

    def names(self, folder: str) -> list[str]:
        import obstore  # noqa: PLC0415  an extra

        inside = self.prefix + folder

        def read() -> list[str]:
            listed = obstore.list(self.store, prefix=inside.rstrip("/") or None)
            return [meta["path"] for batch in listed for meta in batch]

        return [path.removeprefix(self.prefix) for path in _asked(read) if path.startswith(inside)]

    def _put(self, name: str, content: bytes, mode: Any) -> str:
        import obstore  # noqa: PLC0415  an extra

        answer = _asked(lambda: obstore.put(self.store, self.prefix + name, content, mode=mode, use_multipart=False))
        return _tag(answer)

    def _piece(self, name: str, start: int, end: int) -> bytes:
        import obstore  # noqa: PLC0415  an extra

        try:
            return bytes(_asked(lambda: obstore.get_range(self.store, self.prefix + name, start=start, end=end)))
        except FileNotFoundError:
            raise UnsureError(f"{name} was removed from the bucket meanwhile. Run the command again.") from None


def _tag(told: Any) -> str:
    """What tells a version of an object: its ETag and, where the server has one, its number, which Google asks for."""
    return f"{told['e_tag'] or ''} {told['version'] or ''}"


def _version(tag: str) -> dict[str, str]:
    e_tag, _, version = tag.rpartition(" ")
    return {"e_tag": e_tag} | ({"version": version} if version else {})


def _asked(ask: Callable[[], T]) -> T:
    """Do one operation. What the library raises becomes an error of ours; that there is no such object stays as it is.

    The library's own message is never passed on: it can quote an address, a header or a body.
    """
    from obstore import exceptions  # noqa: PLC0415  an extra

    try:
        return ask()
    except FileNotFoundError:
        raise
    except exceptions.AlreadyExistsError:
        raise TakenError("An object of this name is there already.") from None
    except exceptions.PreconditionError:
        raise StaleError("The object was changed meanwhile.") from None
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError):
        raise SettingsError(
            "The bucket refuses the credentials, or they may not do this. Check them, and the policy of the bucket: "
            "docs/bucket.md has the one that is needed."
        ) from None
    except exceptions.NotSupportedError:
        raise SettingsError(f"The server of the bucket does not offer what is needed. {REFUSED}") from None
    except (exceptions.BaseError, OSError, ValueError) as error:
        raise UnsureError(
            f"The bucket did not answer as it should ({foreign(error)}). Check the network and JOIN_PIPELINE_LAKE, "
            "then run it again."
        ) from None


REFUSED: Final = (
    "The lake needs a server that refuses a put with If-None-Match on a name that is taken, and one with If-Match on a "
    "version that is gone, as Amazon S3, Google Cloud Storage, Azure and SeaweedFS do."
)


def probe(objects: Objects, name: str) -> None:
    """Try whether the server keeps its word on conditional puts. Raises `SettingsError` if it does not.

    `name` must be one that nobody else uses.
    """
    first = objects.create(name, b"1")
    try:
        try:
            objects.create(name, b"2")
        except TakenError:
            pass
        else:
            raise SettingsError(f"The server of the bucket lets a put take the place of an object. {REFUSED}")
        objects.replace(name, b"3", first)
        try:
            objects.replace(name, b"4", first)
        except StaleError:
            pass
        else:
            raise SettingsError(f"The server of the bucket lets a put take the place of a later version. {REFUSED}")
        found = objects.get(name)
        if found is None or found.content != b"3":
            raise SettingsError(f"The server of the bucket shows another version than was put last. {REFUSED}")
    finally:
        objects.delete([name])
