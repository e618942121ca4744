"""Errors that say what to do, and the exit code each ends a command with.

Belongs here: the types that every room may raise. Not here: deciding what is retried (http.retry).
A message names what was asked, what came back and what to do next; never a token, an e-mail address or a payload.
"""

from typing import ClassVar


class PipelineError(Exception):
    """Something this package understands well enough to tell its user what to do."""

    exit_code: ClassVar[int] = 1


class SettingsError(PipelineError):
    """A setting is missing or wrong."""

    exit_code = 2


class InputError(PipelineError):
    """What a caller gave can't be taken as it is. `field` names it, as its caller does."""

    exit_code = 2

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field


class JobClosedError(InputError):
    """The job takes no applications: it is archived, or a draft."""


class LakeError(PipelineError):
    """The lake can't be read or written as it is."""


class UnsoundError(LakeError):
    """What a sync was about to commit would break every later build. Nothing was committed."""


class LockedError(PipelineError):
    """Another process holds the connection's lock."""

    exit_code = 4


class BuildError(PipelineError):
    """Loading, dbt or publishing failed."""


class SourceError(PipelineError):
    """Talking to a source failed."""


class AuthError(SourceError):
    """The source refuses the credentials: stop, and mend them."""


class PermanentError(SourceError):
    """The source refuses the request: stop; asking again gives the same."""


class NotFoundError(PermanentError):
    """404: the record, or the path, is not there."""


class RefusedError(PermanentError):
    """The source does not take a parameter: it does not know it, or its value."""


class ModelOffError(PermanentError):
    """The source does not give this model: it is switched off there, or was never offered."""


class TransientError(SourceError):
    """Something that may go through later: retried."""


class RateLimited(TransientError):  # noqa: N818  the name is the field's own word for it
    """429: too many requests. `retry_after` is the seconds to wait, where the answer says so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AlreadyAppliedError(PermanentError):
    """Somebody with this e-mail address has applied to this job before. Ids of that application, where known."""

    def __init__(self, message: str, application_id: str | None = None, remote_id: str | None = None) -> None:
        super().__init__(message)
        self.application_id = application_id
        self.remote_id = remote_id


class ContractError(SourceError):
    """The answer is not what we know."""
