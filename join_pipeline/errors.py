"""The errors of this package, and the exit code that a command ends with for each.

Belongs here: the types that every room may raise, and what may be said of a library's error. Not here: deciding what is
retried (http.retry).
A message names the request, the response and what to do next. It never has a token, an e-mail address or a payload.
"""

import errno
import os
from typing import ClassVar, Final


class PipelineError(Exception):
    """The base of all errors whose message says what to do. The command line prints it without a traceback."""

    exit_code: ClassVar[int] = 1

    @property
    def kind(self) -> str:
        """The name by which scripts know the error, in JSON."""
        return type(self).__name__


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
    """Another process holds the connection's lock. `who` is in words, if the error knows it."""

    exit_code = 4

    def __init__(self, message: str, who: str = "") -> None:
        super().__init__(message)
        self.who = who


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


class NoAnswerError(TransientError):
    """The request got no response, or one that nobody could read."""

    @property
    def kind(self) -> str:
        return TransientError.__name__  # as it was before the two were told apart


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


_SENTENCES: Final = {
    "OutOfMemoryException": "DuckDB needs more memory (JOIN_PIPELINE_MEMORY_LIMIT) or more space to spill to",
    "Out of Memory Error": "DuckDB needs more memory (JOIN_PIPELINE_MEMORY_LIMIT) or more space to spill to",
    "IOException": "DuckDB can't read or write a file",
    "IO Error": "DuckDB can't read or write a file",
    "ConversionException": "a value does not have the type that is expected",
    "Conversion Error": "a value does not have the type that is expected",
    "OutOfRangeException": "a number is too large for its type",
    "Out of Range Error": "a number is too large for its type",
    "ConstraintException": "a row breaks a key or a rule of its table",
    "Constraint Error": "a row breaks a key or a rule of its table",
    "TransactionException": "DuckDB can't write its log or a file",
    "TransactionContext Error": "DuckDB can't write its log or a file",
    "InvalidInputException": "DuckDB can't read a value",
    "Invalid Input Error": "DuckDB can't read a value",
    "SerializationException": "the file is damaged",
    "Serialization Error": "the file is damaged",
    "DecodeError": "it is not JSON",
    "DecodingError": "the body is packed in a way that can't be unpacked",
    "ValidationError": "it does not have the form that is expected",
    "UnicodeDecodeError": "it is not UTF-8",
    "UnicodeEncodeError": "a text holds what no encoding can write",
    "MemoryError": "the machine has no memory left",
    "RecursionError": "it is nested too deeply",
    "OperationalError": "SQLite can't read or write its file",
    "DatabaseError": "the file is not SQLite's, or it is damaged",
    "IntegrityError": "a row breaks a key or a rule of its table",
    "OverflowError": "a number or an instant is too large",
}
_SYSTEM: Final = tuple(
    os.strerror(number)
    for number in (
        errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE,
        errno.ENFILE, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EBUSY,
    )
)  # fmt: skip
_FULL: Final = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), "database or disk is full")
_READ_ONLY: Final = (
    os.strerror(errno.EROFS),
    os.strerror(errno.EACCES),
    "attempt to write a readonly database",
    "unable to open database file",
)
_NO_DATA: Final = ("Parser Error", "Binder Error", "Catalog Error", "Compilation Error")
"""These errors of DuckDB and dbt speak of names and of SQL, and never of a row."""


QUERY_INTERRUPTED: Final = "Query interrupted"
"""DuckDB's words when somebody ends the program while it works."""


def is_interruption(error: BaseException) -> bool:
    """Whether somebody ended the program while DuckDB worked. It tells that as an error, and not as an interruption."""
    return type(error) is RuntimeError and str(error) == QUERY_INTERRUPTED


def pass_interruption(error: BaseException) -> None:
    """Raise `KeyboardInterrupt` if that is what an error stands for: it is no failure to be told, counted or mended."""
    if is_interruption(error):
        raise KeyboardInterrupt from None


def foreign(error: BaseException) -> str:
    """What may be said of a library's error: its class, and a sentence of ours or of the system.

    Its own message is never passed on, because it can quote a value: of a payload, an address, a setting.
    """
    if isinstance(error, OSError) and error.errno:
        return f"{type(error).__name__}: {os.strerror(error.errno)}"
    name = type(error).__name__
    if name == "CatalogException":  # it names a table or a column, and never a value
        return f"{name}: {str(error).splitlines()[0]}"
    said = _system_words(str(error)) or [_SENTENCES.get(name, "")]
    return ": ".join(filter(None, [name, *said]))


def foreign_text(message: str) -> str:
    """The same of a library's error that came as a text, as dbt passes on DuckDB's."""
    line = " ".join(message.split())
    if any(kind in line for kind in _NO_DATA):
        return line
    said = [f"{kind}: {sentence}" for kind, sentence in _SENTENCES.items() if kind.endswith(" Error") and kind in line]
    return "; ".join(said or _system_words(line) or ["an error without a known reason"])


def _system_words(message: str) -> list[str]:
    return [words for words in _SYSTEM if words in message][:1]


def machines_reason(log: str) -> str | None:
    """What a log of another program says that the machine refused, as a sentence of ours; None if it says nothing."""
    if any(words in log for words in _FULL):
        return "the disk is full"
    if any(words in log for words in _READ_ONLY):
        return "a file or folder can't be written"
    return "; ".join(_system_words(log)) or None
