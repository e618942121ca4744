"""Unit tests talk to this machine only: a sandbox or a server of their own, over real HTTP."""

import os
import socket
from typing import Any, Final

import pytest

HERE: Final = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def nothing_beyond_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            assert str(address[0]).startswith(HERE), f"a unit test asks {address[0]}"
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def no_settings_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("JOIN_PIPELINE_", "JOIN_API_", "KOMBO_")):
            monkeypatch.delenv(name)
