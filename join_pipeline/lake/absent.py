"""Files that lie in a bucket and were not brought here yet: a stub has the name and the size, and nobody's permission.

So whether a file exists, how large it is and which files match a pattern is told as of any other file. Whoever reads
content asks `present` first.
Belongs here: telling a stub, bringing its content. Not here: buckets (the room `bucket`), what a file should hold
(integrity).
"""

import contextlib
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from join_pipeline.errors import LakeError

Bring = Callable[[Path], None]
_BRINGING: Final[dict[Path, Bring]] = {}
"""Who brings the files of a connection's folder, while a command works on it."""


@contextlib.contextmanager
def bringing(home: Path, bring: Bring) -> Iterator[None]:
    """Within the block, files below `home` are brought by this function when they are read."""
    before = _BRINGING.get(home)
    _BRINGING[home] = bring
    try:
        yield
    finally:
        if before is None:
            del _BRINGING[home]
        else:
            _BRINGING[home] = before


def is_stub(path: Path) -> bool:
    """Whether the file stands for one that was not brought yet. Raises `OSError`."""
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and not stat.S_IMODE(status.st_mode)


def make_stub(path: Path, size: int) -> None:
    """Make a file of this size that takes no space and that nobody may read. Raises `OSError`."""
    with path.open("xb") as file:
        file.truncate(size)
    path.chmod(0)


def present(path: Path) -> Path:
    """The path of a file whose content is here. Raises `LakeError` if it lies in the bucket and can't be brought."""
    try:
        is_here = not is_stub(path)
    except OSError:  # whoever reads it says what is wrong
        return path
    if is_here:
        return path
    for folder in path.parents:
        if folder in _BRINGING:
            _BRINGING[folder](path)
            return path
    raise LakeError(
        f"{path} lies in the bucket only. Set JOIN_PIPELINE_LAKE to the bucket of this lake, then run it again."
    )
