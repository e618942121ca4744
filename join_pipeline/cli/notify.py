"""`--notify`: a command that tells somebody if it failed, or if its connection was guarded or is stale.

Belongs here: the option, and what of a command's end is told. Not here: the notice and its ways (notices).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer

from join_pipeline.cli.output import err, shown
from join_pipeline.cli.verbosity import with_options
from join_pipeline.errors import LockedError, PipelineError, SettingsError, foreign, pass_interruption
from join_pipeline.settings import Settings, choosing, chosen_connection, load_settings

SYNCING: Final = frozenset({"run", "sync"})
Notify = Annotated[
    bool, typer.Option("--notify", help="Send a notice if it fails, or if the connection is guarded or stale.")
]
NO_WAY: Final = "--notify needs somebody to tell. Set JOIN_PIPELINE_NOTICE_WEBHOOK or JOIN_PIPELINE_MAIL_HOST."


def telling(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with `--notify`."""

    def run(*, notify: bool = False, **given: Any) -> None:
        if notify:
            with _told_of(command.__name__):
                command(**given)
        else:
            command(**given)

    return with_options(command, run, notify=(Notify, False))


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """Tell how the block ended. What ends it goes on, whether somebody could be told or not."""
    from join_pipeline.notices import tell

    settings, is_own = _settings()
    if not settings.is_told:
        raise SettingsError(NO_WAY)
    try:
        yield
    except typer.Exit:  # the command has said what to do: the guard kept what is known
        _print(tell.ended(settings, name, is_sync=name in SYNCING))
        raise
    except LockedError:  # another command works on it, and tells its own end
        raise
    except Exception as error:  # whatever ended the command is worth a notice, and goes on to the entry's one line
        pass_interruption(error)
        reason = str(error) if isinstance(error, PipelineError) else f"a fault of join-pipeline ({foreign(error)})"
        _print(tell.failed(settings, name, reason, is_noted=is_own))
        if is_own:
            _print(tell.look(settings))
        raise
    _print([*tell.ended(settings, name, is_sync=name in SYNCING), *tell.look(settings)])


def _settings() -> tuple[Settings, bool]:
    """The settings that say who is told, and whether they are the connection's own.

    If its own are wrong, which is worth a notice, those of the environment are taken.
    """
    try:
        return load_settings(), True
    except SettingsError as error:
        name = chosen_connection()
        try:
            with choosing(None):
                settings = load_settings()
        except SettingsError:
            raise error from None
        return settings.model_copy(update={"connection": name or settings.connection}), False


def _print(lines: list[str]) -> None:
    for line in lines:
        err.print("[yellow]warning[/]", end=" ")
        err.print(shown(line), markup=False, highlight=False, soft_wrap=True)
