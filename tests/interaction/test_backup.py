"""A backup of a working server, restored elsewhere: nothing that was acknowledged before it is missing."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from specloop.kit import json
from tests.server import started_server


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A `specloop` command."""
    return subprocess.run([sys.executable, "-m", "specloop", *arguments], capture_output=True, check=False, timeout=120)


class Owner:
    """A user who uploads sessions and sends traces, and remembers what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=60)
        body = {"email": "keeper@test.com", "password": "devpass", "tenant_name": "K"}
        made = self.client.post("/api/v1/auth/register", json=body).raise_for_status().json()
        self.client.headers["authorization"] = f"Bearer {made['access_token']}"
        self.traces_path = f"/api/v1/workspaces/{made['workspace_id']}/traces"
        self.sessions: list[str] = []
        self.traces: list[str] = []

    def add(self, number: int) -> None:
        """One session and one trace."""
        text = f"_**User**_\n\nquestion {number}\n"
        upload = {"projectId": "p", "projectName": "P", "name": f"n{number}", "markdown": text, "rawData": "{}"}
        self.client.put(f"/api/v1/projects/p/sessions/s-{number}", json=upload).raise_for_status()
        self.sessions.append(f"s-{number}")
        trace = {
            "name": f"run {number}",
            "input": "q",
            "output": "a",
            "started_at": "2026-01-01T00:00:00Z",
            "ended_at": "2026-01-01T00:00:01Z",
        }
        moved = json.loads(json.dumps({"traces": [{**trace, **times()}]}))
        answer = self.client.post(self.traces_path, json=moved).raise_for_status().json()
        assert answer["rejected"] == []
        self.traces += answer["trace_ids"]

    @contextmanager
    def busy(self) -> Generator[None]:
        """Go on adding while the block runs."""
        stop = threading.Event()

        def work() -> None:
            number = 1000
            while not stop.is_set():
                self.add(number)
                number += 1

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def times() -> dict[str, str]:
    """Start and end of a run of just now: the server takes no old spans."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    now = datetime.now(UTC)
    return {"started_at": (now - timedelta(seconds=1)).isoformat(), "ended_at": now.isoformat()}


def read(url: str, headers: dict[str, str], path: str) -> Any:
    """An answer of the restored server."""
    return httpx.get(url + path, headers=headers, timeout=60).raise_for_status().json()


def test_a_backup_under_load_holds_everything_acknowledged_before_it(tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.zst"
    with started_server(tmp_path / "data") as url:
        owner = Owner(url)
        for number in range(20):
            owner.add(number)
        deleted, *traces = owner.traces
        owner.client.delete(f"{owner.traces_path}/{deleted}").raise_for_status()
        sessions = list(owner.sessions)
        with owner.busy():
            done = run("backup", str(archive), "--data", str(tmp_path / "data"), "--json")
        assert done.returncode == 0, done.stderr
        token = owner.client.headers["authorization"]
    assert not list((tmp_path / "data").glob(".backup-*"))
    restored = run("restore", str(archive), "--data", str(tmp_path / "again"))
    assert restored.returncode == 0, restored.stderr
    with started_server(tmp_path / "again") as url:
        headers = {"authorization": token}
        listed = read(url, headers, "/api/v1/projects/p/sessions?limit=500")["data"]["sessions"]
        assert {one["clientId"] for one in listed} >= set(sessions)
        for name in sessions[:3]:
            session = read(url, headers, f"/api/v1/projects/p/sessions/{name}")["data"]["session"]
            assert session["markdownContent"].startswith("_**User**_")
        for trace_id in traces:
            assert read(url, headers, f"{owner.traces_path}/{trace_id}")["trace_id"] == trace_id
        assert httpx.get(f"{url}{owner.traces_path}/{deleted}", headers=headers, timeout=60).status_code == 404


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a small installation whose server is stopped."""
    folder = tmp_path_factory.mktemp("small")
    with started_server(folder / "data"):
        pass
    assert run("backup", str(folder / "a.tar.zst"), "--data", str(folder / "data")).returncode == 0
    return folder / "a.tar.zst"


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_an_archive_that_was_cut_off_restores_nothing(archive: Path, tmp_path: Path, kept: float) -> None:
    data = archive.read_bytes()
    cut = tmp_path / "cut.tar.zst"
    cut.write_bytes(data[: int(len(data) * kept)])
    assert run("restore", str(cut), "--data", str(tmp_path / "new")).returncode == 3
    assert not (tmp_path / "new").exists()


def test_a_changed_byte_is_noticed(archive: Path, tmp_path: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    bad = tmp_path / "bad.tar.zst"
    bad.write_bytes(data)
    assert run("restore", str(bad), "--data", str(tmp_path / "new")).returncode == 3
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = run("restore", str(archive), "--data", str(tmp_path))
    assert done.returncode == 3
    assert b"restore into a new one" in done.stderr
    assert (tmp_path / "mine").read_text() == "precious"


def test_an_archive_is_readable_by_its_owner_only(archive: Path) -> None:
    assert archive.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("is_link", [False, True])
def test_an_empty_folder_is_filled_and_not_replaced(archive: Path, tmp_path: Path, is_link: bool) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "lost+found").mkdir()
    before = folder.stat().st_ino
    named = tmp_path / "link" if is_link else folder
    if is_link:
        named.symlink_to(folder)
    bad = tmp_path / "bad.tar.zst"
    bad.write_bytes(archive.read_bytes()[:-200])
    assert run("restore", str(bad), "--data", str(named)).returncode == 3
    assert [one.name for one in folder.iterdir()] == ["lost+found"]
    done = run("restore", str(archive), "--data", str(named))
    assert done.returncode == 0, done.stderr
    assert folder.stat().st_ino == before
    assert named.is_symlink() == is_link
    assert {"state.db", "secret.key"} <= {one.name for one in folder.iterdir()}
    assert not [one for one in folder.iterdir() if one.name.startswith(".")]
    with started_server(named) as url:
        assert httpx.get(f"{url}/api/v1/health", timeout=60).status_code == 200


def test_parts_that_lie_elsewhere_are_in_the_backup(archive: Path, tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    assert run("restore", str(archive), "--data", str(data)).returncode == 0
    elsewhere.mkdir()
    (elsewhere / "blobs" / "ab").mkdir(parents=True)
    (elsewhere / "blobs" / "ab" / "blob").write_bytes(b"important")
    (data / "secret.key").replace(elsewhere / "secret.key")
    for part in ("blobs", "secret.key"):
        (data / part).symlink_to(elsewhere / part)
    again = tmp_path / "again.tar.zst"
    assert run("backup", str(again), "--data", str(data)).returncode == 0
    done = run("restore", str(again), "--data", str(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "blobs" / "ab" / "blob").read_bytes() == b"important"
    assert not (tmp_path / "new" / "blobs").is_symlink()
    assert (tmp_path / "new" / "secret.key").read_bytes() == (elsewhere / "secret.key").read_bytes()


def test_stores_of_their_own_are_refused(tmp_path: Path) -> None:
    (tmp_path / "specloop.toml").write_text('state_url = "postgresql://localhost/x"\n')
    done = run("backup", str(tmp_path / "x"), "--data", str(tmp_path), "--config", str(tmp_path / "specloop.toml"))
    assert done.returncode == 2
    assert b"pg_dump" in done.stderr
    assert not (tmp_path / "x").exists()
