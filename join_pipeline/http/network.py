"""The network between this machine and an API: a proxy and certificates, as the environment names them.

Belongs here: which of them holds for which address. Not here: requests (client). httpx itself reads `HTTPS_PROXY`,
`NO_PROXY`, `SSL_CERT_FILE` and `SSL_CERT_DIR`. An https address goes through a proxy's CONNECT: it sees the host's name
and nothing else, so no token either.
"""

from ipaddress import ip_address
from typing import Any

import httpx

from join_pipeline.errors import SettingsError


def is_on_this_machine(host: str) -> bool:
    """Whether an address never leaves this machine, as the sandbox's."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(text: str) -> str:
    """The address of an API without a slash at its end, or a `ValueError` that says why it is none."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError("not a URL") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("needs http:// or https:// and a host")
    try:
        url.host.encode("idna")
    except UnicodeError:
        raise ValueError("the host is no host name") from None
    if "%" in url.host:
        raise ValueError("the host is no host name")
    if url.scheme == "http" and not is_on_this_machine(url.host):
        raise ValueError("needs https://: the token would cross the network in the clear")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("takes no user, query or fragment")
    return text.rstrip("/")


def http_client(base: httpx.URL, **options: Any) -> httpx.Client:
    """A client for one server. `SettingsError` if the environment's proxy or certificates can't be used."""
    try:
        # no proxy can reach this machine's own addresses
        return httpx.Client(trust_env=not is_on_this_machine(base.host), **options)
    except (ValueError, ImportError, OSError) as error:
        raise SettingsError(
            f"The proxy or the certificates that the environment names can't be used ({type(error).__name__}). Check "
            "HTTPS_PROXY and ALL_PROXY (http://host:port; SOCKS is not supported), SSL_CERT_FILE and SSL_CERT_DIR."
        ) from None
