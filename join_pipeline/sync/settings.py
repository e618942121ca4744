"""What a sync and a replay need to be told beside their source: where things lie, and their bounds.

Belongs here: the names. Not here: where the values come from (settings).
"""

from pathlib import Path
from typing import Protocol


class SyncSettings(Protocol):
    """`home` is what the lock is about. The lake in it is made once the source has answered: not before it is known
    that the credentials are good.
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
    def resume_hours(self) -> float: ...

    @property
    def raw_days(self) -> int: ...
