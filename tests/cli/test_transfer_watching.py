"""What `sessions watch` does when the server is away, and when a store of many chats changes."""

# pyright: reportPrivateUsage=false
# (a watcher's clock cannot be passed in, so what it has in mind is looked at)

from __future__ import annotations

import gzip
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from watchfiles import Change

from specloop.cli.session import RemoteError
from specloop.cli.transfer import watching
from specloop.cli.transfer.importing import Importer, Outcome, Result, Summary
from specloop.cli.transfer.preparing import Preparer
from specloop.cli.transfer.server import RecordServer, Sizes, Stopped
from specloop.cli.transfer.state import SentState
from specloop.cli.transfer.watching import Watcher
from specloop.record.sessions.importers import FoundTranscript, Places, find_local
from specloop.record.sessions.importers.payload import Client
from tests.record.importers import stores, terminal_stores

SECONDS_MAX = 60.0


class Server:
    """Takes sessions, or fails as told."""

    def __init__(self) -> None:
        self.sessions: dict[str, bytes] = {}
        self.tries = 0
        self.sizes_fail: Exception | None = None
        self.uploads_fail: Exception | None = None

    def sizes(self, project_id: str) -> dict[str, Sizes]:
        """Nothing is known yet."""
        self.tries += 1
        if self.sizes_fail:
            raise self.sizes_fail
        return {}

    def put_session(self, project_id: str, session_id: str, body: bytes) -> bool:
        """Keep it."""
        self.tries += 1
        if self.uploads_fail:
            raise self.uploads_fail
        is_new = session_id not in self.sessions
        self.sessions[session_id] = gzip.decompress(body)
        return is_new


def importer(server: Server, home: Path) -> Importer:
    preparer = Preparer(Client("specloop", "0", "device", "machine"), None)
    return Importer(cast(RecordServer, server), preparer, SentState("a", home / "sent.json"))


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    ends = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < ends
        threading.Event().wait(0.02)


@contextmanager
def followed(server: Server, home: Path) -> Generator[list[Outcome]]:
    """A watch of Claude Code's store, and what it said."""
    stopped, outcomes, ready = threading.Event(), list[Outcome](), threading.Event()

    def followed_now(_: list[Path]) -> None:
        ready.set()

    watcher = Watcher(importer(server, home), Places(home), ["claude"], stopped, quiet_seconds=0.1)
    thread = threading.Thread(target=watcher.run, args=(outcomes.append, followed_now))
    thread.start()
    try:
        assert ready.wait(SECONDS_MAX)
        yield outcomes
        assert thread.is_alive()
    finally:
        stopped.set()
        thread.join(SECONDS_MAX)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are tried again at once."""
    monkeypatch.setattr(watching, "RETRY_SECONDS_MIN", 0.1)


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), RemoteError(503, "busy", {})])
def test_a_change_that_came_while_the_server_was_away_is_sent_when_it_is_back(error: Exception, tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    server = Server()
    with followed(server, tmp_path) as outcomes:
        until(lambda: stores.CLAUDE_ID in server.sessions)
        server.uploads_fail = error
        tries = server.tries
        with path.open("ab") as file:
            file.write(stores.lines([stores.claude_record("user", "u9", "u3", "Last words", 40)]))
        until(lambda: server.tries >= tries + 3)
        server.uploads_fail = None
        until(lambda: b"Last words" in server.sessions[stores.CLAUDE_ID])
    results = [outcome.result for outcome in outcomes]
    assert results == [Result.CREATED, Result.FAILED, Result.UPDATED]  # the same failure is told once


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), RemoteError(502, "no server", {})])
def test_a_watch_outlives_a_server_that_cannot_say_what_it_has(error: Exception, tmp_path: Path) -> None:
    stores.write_claude(tmp_path)
    server = Server()
    server.sizes_fail = error
    with followed(server, tmp_path) as outcomes:
        until(lambda: server.tries >= 3)
        server.sizes_fail = None
        until(lambda: stores.CLAUDE_ID in server.sessions)
    assert [outcome.result for outcome in outcomes] == [Result.FAILED, Result.CREATED]


def test_what_cannot_be_sent_waits_longer_each_time_and_what_is_gone_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching.time, "monotonic", lambda: 100.0)
    path = stores.write_claude(tmp_path)
    watcher = Watcher(importer(Server(), tmp_path), Places(tmp_path), (), threading.Event(), quiet_seconds=10)
    (found,) = find_local(tmp_path)
    delays = list[int]()
    for _ in range(12):
        watcher._try_later(found, watching.RETRY_SECONDS_MAX)
        delays.append(round(watcher._not_before[found.place] - 100.0))
    assert delays[:6] == [10, 20, 40, 80, 160, 300]
    assert set(delays[6:]) == {300}
    watcher._waiting.clear()
    path.unlink()
    watcher._try_later(found, watching.RETRY_SECONDS_MAX)
    assert not watcher._waiting


def test_a_store_of_many_chats_is_listed_when_it_is_due_and_only_changed_chats_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stores.write_cursor_ide(tmp_path)
    watcher = Watcher(importer(Server(), tmp_path), Places(tmp_path), (), threading.Event(), quiet_seconds=1000)
    listed = list[Path]()

    def find(place: Path, names: Any) -> list[FoundTranscript]:
        listed.append(place)
        return find_local(tmp_path)

    monkeypatch.setattr(watching, "find_in", find)
    changes = [(Change.modified, str(path)), (Change.modified, f"{path}-wal")]
    for _ in range(3):
        watcher._look_at(changes)
    assert listed == []
    due = watcher._due()
    assert (listed, {found.key for found in due}) == ([path], {stores.COMPOSER_ID, "empty"})
    watcher._send(due, lambda _: None)
    watcher._look_at(changes)
    assert (watcher._due(), listed) == ([], [path])
    with closing(sqlite3.connect(path)) as store:
        store.execute("UPDATE cursorDiskKV SET value = replace(value, 'Built.', 'Done.')")
        store.commit()
    watcher._list([path])
    waiting = watcher._waiting.values()
    assert [found.key for found in waiting] == [stores.COMPOSER_ID]


def test_the_settings_beside_a_droids_session_stand_for_it(tmp_path: Path) -> None:
    path = terminal_stores.write_droid(tmp_path)
    watcher = Watcher(importer(Server(), tmp_path), Places(tmp_path), (), threading.Event())
    watcher._look_at([(Change.modified, str(path.with_suffix(".settings.json")))])
    assert [found.path for found in watcher._due()] == [path]


def test_an_import_that_is_ended_while_the_server_is_asked_ends_quietly(tmp_path: Path) -> None:
    stores.write_claude(tmp_path)
    server = Server()
    server.sizes_fail = Stopped()
    found = find_local(tmp_path)
    first = importer(server, tmp_path)
    assert first.run(found) == Summary()
    server.sizes_fail = None
    assert first.run(found).results[Result.CREATED] == 1
    server.sizes_fail = Stopped()
    assert importer(server, tmp_path).run(found) == Summary()  # now it is asked before anything is read
