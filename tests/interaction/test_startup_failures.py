"""What stops a start: one plain line that says what is wrong and what is allowed, an exit code, never a traceback."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.cli.command import Command, Said
from tests.cli.conftest import Terminal, terminal
from tests.engines import PostgresServer

__all__ = ["terminal"]
BAD_SETTING, FOLDER, UNREACHABLE, TOO_NEW, LOCKED = 2, 3, 4, 5, 6
TELEMETRY_OF_THE_FUTURE = """
import asyncio, sys
from specloop.db.telemetry import TelemetryStore
from specloop.db.telemetry.migrations import Migration, packaged_migrations

async def main():
    future = Migration(9999, "future", ("SELECT 1",))
    store = await TelemetryStore.open(sys.argv[1], migrations=[*packaged_migrations(), future])
    await store.close()

asyncio.run(main())
"""


@pytest.fixture
def specloop(tmp_path: Path) -> Command:
    """The command in an empty home."""
    return Command(tmp_path)


class Inside:
    """The command in this process: settings are refused before anything is started, which is soon seen."""

    def __init__(self, terminal: Terminal, patch: pytest.MonkeyPatch) -> None:
        self._terminal = terminal
        self._patch = patch

    def __call__(self, *arguments: str, **environment: str) -> Said:
        """Run to the end with these variables."""
        with self._patch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return self._terminal(*arguments)


@pytest.fixture
def inside(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """The command in an empty home, without an interpreter of its own."""
    for name in [name for name in os.environ if name.startswith("SPECLOOP_")]:
        monkeypatch.delenv(name)
    return Inside(terminal, monkeypatch)


def assert_plain(said: Said, code: int, *words: str) -> None:
    """One line on standard error with all `words`, and this exit code."""
    assert said.code == code, said.err
    lines = [line for line in said.err.splitlines() if not line.startswith("{")]  # structured log lines aside
    assert len(lines) == 1, said.err
    assert lines[0].startswith("specloop: ")
    assert "Traceback" not in said.err
    for word in words:
        assert word in lines[0]


def test_a_taken_port_is_named(specloop: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert_plain(specloop("up", "--listen", address), 1, address, "taken", "--listen")


def test_a_folder_that_another_process_uses_is_refused_with_its_pid(specloop: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    hold = "import sys,pathlib; from specloop.db.folder import DataFolder; f = DataFolder(pathlib.Path(sys.argv[1]))\n"
    command = [sys.executable, "-c", hold + "print('held', flush=True); sys.stdin.read()", str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        assert_plain(specloop("up", "--data", str(data), "--listen", "127.0.0.1:0"), LOCKED, str(data), f"{owner.pid}")
        owner.communicate()


def test_a_data_folder_that_is_a_file_is_refused(specloop: Command, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    assert_plain(specloop("up", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0"), FOLDER, "data")


def test_a_sqlite_store_of_a_newer_version_is_refused(specloop: Command, tmp_path: Path, sqlite_template: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(sqlite_template, data / "state.db")
    with sqlite3.connect(data / "state.db") as future:
        future.execute("UPDATE alembic_version SET version_num = '9999_future'")
    assert_plain(specloop("up", "--data", str(data), "--listen", "127.0.0.1:0"), TOO_NEW, "newer Specloop")


def test_a_postgresql_store_of_a_newer_version_is_refused(
    specloop: Command, postgres_server: PostgresServer, postgres_template: str
) -> None:
    url = postgres_server.url(postgres_server.create_database(template=postgres_template))
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    assert_plain(specloop("up", "--state-url", url, "--listen", "127.0.0.1:0"), TOO_NEW, "newer Specloop")


def test_a_telemetry_store_of_a_newer_version_is_refused(specloop: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    address = f"chdb://{data / 'telemetry'}"
    subprocess.run([sys.executable, "-c", TELEMETRY_OF_THE_FUTURE, address], check=True)
    assert_plain(specloop("up", "--data", str(data), "--listen", "127.0.0.1:0"), TOO_NEW, "9999")


@pytest.mark.parametrize(
    ("flag", "url"),
    [
        ("--state-url", "postgresql://user:hunter2secret@127.0.0.1:1/nothing"),
        ("--state-url", "mysql://user:hunter2secret@127.0.0.1/nothing"),
        ("--telemetry-url", "clickhouse://user:hunter2secret@127.0.0.1:1/nothing"),
        ("--telemetry-url", "influx://user:hunter2secret@127.0.0.1:1/nothing"),
    ],
)
def test_an_unreachable_database_is_named_without_its_password(specloop: Command, flag: str, url: str) -> None:
    said = specloop("up", flag, url, "--listen", "127.0.0.1:0")
    assert_plain(said, UNREACHABLE, flag.removeprefix("--").partition("-")[0])
    assert "hunter2secret" not in said.err


def test_a_bad_value_names_the_setting_its_source_and_what_is_allowed(inside: Inside, tmp_path: Path) -> None:
    allowed = ("role", "'all', 'api', 'ingest' or 'worker'")
    assert_plain(inside("up", "--role", "boss"), BAD_SETTING, *allowed, "flag")
    assert_plain(inside("up", SPECLOOP_ROLE="boss"), BAD_SETTING, *allowed, "environment")
    (tmp_path / "specloop.toml").write_text('role = "boss"')
    assert_plain(inside("up"), BAD_SETTING, *allowed, "specloop.toml")
    assert_plain(inside("up", "--role", "all", SPECLOOP_WORKERS="0"), BAD_SETTING, "workers", "equal to 1")


def test_an_address_that_is_none_names_its_spelling(inside: Inside) -> None:
    said = inside("up", "--listen", "nonsense")
    assert said.code != 0
    assert_plain(said, said.code, "'nonsense'", "ADDR:PORT", "127.0.0.1:8000")


def test_an_unknown_setting_is_refused(inside: Inside, tmp_path: Path) -> None:
    assert_plain(inside("up", SPECLOOP_COLOUR="red"), BAD_SETTING, "SPECLOOP_COLOUR", "no such setting")
    assert inside("config", "show", SPECLOOP_TOKEN="sf_x", SPECLOOP_SERVER_URL="http://127.0.0.1:9").code == 0
    (tmp_path / "other.toml").write_text('colour = "red"')
    assert_plain(inside("up", "--config", "other.toml"), BAD_SETTING, "colour", "other.toml", "no such setting")
    assert_plain(inside("up", "--config", "missing.toml"), BAD_SETTING, "missing.toml")
    (tmp_path / "broken.toml").write_text("role =")
    assert_plain(inside("up", "--config", "broken.toml"), BAD_SETTING, "broken.toml", "Invalid value")


def test_a_role_of_its_own_needs_database_servers(specloop: Command) -> None:
    said = specloop("up", "--role", "worker", "--listen", "127.0.0.1:0")
    assert_plain(said, BAD_SETTING, "role=worker", "state_url", "telemetry_url", "role=all")
