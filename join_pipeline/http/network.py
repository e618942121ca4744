"""The network between this machine and an API: addresses, and the proxy and certificates of the environment.

Belongs here: checking an address, making the httpx client for it, which addresses are public. Not here: requests
(client), reading `HTTPS_PROXY` and `NO_PROXY` (settings, environment). httpx itself reads `SSL_CERT_FILE` and
`SSL_CERT_DIR`. An https request goes through the proxy's CONNECT, so the proxy sees the host's name only, and never a
token.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Final

from join_pipeline.errors import SettingsError

if TYPE_CHECKING:
    import httpx


def is_on_this_machine(host: str) -> bool:
    """Whether the host is this machine itself, such as for the sandbox."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


SPECIAL_IPV4: Final = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""IANA's special-purpose blocks, with multicast."""
GLOBAL_IPV6: Final = IPv6Network("2000::/3")
"""The only block that addresses of hosts are given out from."""
SPECIAL_IPV6: Final = tuple(
    IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
)
"""IANA's special-purpose blocks within `GLOBAL_IPV6`. What they carry is judged before."""
# blocks that wrap an IPv4 address, which is where the connection goes
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TEREDO: Final = IPv6Network("2001::/32")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)
_LOW: Final = 0xFFFFFFFF


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet. An address that wraps others is public if all of them are."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in block for block in SPECIAL_IPV4)
    if ip.scope_id is not None:
        return False
    return all(is_public(str(inner)) for inner in _wrapped(ip)) and (
        any(ip in block for block in (_MAPPED, _NAT64, _SIX_TO_FOUR, _TEREDO))
        or (ip in GLOBAL_IPV6 and not any(ip in block for block in SPECIAL_IPV6))
    )


def _wrapped(ip: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an address wraps."""
    bits = int(ip)
    found = []
    if ip in _MAPPED or ip in _NAT64 or (bits >> 32) & _LOW in _ISATAP:
        found.append(bits)
    if ip in _SIX_TO_FOUR:
        found.append(bits >> 80)
    if ip in _TEREDO:
        found += [bits >> 64, ~bits]  # its server, and the client, which is written inverted
    return [IPv4Address(one & _LOW) for one in found]


def checked_url(text: str) -> str:
    """The address of an API, without a slash at its end. Raises `ValueError` with the reason if it can't be one."""
    import httpx  # noqa: PLC0415  a command without the network, such as a query, needs none

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


def http_client(base: "httpx.URL", *, verify: bool = True, **options: Any) -> "httpx.Client":
    """A client for one server. Raises `SettingsError` if the environment's proxy or certificates can't be used."""
    import httpx  # noqa: PLC0415

    from join_pipeline.http.deadline import bound  # noqa: PLC0415
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
        return bound(httpx.Client(trust_env=False, verify=certificates, mounts=mounts, **options))
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        raise SettingsError(
            f"The proxy or the certificates that the environment names can't be used ({type(error).__name__}). Check "
            "HTTPS_PROXY and ALL_PROXY (http://host:port; SOCKS is not supported), SSL_CERT_FILE and SSL_CERT_DIR."
        ) from None
