"""Proxies and certificates of the environment: used, reported when they fail, and never shown the token."""

import base64
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.environment import asked_directly
from join_pipeline.errors import SettingsError, TransientError
from join_pipeline.http.network import is_on_this_machine
from join_pipeline.sources.join.client import JoinClient
from join_pipeline_tests.unit.sources.join.loopback import as_json, serving

TOKEN = "a-token-for-tests"
HOST = "api.join.example"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_other_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@dataclass
class Proxy:
    """A proxy that opens every tunnel itself, and what it saw of it from outside and inside."""

    port: int
    certificate: Path
    outside: list[bytes] = field(default_factory=list)
    inside: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file, for a host that no authority vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("the certificate of this test is made by openssl, which is not installed")
    made = tmp_path_factory.mktemp("tls") / "host.pem"
    key = made.with_name("key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(made), "-days", "2", "-subj", f"/CN={HOST}"]
    command += ["-addext", f"subjectAltName=DNS:{HOST}"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return made


@pytest.fixture
def proxy(certificate: Path) -> Iterator[Proxy]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Proxy(listener.getsockname()[1], certificate)
        threading.Thread(target=_tunnel, args=(listener, tls, made), daemon=True).start()
        yield made


def _tunnel(listener: socket.socket, tls: ssl.SSLContext, proxy: Proxy) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # the test is over
            return
        with connection:
            connection.settimeout(30)
            proxy.outside.append(_head(connection))
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            try:
                with tls.wrap_socket(connection, server_side=True) as inner:
                    proxy.inside.append(_head(inner))
                    inner.sendall(ANSWER)
            except OSError:  # the client does not trust the certificate
                continue


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (came := connection.recv(65_536)):
        head += came
    return head


def client(url: str = f"https://{HOST}/v2") -> JoinClient:
    return JoinClient(url, TOKEN, timeout_seconds=30, max_wait_seconds=0.01)


def test_a_proxy_is_asked_for_a_tunnel_and_never_sees_the_token(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy.certificate))
    with client() as asking:
        assert asking.whole("/categories").records == []
    assert [head.splitlines()[0] for head in proxy.outside] == [f"CONNECT {HOST}:443 HTTP/1.1".encode()]
    assert TOKEN.encode() not in b"".join(proxy.outside)
    assert f"Authorization: {TOKEN}".encode() in b"".join(proxy.inside)


def test_a_certificate_that_nobody_vouches_for_gets_no_token(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    with client() as asking, pytest.raises(TransientError, match="check the network, the proxy"):
        asking.whole("/categories")
    assert len(proxy.outside) > 0
    assert proxy.inside == []


def test_a_host_that_needs_no_proxy_is_asked_without_one(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "join.invalid")
    with client("https://api.join.invalid/v2") as asking, pytest.raises(TransientError):
        asking.whole("/categories")
    assert proxy.outside == []


def test_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(lambda _: as_json([])) as served, client(served.url) as asking:
        assert asking.whole("/categories").records == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1080"),
        ("HTTPS_PROXY", "ftp://user:secret@proxy"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ],
)
def test_what_cant_be_used_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        client()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_addresses_of_this_machine(host: str) -> None:
    assert is_on_this_machine(host)


@pytest.mark.parametrize("host", ["api.join.com", "localhost.example", "10.0.0.1", "::2"])
def test_addresses_of_others(host: str) -> None:
    assert not is_on_this_machine(host)


SECRETS = ("pass#word", "pass/word", "pa@ss:word", "100%sure", "100%25", "a b", "p?q", "[x]", "ü€", "%zz", "\\", "'\"")


@pytest.mark.parametrize("password", SECRETS)
def test_a_password_may_hold_any_character(proxy: Proxy, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://us er:{password}@127.0.0.1:{proxy.port}/")
    monkeypatch.setenv("NO_PROXY", "[::1],localhost,::1/128,[fe80::1]:80,10.0.0.0/8,*.internal,http://x.example:80,%%%")
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy.certificate))
    with client() as asking:
        assert asking.whole("/categories").records == []
    login = next(line for line in proxy.outside[0].splitlines() if line.startswith(b"Proxy-Authorization: Basic "))
    expected = f"us er:{'100%' if password == '100%25' else password}"
    assert base64.b64decode(login.split()[-1]).decode() == expected


def test_a_proxy_without_a_scheme_is_one_over_http(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f" 127.0.0.1:{proxy.port} ")
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy.certificate))
    with client() as asking:
        assert asking.whole("/categories").records == []
    assert len(proxy.outside) == 1


@pytest.mark.parametrize(
    "entry",
    [
        HOST,
        f".{HOST}",
        "example",
        ".example",
        "*",
        "*.example",
        f"x.y, {HOST}",
        f"{HOST}:443",
        f"https://{HOST}",
        "JOIN.EXAMPLE",
    ],
)
def test_who_is_in_no_proxy_is_asked_without_one(entry: str) -> None:
    assert asked_directly(HOST, {"NO_PROXY": entry})


@pytest.mark.parametrize(
    "entry", ["", ",", "ample", "xexample", "[::1]", "::1", "127.0.0.1", "10.0.0.0/8", ".", "[", "]", "/"]
)
def test_who_is_not_in_no_proxy_is_asked_through_it(entry: str) -> None:
    assert not asked_directly(HOST, {"NO_PROXY": entry})


@pytest.mark.parametrize(
    ("host", "entry"), [("10.1.2.3", "10.0.0.0/8"), ("::2", "[::2]"), ("::2", "::/16"), ("10.1.2.3", "10.1.2.3:80")]
)
def test_addresses_in_no_proxy(host: str, entry: str) -> None:
    assert asked_directly(host, {"no_proxy": entry})


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        "http://us:se#cret@",
        "http://",
        "http://se/cret:x@ho st:1",
        "http://us:secret@proxy:port",
        "http://us:secret@proxy:99999",
        "http://us:secret@[::1",
        "http://us:secret@" + "a" * 70,
        "http://us:secret@proxy..example",
        "socks5h://us:secret@proxy",
        "secret://proxy",
        "://secret",
        "http:secret",
        "http://us:pass@secret\n.example",
    ],
)
def test_a_proxy_that_cant_be_used_is_named_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} can't be used: ") as caught:
        client()
    assert "secret" not in str(caught.value)
    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40), st.sampled_from(VARIABLES[:4]))
def test_no_text_of_a_variable_breaks_a_client(text: str, name: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(name, text)
        try:
            with client():
                pass
        except SettingsError as error:
            assert str(error).startswith(f"{name} can't be used: ")  # noqa: PT017  some texts are proxies
