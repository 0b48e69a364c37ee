"""A started server, and the command line of somebody who has signed in to it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from specloop.entry import main
from tests.cli.command import Command, Said
from tests.interaction.tenant import PASSWORD
from tests.server import started_server


class Terminal:
    """Runs commands inside this process, which saves the start of an interpreter for each."""

    def __init__(self, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capture = capture
        self._patch = patch

    def __call__(self, *arguments: str) -> Said:
        """Run to the end."""
        self._patch.setattr(sys, "argv", ["specloop", *arguments])
        self._capture.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        said = self._capture.readouterr()
        return Said(code, said.out, said.err)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's data folder."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def server(data: Path) -> Iterator[str]:
    """The address of a started server."""
    with started_server(data, SPECLOOP_REGISTRATIONS_PER_HOUR="1000000") as url:
        yield url


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of a user with an empty home folder."""
    for name, value in Command(tmp_path).variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return Terminal(capsys, monkeypatch)


@pytest.fixture
def email() -> str:
    """An address that nobody has used."""
    return f"{secrets.token_hex(8)}@test.com"


@pytest.fixture
def signed_in(terminal: Terminal, server: str, email: str) -> Terminal:
    """The terminal of somebody who has just registered."""
    said = terminal("login", "--url", server, "--email", email, "--password", PASSWORD, "--register", "Test")
    assert said.code == 0, said.err
    return terminal
