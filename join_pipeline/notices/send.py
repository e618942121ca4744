"""Sending a notice: to a webhook as JSON, and by e-mail. Whatever goes wrong is a line, and never an error.

Belongs here: the two ways, their limits of time, and what may be said of their failures. Not here: what is told
(notice), when (tell).
"""

import contextlib
import logging
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from typing import Any, Final

from pydantic import SecretStr

from join_pipeline.errors import PipelineError, foreign
from join_pipeline.notices.notice import Notice
from join_pipeline.notices.options import Mail
from join_pipeline.settings import Settings

SECONDS: Final = 10.0
Way = Callable[[Notice], str | None]


def send(settings: Settings, notice: Notice) -> list[str]:
    """Send the notice each way that is set. Returns a line for each way that failed; it names no address."""
    faults = {name: _fault_of(way, notice) for name, way in _ways(settings).items()}
    return [f"The notice was not sent by {name}: {fault}." for name, fault in faults.items() if fault is not None]


def n_ways(settings: Settings) -> int:
    """How many ways are set."""
    return len(_ways(settings))


def _ways(settings: Settings) -> dict[str, Way]:
    """The ways that are set. Each returns what went wrong, or None."""
    ways: dict[str, Way] = {}
    if settings.notice_webhook is not None:
        ways["webhook"] = partial(_post, settings.notice_webhook, settings.notice_shape)
    if settings.mail is not None:
        ways["e-mail"] = partial(_mail, settings.mail)
    return ways


def _fault_of(way: Way, notice: Notice) -> str | None:
    """What went wrong, in words without an address. The run that is told of goes on whatever it is."""
    try:
        return way(notice)
    except PipelineError as error:
        return str(error).rstrip(".")
    except smtplib.SMTPResponseException as error:
        return f"the mail server refused it ({type(error).__name__}, {error.smtp_code})"
    except smtplib.SMTPException as error:
        return f"the mail server refused it ({type(error).__name__})"
    except Exception as error:  # a server can break a protocol in any way, and a message must not end a run
        return foreign(error)


def _post(webhook: SecretStr, shape: str, notice: Notice) -> str | None:
    import httpx  # noqa: PLC0415  a command without the network needs none

    from join_pipeline.http.deadline import within  # noqa: PLC0415
    from join_pipeline.http.network import http_client  # noqa: PLC0415

    url = httpx.URL(webhook.get_secret_value())
    with (
        http_client(url, timeout=SECONDS, follow_redirects=False) as client,
        within(SECONDS),
        _unlogged("httpx"),
        client.stream("POST", url, json=body(shape, notice)) as answer,
    ):
        # what it says is not read: it can be of any length, and quote what was sent
        return None if answer.is_success else f"the server answered {answer.status_code}"


def body(shape: str, notice: Notice) -> dict[str, Any]:
    """The JSON of a notice."""
    if shape == "text":  # Slack reads these three as its markup
        return {"text": notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
    lines = [
        {"type": "TextBlock", "text": _plain(notice.title), "weight": "Bolder", "wrap": True},
        {"type": "TextBlock", "text": _plain(f"{notice.reason} {notice.where}".strip()), "wrap": True},
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": lines if notice.reason or notice.where else lines[:1],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _plain(text: str) -> str:
    """A text that a card shows as it is: its markup has links in brackets."""
    return text.replace("[", "(").replace("]", ")")


@contextlib.contextmanager
def _unlogged(name: str) -> Iterator[None]:
    """Keep what this thread does out of a library's log: httpx writes the address of each request there."""
    logger, own = logging.getLogger(name), threading.get_ident()

    def is_others(record: logging.LogRecord) -> bool:
        return record.thread != own

    logger.addFilter(is_others)
    try:
        yield
    finally:
        logger.removeFilter(is_others)


def _mail(mail: Mail, notice: Notice) -> str | None:
    named: dict[str, Any] = {"local_hostname": _own_name(), "timeout": SECONDS}
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, context=ssl.create_default_context(), **named)
    else:
        server = smtplib.SMTP(mail.host, mail.port, **named)
    with server:
        if mail.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if mail.login is not None:
            user, password = mail.login
            server.login(user, password.get_secret_value())
        refused = server.send_message(message(notice, mail.sender, mail.receivers), mail.sender, mail.receivers)
    return f"the mail server refused {len(refused)} of {len(mail.receivers)} addresses" if refused else None


def message(notice: Notice, sender: str, receivers: Sequence[str]) -> EmailMessage:
    """The e-mail of a notice."""
    made = EmailMessage()
    made["Subject"] = f"join-pipeline: {notice.title}"
    made["From"] = sender
    made["To"] = ", ".join(receivers)
    made["Date"] = formatdate()
    made["Message-ID"] = make_msgid("join-pipeline", sender.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers it
    made.set_content(notice.text + "\n")
    return made


def _own_name() -> str:
    """The name that the mail server is greeted with. smtplib would ask the network for it, which can take long."""
    name = socket.gethostname()
    return name if name.isascii() and name else "localhost"
