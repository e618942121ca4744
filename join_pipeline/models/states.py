"""The meaning of a source's own word for an application's state.

Belongs here: the type. Not here: the words themselves (sources), the marts that use them (dbt_project).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """One word of a source.

    `milestone`: the milestone that the word gives an application in any stage. If it is None, the stage decides.
    `is_initial`: nobody has worked on the application yet, so any other word shows a change.
    """

    word: str
    outcome: str
    milestone: str | None = None
    is_initial: bool = False
