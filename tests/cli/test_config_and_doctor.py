"""`config show` tells each setting and where it came from; `doctor` finds what is wrong and says what to do."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from specloop.app import diagnosis
from specloop.app.diagnosis import diagnose
from specloop.db.folder import DataFolder
from specloop.db.migrations.upgrading import script_directory
from specloop.db.telemetry.lock import FolderLock
from specloop.settings import Settings, load
from specloop.transport.tls import OwnCertificate
from tests.cli.conftest import Terminal
from tests.engines import PostgresServer


def rows(terminal: Terminal, *arguments: str) -> dict[str, dict[str, str]]:
    """The settings as `config show --json` tells them, by name."""
    return {row["name"]: row for row in terminal("config", "show", "--json", *arguments).document}


def test_each_setting_tells_its_source(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "specloop.toml").write_text('workers = 3\nlog_level = "debug"\nsecret_key = "very hidden"')
    monkeypatch.setenv("SPECLOOP_LOG_LEVEL", "error")
    shown = rows(terminal)
    assert shown.keys() == Settings.model_fields.keys()
    assert (shown["workers"]["value"], shown["workers"]["source"]) == ("3", "file specloop.toml")
    assert (shown["log_level"]["value"], shown["log_level"]["source"]) == ("error", "environment")
    assert (shown["role"]["value"], shown["role"]["source"]) == ("all", "default")
    assert shown["secret_key"]["value"] == "(set)"
    assert all(row["help"] for row in shown.values())
    assert "very hidden" not in terminal("config", "show").out


def test_secrets_within_addresses_are_hidden(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECLOOP_STATE_URL", "postgresql://me:hunter2secret@db/x")
    monkeypatch.setenv("SPECLOOP_OAUTH__HUB__CLIENT_ID", "id")
    monkeypatch.setenv("SPECLOOP_OAUTH__HUB__CLIENT_SECRET", "hunter3secret")
    monkeypatch.setenv("SPECLOOP_OAUTH__HUB__ISSUER", "https://hub.test")
    for form in ((), ("--json",)):
        said = terminal("config", "show", *form).out
        assert "hunter" not in said
    assert [name.lower() for name in rows(terminal)["oauth"]["value"]] == ["hub"]


def test_the_doctor_finds_nothing_wrong_with_a_running_server(terminal: Terminal, server: str, data: Path) -> None:
    address = server.removeprefix("http://")
    said = terminal("doctor", "--data", str(data), "--listen", address, "--json")
    assert said.code == 0, said.out
    found = {row["check"]: row for row in said.document}
    assert found.keys() >= {"data folder", "lock", "listen", "state store", "telemetry", "certificate", "clock", "disk"}
    assert {row["status"] for row in found.values()} == {"ok"}
    assert "pid" in found["lock"]["detail"]
    assert "schema" in found["state store"]["detail"]
    text = terminal("doctor", "--data", str(data), "--listen", address).out
    assert text.count("✓") == len(found)


def test_a_deep_look_reads_every_document(terminal: Terminal, server: str, data: Path) -> None:
    said = terminal("doctor", "--data", str(data), "--listen", server.removeprefix("http://"), "--deep", "--json")
    found = {row["check"]: row["detail"] for row in said.document}
    assert "all intact" in found["documents"]
    assert found["blobs"]


def test_the_doctor_makes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    said = terminal("doctor", "--data", str(tmp_path / "nothing"), "--listen", "127.0.0.1:0")
    assert said.code == 0, said.out
    assert "specloop up" in said.out
    assert not (tmp_path / "nothing").exists()


def test_the_doctor_fails_with_advice(terminal: Terminal, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = terminal("doctor", "--data", str(tmp_path / "nothing"), "--listen", address)
    assert said.code == 1
    assert "✗ listen" in said.out
    assert "--listen" in said.out


def test_the_doctor_tells_an_unreachable_database_without_its_password(terminal: Terminal) -> None:
    said = terminal("doctor", "--state-url", "postgresql://me:hunter2secret@127.0.0.1:1/x", "--json")
    assert said.code == 1
    (finding,) = [row for row in said.document if row["check"] == "state store"]
    assert finding["status"] == "failed"
    assert "state_url" in finding["advice"]
    assert "hunter2" not in said.out


def test_a_reachable_postgresql_is_told_its_schema(postgres_server: PostgresServer, postgres_template: str) -> None:
    newest = script_directory().get_current_head()
    assert f"schema {newest}" in diagnosis.check_state(postgres_server.url(postgres_template)).detail
    empty = diagnosis.check_state(postgres_server.url(postgres_server.create_database()))
    assert "empty" in empty.detail


def test_a_store_of_a_newer_version_fails(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as future:
        future.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        future.execute("INSERT INTO alembic_version VALUES ('9999_future')")
    finding = diagnosis.check_state(f"sqlite:///{tmp_path / 'state.db'}")
    assert (finding.status, "newer Specloop" in finding.detail) == ("failed", True)


def test_an_open_folder_and_an_open_secret_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert diagnosis.check_folder(folder).advice == f"Run: chmod 700 {folder}"
    folder.chmod(0o700)
    (folder / "secret.key").write_text("x")
    (folder / "secret.key").chmod(0o644)
    assert diagnosis.check_folder(folder).status == "failed"
    (folder / "secret.key").chmod(0o600)
    assert diagnosis.check_folder(folder).status == "ok"
    assert diagnosis.check_folder(folder / "secret.key").status == "failed"


def test_a_lock_file_alone_is_no_running_server(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert diagnosis.lock_owner(tmp_path) == str(os.getpid())
    folder.release()
    assert (tmp_path / "specloop.lock").exists()
    assert diagnosis.lock_owner(tmp_path) is None
    FolderLock(tmp_path).release()  # looking has not kept anybody out


def test_certificates_that_ended_or_lack_a_name_are_told(tmp_path: Path) -> None:
    settings = load({"data": tmp_path, "listen": ["127.0.0.1:0", "192.0.2.7:0"]}).settings
    now = datetime(2030, 1, 1, tzinfo=UTC)
    OwnCertificate(tmp_path / "tls", ("localhost",)).current(now)
    lacking = diagnosis.check_certificate(settings, now)
    assert (lacking.status, "192.0.2.7" in lacking.detail) == ("warning", True)
    ended = diagnosis.check_certificate(settings, now + timedelta(days=365))
    assert (ended.status, bool(ended.advice)) == ("failed", True)
    (tmp_path / "tls" / "server.crt").write_text("no certificate")
    assert diagnosis.check_certificate(settings, now).status == "failed"


def test_a_clock_before_the_newest_file_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "state.db").touch()
    assert diagnosis.check_clock(tmp_path, time.time()).status == "ok"
    wrong = diagnosis.check_clock(tmp_path, time.time() - 86_400)
    assert (wrong.status, "NTP" in wrong.advice) == ("failed", True)


@pytest.mark.parametrize(("free", "status"), [(1 << 20, "failed"), (1 << 30, "warning"), (1 << 40, "ok")])
def test_little_room_is_told_before_none_is_left(free: int, status: str) -> None:
    assert diagnosis.judge_disk(free, Path("/data")).status == status


def test_open_registration_beyond_this_machine_is_a_warning(tmp_path: Path) -> None:
    settings = load({"data": tmp_path, "listen": ["0.0.0.0:0"], "registration": "open"}).settings
    statuses = {finding.check: finding.status for finding in diagnose(settings)}
    assert statuses["registration"] == "warning"
    bad = load({"data": tmp_path, "listen": ["nonsense"]}).settings
    assert {finding.check: finding.status for finding in diagnose(bad)}["listen"] == "failed"
