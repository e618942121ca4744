"""Which addresses are public: none that leads to this machine, to a private network, or to nobody."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.http.network import SPECIAL_IPV4, is_public

PUBLIC = (
    "93.184.215.14",
    "8.8.8.8",
    "192.0.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.0.1",
    "198.17.0.1",
    "223.255.255.255",
    "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "2a00::5efe:808:808",
)
SPECIAL = (
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.19.255.255",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::7f00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2a00::5efe:a00:1",
    "2a00::200:5efe:7f00:1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:2800::1%eth0",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
    "",
    "localhost",
    "127.1",
    "8.8.8.8/32",
)
V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
PRIVATE_V4 = st.sampled_from(SPECIAL_IPV4).flatmap(
    lambda block: st.integers(int(block[0]), int(block[-1])).map(ipaddress.IPv4Address)
)
LOW = st.integers(0, 2**32 - 1)


def wrapped(inner: ipaddress.IPv4Address, filler: int) -> dict[str, int]:
    """Every way to write an IPv4 address into one of IPv6."""
    number = int(inner)
    return {
        "compatible": number,
        "mapped": 0xFFFF << 32 | number,
        "translated": 0xFFFF << 48 | number,
        "NAT64": 0x64FF9B << 96 | number,
        "local NAT64": 0x64FF9B0001 << 80 | number,
        "6to4": 0x2002 << 112 | number << 80 | filler,
        "Teredo, client": 0x20010000 << 96 | 0x08080808 << 64 | (~number & 0xFFFFFFFF),
        "Teredo, server": 0x20010000 << 96 | number << 64 | (~0x08080808 & 0xFFFFFFFF),
        "ISATAP": 0x2A00 << 112 | 0x5EFE << 32 | number,
        "ISATAP, global": 0x2A00 << 112 | 0x02005EFE << 32 | number,
    }


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", SPECIAL)
def test_any_other_address_is_none(address: str) -> None:
    assert not is_public(address)


@given(PRIVATE_V4, LOW)
def test_no_form_makes_a_private_address_public(inner: ipaddress.IPv4Address, filler: int) -> None:
    assert not is_public(str(inner))
    forms = wrapped(inner, filler)
    assert {
        form: str(ipaddress.IPv6Address(bits))
        for form, bits in forms.items()
        if is_public(str(ipaddress.IPv6Address(bits)))
    } == {}


@given(V4)
def test_an_address_is_as_public_as_the_standard_library_says_at_most(address: ipaddress.IPv4Address) -> None:
    assert address.is_global or not is_public(str(address))


@given(st.one_of(st.integers(0, 2**128 - 1), st.integers(0, 2**120 - 1).map(lambda low: 0x20 << 120 | low)))
def test_so_is_one_of_ipv6(bits: int) -> None:
    address = ipaddress.IPv6Address(bits)
    carries = address in ipaddress.IPv6Network("2002::/16") or address in ipaddress.IPv6Network("2001::/32")
    assert address.is_global or carries or not is_public(str(address))


@given(st.text(max_size=40))
def test_what_is_no_address_is_not_public(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert not is_public(text)
