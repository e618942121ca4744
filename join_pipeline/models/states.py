"""What a source's own words for the state of an application mean to the marts.

Belongs here: the shape of such a word. Not here: any word (sources), what is made of it (dbt_project).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """One word of a source's.

    `milestone` is where the word alone places an application, whatever the stage it is in; None where the stage tells.
    `is_initial`: it means that nothing was done about the application yet, so that any other word shows a change.
    """

    word: str
    outcome: str
    milestone: str | None = None
    is_initial: bool = False
