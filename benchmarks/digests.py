"""Compares the digest of every file that the newest sync lists: `python -m benchmarks.digests`."""

from join_pipeline.lake.integrity import verified
from join_pipeline.lake.lake import open_lake
from join_pipeline.settings import load_settings

if __name__ == "__main__":
    lake = open_lake(load_settings().lake)
    newest = lake.newest()
    assert newest is not None, "there was no sync"
    for group in newest.files.groups().values():
        for listed in group.values():
            for file in listed:
                verified(lake.path, file)
