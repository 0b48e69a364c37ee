"""The Cursor editor's one database for all chats: copied once, each chat known by itself, half characters read."""

from __future__ import annotations

import gc
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from specloop.kit import json
from specloop.record.sessions.importers import UnreadableTranscript, find_in, find_local, read_transcript, sqlite_store
from tests.record.importers import stores
from tests.record.importers.reading import shape

CHATS = 5


class Copies:
    """How often a database was copied."""

    def __init__(self) -> None:
        self.count = 0

    def copied(self, path: Path, folder: Path) -> Path:
        """The copy."""
        self.count += 1
        return _copied(path, folder)


_copied = sqlite_store._copied  # pyright: ignore[reportPrivateUsage]  (what is counted is how often it is called)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Copies:
    counted = Copies()
    monkeypatch.setattr(sqlite_store, "_copied", counted.copied)
    return counted


def chat_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def put(owner: sqlite3.Connection, key: str, value: str | bytes) -> None:
    owner.execute("INSERT OR REPLACE INTO cursorDiskKV VALUES (?, ?)", [key, value])
    owner.commit()


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The editor, which has the store open and five chats in it."""
    path = tmp_path / ".config" / "Cursor" / "User" / "globalStorage" / "state.vscdb"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE cursorDiskKV (key TEXT UNIQUE, value BLOB)")
        connection.execute("CREATE TABLE ItemTable (key TEXT UNIQUE, value BLOB)")
        for number in range(CHATS):
            headers = [{"bubbleId": "b1", "type": 1}, {"bubbleId": "b2", "type": 2}]
            chat = {"composerId": chat_id(number), "fullConversationHeadersOnly": headers, "createdAt": 1750000000000}
            put(connection, f"composerData:{chat_id(number)}", json.dumps(chat))
            put(connection, f"bubbleId:{chat_id(number)}:b1", '{"bubbleId":"b1","type":1,"text":"Hello"}')
            put(connection, f"bubbleId:{chat_id(number)}:b2", '{"bubbleId":"b2","type":2,"text":"Hi"}')
        yield connection


def test_a_database_is_copied_once_for_all_its_chats_and_the_copy_goes_away(
    owner: sqlite3.Connection, copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "copies"))
    found = find_local(tmp_path)
    sessions = [read_transcript(each) for each in found]
    assert [session is not None for session in sessions] == [True] * CHATS
    assert copies.count == 1
    del found
    gc.collect()
    assert list((tmp_path / "copies").iterdir()) == []


def test_only_the_chat_that_changed_has_another_fingerprint(owner: sqlite3.Connection, tmp_path: Path) -> None:
    before = {found.key: found.fingerprint for found in find_local(tmp_path)}
    owner.execute("INSERT INTO ItemTable VALUES ('window.size', '1')")
    owner.commit()
    assert {found.key: found.fingerprint for found in find_local(tmp_path)} == before
    put(owner, f"bubbleId:{chat_id(3)}:b2", '{"bubbleId":"b2","type":2,"text":"Hi again"}')
    after = {found.key: found.fingerprint for found in find_local(tmp_path)}
    assert [key for key in after if after[key] != before[key]] == [chat_id(3)]
    put(owner, f"composerData:{chat_id(1)}", b'{"composerId":"x","lastUpdatedAt":1760000000000}')
    (changed,) = [found for found in find_local(tmp_path) if found.fingerprint not in after.values()]
    assert (changed.key, changed.mtime_ns) == (chat_id(1), 1_760_000_000_000_000_000)


def test_half_a_character_loses_no_chat_and_no_bubble(owner: sqlite3.Connection, tmp_path: Path) -> None:
    headers = '"fullConversationHeadersOnly":[{"bubbleId":"b1"},{"bubbleId":"b2"},{"bubbleId":"b3"}]'
    put(owner, f"composerData:{chat_id(0)}", f'{{"name":"half \\ud83d",{headers}}}')
    put(owner, f"bubbleId:{chat_id(0)}:b2", '{"bubbleId":"b2","type":2,"text":"cut \\ud83d"}')
    put(owner, f"bubbleId:{chat_id(0)}:b3", '{"broken')
    session = read_transcript(find_local(tmp_path)[0])
    assert session is not None
    assert shape(session) == [("user", "Hello"), ("agent", "cut \ufffd")]
    assert (session.summary, session.skipped_lines) == ("half \ufffd", 1)
    put(owner, f"composerData:{chat_id(0)}", '{"broken')
    with pytest.raises(UnreadableTranscript):
        read_transcript(find_local(tmp_path)[0])


def test_half_a_character_loses_no_message_of_the_command_line(tmp_path: Path) -> None:
    path = stores.write_cursor_cli(tmp_path, has_root=False)
    with closing(sqlite3.connect(path)) as store:
        store.execute("""UPDATE blobs SET data = replace(data, 'One file.', 'One \\ud83d file.')""")
        store.execute("INSERT INTO blobs VALUES ('x', '{broken')")
        store.commit()
    session = read_transcript(next(find_in(path, ["cursor"])))
    assert session is not None
    assert shape(session)[-1] == ("agent", "One \ufffd file.")
    assert session.skipped_lines == 1
