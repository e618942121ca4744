"""The settings of notices. Without a webhook and a mail server, no notice is sent.

Belongs here: their names, defaults and checks. Not here: sending (send), the other settings (settings).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from join_pipeline.http.network import is_on_this_machine

Security = Literal["starttls", "tls", "none"]
PORTS: Final[Mapping[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}
_ADDRESS: Final = re.compile(r"[!-~]+@[!-~]+")
_NOT_IN_ADDRESS: Final = frozenset('<>()[],;:"\\')
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")


def _webhook(secret: SecretStr) -> SecretStr:
    """The address of a webhook. All of it is secret: who knows it can write to the channel."""
    import httpx  # noqa: PLC0415  a command without the network needs none

    try:
        url = httpx.URL(secret.get_secret_value())
    except httpx.InvalidURL:
        raise ValueError("is not a URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("needs https:// and a host")
    if url.scheme == "http" and not is_on_this_machine(url.host):
        raise ValueError("needs https://: the address is a secret, and would cross the network in the clear")
    if url.userinfo or url.fragment:
        raise ValueError("takes no user and no fragment")
    return secret


def _host(name: str) -> str:
    if _HOST.fullmatch(name) is None:
        raise ValueError("is not a host name; an example is smtp.example.org")
    return name


def _addresses(text: str) -> str:
    """E-mail addresses, separated by commas, in one spelling."""
    found = [one.strip() for one in text.split(",") if one.strip()]
    if not found or not all(map(_is_address, found)):
        raise ValueError("needs e-mail addresses, separated by commas, without names")
    return ",".join(found)


def _address(text: str) -> str:
    if not _is_address(text.strip()):
        raise ValueError("needs one e-mail address, without a name")
    return text.strip()


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None and text.count("@") == 1 and _NOT_IN_ADDRESS.isdisjoint(text)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server, with who writes to whom. `login` is a user and a password."""

    host: str
    port: int
    security: Security
    login: tuple[str, SecretStr] | None
    sender: str
    receivers: tuple[str, ...]


class NoticeSettings(BaseModel):
    """Where notices go, and from when on a connection is stale. `Settings` is one."""

    notice_webhook: Annotated[SecretStr, AfterValidator(_webhook)] | None = Field(
        None, description="Address of a webhook that gets notices, a secret: of Slack, Teams or your own"
    )
    notice_shape: Literal["text", "card"] = Field(
        "text", description="JSON of the webhook: `text`, as Slack takes it, or `card`, as Teams' Workflows take it"
    )
    notice_stale_hours: float = Field(
        26.0, ge=0, le=8760, description="Hours without a committed sync after which a notice says so; 0: never"
    )
    mail_host: Annotated[str, AfterValidator(_host)] | None = Field(
        None, description="Mail server (SMTP) that notices are sent through; without it, none is mailed"
    )
    mail_port: int | None = Field(
        None, ge=1, le=65_535, description="Its port; default: 587, 465 or 25, as `JOIN_PIPELINE_MAIL_SECURITY` says"
    )
    mail_security: Security = Field(
        "starttls", description="How the connection is encrypted: `starttls`, `tls`, or `none` on this machine only"
    )
    mail_user: str | None = Field(None, min_length=1, max_length=320, description="User at the mail server")
    mail_password: SecretStr | None = Field(None, description="Password at the mail server, a secret")
    mail_from: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="E-mail address that notices come from"
    )
    mail_to: Annotated[str, AfterValidator(_addresses)] | None = Field(
        None, description="E-mail addresses that get notices, separated by commas"
    )

    @model_validator(mode="after")
    def _mail_can_be_sent(self) -> Self:
        if self.mail_host is None:
            return self
        if self.mail_from is None or self.mail_to is None:
            raise ValueError("JOIN_PIPELINE_MAIL_HOST: needs JOIN_PIPELINE_MAIL_FROM and JOIN_PIPELINE_MAIL_TO")
        if (self.mail_user is None) != (self.mail_password is None):
            raise ValueError("JOIN_PIPELINE_MAIL_USER: needs JOIN_PIPELINE_MAIL_PASSWORD, and the other way round")
        if self.mail_security == "none" and not is_on_this_machine(self.mail_host):
            raise ValueError("JOIN_PIPELINE_MAIL_SECURITY: none is for a mail server on this machine only")
        return self

    @property
    def mail(self) -> Mail | None:
        """The mail server that notices are sent through, or None."""
        if self.mail_host is None or self.mail_from is None or self.mail_to is None:
            return None
        login = (self.mail_user, self.mail_password) if self.mail_user and self.mail_password else None
        port = self.mail_port or PORTS[self.mail_security]
        return Mail(self.mail_host, port, self.mail_security, login, self.mail_from, tuple(self.mail_to.split(",")))

    @property
    def is_told(self) -> bool:
        """Whether notices go anywhere."""
        return self.notice_webhook is not None or self.mail is not None


OWN_SETTINGS: Final = frozenset(NoticeSettings.model_fields)
"""These settings change nothing of what is published."""
