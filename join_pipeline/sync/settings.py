"""The settings of a sync and a replay: folders and limits.

Belongs here: their names and types. Not here: where the values come from (settings).
"""

from pathlib import Path
from typing import Protocol


class SyncSettings(Protocol):
    """`home` is the connection's folder, which the lock is for.

    The sync makes the lake in it after the first response of the source, because only then the credentials are known
    to be good.
    """

    @property
    def home(self) -> Path: ...

    @property
    def lake(self) -> Path: ...

    @property
    def lake_seed(self) -> str | None: ...

    @property
    def builds(self) -> Path: ...

    @property
    def memory_limit(self) -> str: ...

    @property
    def max_second_looks(self) -> int: ...

    @property
    def kept_out(self) -> frozenset[str]: ...

    @property
    def resume_hours(self) -> float: ...

    @property
    def raw_days(self) -> int: ...
