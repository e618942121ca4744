"""The network between this machine and an API: addresses, and the proxy and certificates of the environment.

Belongs here: checking an address, making the httpx client for it. Not here: requests (client), reading `HTTPS_PROXY`
and `NO_PROXY` (settings, environment). httpx itself reads `SSL_CERT_FILE` and `SSL_CERT_DIR`. An https request goes
through the proxy's CONNECT, so the proxy sees the host's name only, and never a token.
"""

from ipaddress import ip_address
from typing import Any

import httpx

from join_pipeline.errors import SettingsError


def is_on_this_machine(host: str) -> bool:
    """Whether the host is this machine itself, such as for the sandbox."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(text: str) -> str:
    """The address of an API, without a slash at its end. Raises `ValueError` with the reason if it can't be one."""
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


def http_client(base: httpx.URL, *, verify: bool = True, **options: Any) -> httpx.Client:
    """A client for one server. Raises `SettingsError` if the environment's proxy or certificates can't be used."""
    from join_pipeline.settings import proxy_for  # noqa: PLC0415  the settings check addresses with this module

    is_own = is_on_this_machine(base.host)  # a proxy can't reach this machine's own addresses
    proxies = {} if is_own else proxy_for(base.host)
    try:
        certificates = httpx.create_ssl_context(trust_env=not is_own) if verify else False
        more = {"limits": options["limits"]} if "limits" in options else {}
        mounts = {
            f"{scheme}://": httpx.HTTPTransport(verify=certificates, proxy=proxy, **more)
            for scheme, proxy in proxies.items()
        }
        # httpx reads no proxy itself: it takes NO_PROXY=[::1], and # or / in a password, for a URL's other parts
        return httpx.Client(trust_env=False, verify=certificates, mounts=mounts, **options)
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        raise SettingsError(
            f"The proxy or the certificates that the environment names can't be used ({type(error).__name__}). Check "
            "HTTPS_PROXY and ALL_PROXY (http://host:port; SOCKS is not supported), SSL_CERT_FILE and SSL_CERT_DIR."
        ) from None
