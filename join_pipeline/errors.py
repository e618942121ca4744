"""The errors of this package, and the exit code that a command ends with for each.

Belongs here: the types that every room may raise. Not here: deciding what is retried (http.retry).
A message names the request, the response and what to do next. It never has a token, an e-mail address or a payload.
"""

from typing import ClassVar


class PipelineError(Exception):
    """The base of all errors whose message says what to do. The command line prints it without a traceback."""

    exit_code: ClassVar[int] = 1


class SettingsError(PipelineError):
    """A setting is missing or wrong."""

    exit_code = 2


class AccountError(SettingsError):
    """The account is not the one that the lake was filled from."""


class InputError(PipelineError):
    """A caller's input is invalid. `field` names the input in the caller's words."""

    exit_code = 2

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field


class JobClosedError(InputError):
    """The job accepts no applications, because it is archived or a draft."""


class LakeError(PipelineError):
    """The lake can't be read or written in its present state."""


class DamagedError(LakeError):
    """A file of the lake is lost or damaged. The message names the file and says what to do."""


class UnsoundError(LakeError):
    """What a sync was about to commit would break every later build. Nothing was committed."""


class ClockError(PipelineError):
    """This machine's clock is earlier than the last sync, and the source does not confirm it. Nothing was committed."""


class LockedError(PipelineError):
    """Another process holds the connection's lock."""

    exit_code = 4


class BuildError(PipelineError):
    """Loading, dbt or publishing failed."""


class SourceError(PipelineError):
    """A request to the source failed."""


class AuthError(SourceError):
    """The source rejects the credentials. The user must correct them."""


class PermanentError(SourceError):
    """The source rejects the request. It is not retried, because a retry gives the same response."""


class NotFoundError(PermanentError):
    """404: the source has no such record or path."""


class RefusedError(PermanentError):
    """The source rejects a parameter, because it does not know its name or its value."""


class ModelOffError(PermanentError):
    """The source does not offer this model, or the model is switched off there."""


class TransientError(SourceError):
    """The request may succeed later. It is retried."""


class RateLimited(TransientError):  # noqa: N818  the name is the field's own word for it
    """429: too many requests. `retry_after` is the wait in seconds, or None where the response does not state it."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AlreadyAppliedError(PermanentError):
    """Somebody with this e-mail address has already applied to this job.

    The ids are those of that application, or None where they are not known.
    """

    def __init__(self, message: str, application_id: str | None = None, remote_id: str | None = None) -> None:
        super().__init__(message)
        self.application_id = application_id
        self.remote_id = remote_id


class ContractError(SourceError):
    """The response breaks the contract: it differs from the types that the package knows."""


class UnexpectedAnswerError(ContractError, TransientError):
    """The response is JSON, but not what was asked for, such as an object where a list is due. It is retried."""
