"""`specloop doctor --deep` looks at the search index, and `specloop sessions reindex` repairs it beside a server."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from specloop.app import integrity
from specloop.db.database import Database
from specloop.kit import json
from specloop.record.search import IndexReport
from specloop.record.search.repository import text_index
from tests.cli.conftest import Terminal
from tests.record.importers import stores
from tests.record.search.library import Library


@pytest.fixture
def library(database: Database) -> Library:
    """An empty library on each state engine."""
    return Library(database)


def change(data: Path, *statements: str) -> None:
    """Change the server's store behind its back."""
    with closing(sqlite3.connect(data / "state.db", timeout=30)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def of_index(terminal: Terminal, data: Path, server: str) -> tuple[int, dict[str, str]]:
    """The doctor's exit code and what it found out about the index."""
    said = terminal("doctor", "--data", str(data), "--listen", server.removeprefix("http://"), "--deep", "--json")
    (finding,) = [row for row in said.document if row["check"] == "search index"]
    return said.code, finding


def test_a_damaged_index_is_told_and_repaired_while_the_server_runs(
    signed_in: Terminal, server: str, data: Path, tmp_path: Path
) -> None:
    stores.write_all(tmp_path)
    assert signed_in("sessions", "import", "--json").code == 0
    listed = signed_in("sessions", "list", "--json").document
    word = next(word for word in str(listed[0]["firstExchangeContent"]).split() if len(word) > 3 and word.isalpha())
    before = signed_in("search", word, "--json").document["total"]
    assert before >= 1
    code, finding = of_index(signed_in, data, server)
    assert (code, finding["status"], finding["advice"]) == (0, "ok", "")

    change(data, "INSERT INTO fts_words (fts_words) VALUES ('delete-all')")
    assert signed_in("search", word, "--json").document["total"] == 0
    code, finding = of_index(signed_in, data, server)
    assert (code, finding["status"]) == (1, "failed")
    assert "exchanges are not in it" in finding["detail"]
    assert "specloop sessions reindex" in finding["advice"]

    done = signed_in("sessions", "reindex", "--data", str(data), "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["sessions"] >= len(listed)
    assert signed_in("search", word, "--json").document["total"] == before
    assert of_index(signed_in, data, server)[1]["status"] == "ok"

    change(data, "UPDATE search_sessions SET rules = '0/old'")
    code, finding = of_index(signed_in, data, server)
    assert (code, finding["status"]) == (0, "warning")
    assert "rules of another version" in finding["detail"]
    said = signed_in("sessions", "reindex", "--data", str(data))
    assert (said.code, "sessions indexed" in said.out) == (0, True), said.err
    assert of_index(signed_in, data, server)[1]["status"] == "ok"


def test_where_no_server_was_there_is_nothing_to_index(terminal: Terminal, tmp_path: Path) -> None:
    said = terminal("sessions", "reindex", "--data", str(tmp_path / "nothing"))
    assert said.code == 3
    assert "specloop up" in said.err
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({}, "ok"),
        ({"surplus": 2}, "warning"),
        ({"outdated": 2, "surplus": 2}, "warning"),
        ({"missing": 2}, "failed"),
        ({"outdated": 2, "unfindable": 1}, "failed"),
        ({"unnumbered_sessions": 1}, "failed"),
    ],
)
def test_what_cannot_be_found_fails_and_what_a_night_puts_right_warns(counts: dict[str, int], status: str) -> None:
    none = {"unnumbered_sessions": 0, "missing": 0, "surplus": 0, "outdated": 0, "unfindable": 0}
    finding = integrity.judge_index(IndexReport(exchanges=9, **{**none, **counts}))
    assert finding.status == status
    assert bool(finding.advice) == bool(counts)
    assert all(str(count) in finding.detail for count in counts.values())


async def test_the_index_of_either_engine_is_looked_at_and_made_anew(
    library: Library, state_url: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECLOOP_STATE_URL", state_url)
    await library.put("s1", "apple", "pear")
    await library.put("s2", "plum")
    async with library.writing() as ctx:
        await text_index(ctx).clear(ctx)
    finding = await asyncio.to_thread(integrity.check_index, state_url)
    assert (finding.status, "3 exchanges are not in it" in finding.detail) == ("failed", True)
    said = await asyncio.to_thread(terminal, "sessions", "reindex", "--json")
    assert (said.code, said.document) == (0, {"sessions": 2}), said.err
    assert (await asyncio.to_thread(integrity.check_index, state_url)).status == "ok"
    assert await library.found("pear") == ["s1"]
