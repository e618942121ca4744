"""One notice: what is told of a connection, in words that hold no secret and nothing of a person.

Belongs here: its text, and making a text safe. Not here: whether it is told (tell), how it is sent (send).
"""

import contextlib
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import SecretStr

from join_pipeline.settings import Settings, values

Kind = Literal["failed", "guarded", "stale", "well"]
MOST_CHARACTERS: Final = 1000
SHORTEST_SECRET: Final = 6
_STEERS: Final = re.compile(
    r"(?:\x1b\[[0-9;]*m|[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff])+"
)
_MAIL: Final = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_URL: Final = re.compile(r"(https?://)(?:[^\s/?#]*@)?([^\s/?#]*)([^\s?#]*)\S*")
_QUOTED: Final = re.compile(r"\s*“.*”", re.DOTALL)
"""What a server said is quoted in an error, and can name a person. From the first mark to the last one."""
_ID: Final = re.compile(
    r"\b(?:\d{5,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=[A-Za-z]*\d)[A-Za-z0-9]{20,})\b"
)
"""What looks like an id of a record, or like a token."""
HIDDEN: Final = "…"
TITLES: Final = {"failed": "failed", "guarded": "kept what is known", "stale": "is stale", "well": "is well again"}


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of a connection. `about` is the command or the job, or `lake`. `where` helps to find it."""

    connection: str
    about: str
    kind: Kind
    reason: str
    where: str = ""

    @property
    def title(self) -> str:
        """The notice in a few words."""
        what = f"{self.connection}: {self.about}" if self.about != "lake" else self.connection
        return f"{what} {TITLES[self.kind]}"

    @property
    def text(self) -> str:
        """The whole notice on one line."""
        return " ".join(filter(None, [f"{self.title}{':' if self.reason else '.'}", self.reason, self.where]))

    @property
    def digest(self) -> str:
        """Equal for notices that tell the same: numbers in them differ from time to time."""
        said = f"{self.kind} {re.sub(r'[0-9]+', '#', self.reason)}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def safe(text: str, settings: Settings) -> str:
    """A text on one line, without secrets, e-mail addresses, ids, what a server said, and addresses' queries.

    Errors of this package hold no secret and no address. This is for what slips through: a notice leaves the house.
    """
    for secret in sorted(_secrets(settings), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = " ".join(_STEERS.sub(" ", text).split())
    text = _QUOTED.sub("", text)
    text = _ID.sub(HIDDEN, _MAIL.sub(HIDDEN, _URL.sub(r"\1\2\3", text)))
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + HIDDEN


def _secrets(settings: Settings) -> set[str]:
    """Every secret of the settings, and the kept token of `connect`."""
    found = {value.get_secret_value() for value in values(settings).values() if isinstance(value, SecretStr)}
    with contextlib.suppress(OSError, UnicodeDecodeError):
        found.add(settings.token_file.read_text())
    return {secret.strip() for secret in found if len(secret.strip()) >= SHORTEST_SECRET}
