"""The telemetry store on a server, through `clickhouse://` and HTTP, as far as one can be had (see `http_engine`)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from specloop.db.errors import SchemaTooNew
from specloop.db.telemetry import TelemetryQueryFailed, TelemetryStore, TelemetryUnavailable
from specloop.db.telemetry.migrations import Migration, packaged_migrations
from specloop.record.traces.repository import choosing, figures, spans
from specloop.record.traces.repository.native import ReceivedBody, insert_bodies
from specloop.record.traces.repository.removal import delete_trace, purge
from tests.record.traces.harness import hex_trace, request_of, span_of

WORKSPACE = "00000000-0000-7000-8000-000000000001"


class Server:
    """The process."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("http_engine.py")), str(folder)]
        # The engine keeps the schemas of bodies in its working directory.
        self._process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.dsn = f"clickhouse://default@127.0.0.1:{int(self._process.stdout.readline())}/specloop"

    def kill(self) -> None:
        """As a power failure does."""
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Generator[Server]:
    """A running server with nothing in it."""
    running = Server(tmp_path)
    yield running
    running.kill()


async def _send(store: TelemetryStore, *numbers: int) -> None:
    for number in numbers:
        body = request_of(span_of(1, trace=number), span_of(2, trace=number, parent=1)).SerializeToString()
        await insert_bodies(store, [ReceivedBody(WORKSPACE, time.time_ns() // 1_000, body)])


async def test_a_server_is_migrated_once_and_a_newer_one_is_refused(server: Server) -> None:
    newest = max(migration.number for migration in packaged_migrations())
    sql = "SELECT max(number) AS newest, count() AS count FROM specloop_migrations"
    sql += " WHERE toString({workspace_id:UUID}) != ''"
    for _ in range(2):
        store = await TelemetryStore.open(server.dsn)
        assert store.engine_name == "clickhouse"
        assert await store.query(sql, workspace_id=WORKSPACE) == [{"newest": newest, "count": newest}]
        await store.close()
    await (await TelemetryStore.open(server.dsn, migrations=[Migration(9_999, "future", ())])).close()
    with pytest.raises(SchemaTooNew, match="9999"):
        await TelemetryStore.open(server.dsn)


async def test_spans_are_stored_read_counted_exported_and_removed(server: Server) -> None:
    store = await TelemetryStore.open(server.dsn)
    await _send(store, 1, 2, 2)
    placed = await choosing.place(store, WORKSPACE, hex_trace(2))
    assert placed is not None
    assert [span.span_id[-1] for span in await spans.page_spans(store, WORKSPACE, placed, limit=10)] == ["1", "2"]
    window = (placed.first_ns - 10**12, placed.last_ns + 10**12)
    assert (await figures.facts(store, WORKSPACE, *window)).total["calls"] == 4
    assert (await spans.as_parquet(store, WORKSPACE, [hex_trace(1)])).startswith(b"PAR1")
    await delete_trace(store, WORKSPACE, hex_trace(2))
    await purge(store)
    assert await choosing.place(store, WORKSPACE, hex_trace(2)) is None
    await _send(store, 2)
    assert (await figures.facts(store, WORKSPACE, *window)).total["calls"] == 2
    await store.close()


async def test_what_a_server_refuses_and_that_it_is_gone_are_told_apart(server: Server) -> None:
    store = await TelemetryStore.open(server.dsn)
    with pytest.raises(TelemetryQueryFailed) as refused:
        await store.query("SELECT nothing FROM spans WHERE workspace_id = {workspace_id:UUID}", workspace_id=WORKSPACE)
    assert refused.value.engine_code == 47
    bad = ReceivedBody(WORKSPACE, time.time_ns() // 1_000, b"\xff\xff")
    with pytest.raises(TelemetryQueryFailed):
        await insert_bodies(store, [bad])
    server.kill()
    with pytest.raises(TelemetryUnavailable):
        await store.ping()
    await store.close()
