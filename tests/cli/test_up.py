"""`specloop up` says what is plainly wrong at once, and ends at once when it is told so twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.server import free_port, spawn, wait_until_ready


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:99999", "[127.0.0.1]:80"])
def test_a_bad_listening_address_is_a_bad_setting(tmp_path: Path, address: str) -> None:
    said = Command(tmp_path)("up", "--data", "data", "--listen", address)
    assert said.code == 2
    assert said.err.startswith(f"specloop: listen: {address!r}")
    assert not (tmp_path / "data").exists()


def test_a_second_signal_ends_the_server_without_a_word_of_complaint(tmp_path: Path) -> None:
    port = free_port()
    process = spawn(tmp_path, port)
    wait_until_ready(f"http://127.0.0.1:{port}", process)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert "Traceback" not in (tmp_path / "server.log").read_text()
