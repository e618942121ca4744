"""What a build publishes, in the bucket: so that readers need not reach the worker.

    published/<connection>/recruiting.duckdb, report.html
    published/parquet/<table>/connection=<connection>/<table>.parquet, and _builds/…/build.json as on disk

Each object takes the place of the old one at once. build.json is away while the tables are replaced. Names and contacts
stay on the worker: people.duckdb is never put here.
Belongs here: which files, and their order. Not here: writing them (warehouse).
"""

from pathlib import Path

from join_pipeline.bucket.mirror import Mirror
from join_pipeline.bucket.store import Bucket, UnsureError
from join_pipeline.errors import LakeError
from join_pipeline.places import PARQUET
from join_pipeline.settings import Settings

FOLDER = "published"
NOTE = "build.json"


def publish(settings: Settings, root: Bucket, mirror: Mirror) -> None:
    """Put what a build on this machine has published since, and delete what it has withdrawn."""
    found = files_of(settings)
    changed = mirror.unpublished(found)
    gone = sorted(mirror.state.published.keys() - found.keys())
    if not changed and not gone:
        return
    try:
        _put(root, found, changed, gone)
    except UnsureError as error:
        raise LakeError(
            f"{error} The lake is committed, but not all that the build published here is in the bucket. The "
            "next command puts it there."
        ) from None
    mirror.note_published(found)


def _put(root: Bucket, found: dict[str, Path], changed: list[str], gone: list[str]) -> None:
    notes = [name for name in (*changed, *gone) if name.endswith(f"/{NOTE}")]
    root.delete([*notes, *gone])
    for name in sorted(changed, key=lambda name: (name in notes, name)):
        root.send(name, found[name])


def files_of(settings: Settings) -> dict[str, Path]:
    """The published files of this machine, by their names in the bucket."""
    own = [path for path in (settings.published, settings.report) if path.exists()]
    found = {f"{FOLDER}/{settings.connection}/{path.name}": path for path in own}
    tables = settings.parquet.glob(f"*/connection={settings.connection}/[!.]*")
    return found | {f"{PARQUET.as_posix()}/{path.relative_to(settings.parquet).as_posix()}": path for path in tables}
