"""A migration that is killed leaves the old schema or the new one; starts at the same moment migrate once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg

from specloop.db.database import Database
from specloop.db.migrations import current_revision, migrate
from specloop.db.migrations.upgrading import script_directory
from tests.engines import PostgresServer
from tests.migrations.schema import describe, migrate_at, processes
from tests.server import free_port, spawn, stop, wait_until_ready

KILLS = 6
SECONDS_MAX = 120


def run_migration(url: str, killed_after: float | None = None) -> float:
    """Migrate in a process of its own; kill it after so many seconds. Returns how long it lived while migrating."""
    context = processes()
    here, there = context.Pipe()
    child = context.Process(target=migrate_at, args=(url, there))
    child.start()
    there.close()
    assert here.poll(SECONDS_MAX)
    assert here.recv() == "begin"
    started = time.monotonic()
    here.send("go")
    if killed_after is not None:
        here.poll(killed_after)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
    else:
        assert here.poll(SECONDS_MAX)
        assert here.recv() == "end"
    lived = time.monotonic() - started
    child.join(SECONDS_MAX)
    return lived


async def test_a_kill_leaves_the_old_or_the_new_schema(make_empty: Callable[[], str]) -> None:
    whole_url = make_empty()
    lasts = run_migration(whole_url)
    whole = await Database.open(whole_url)
    new = await describe(whole)
    await whole.close()
    seen: set[str | None] = set()
    for attempt in range(KILLS):
        url = make_empty()
        run_migration(url, killed_after=lasts * 1.2 * attempt / (KILLS - 1))
        left = await Database.open(url)
        revision = await current_revision(left)
        found = await describe(left)
        assert found == (new if revision else []), (attempt, revision)
        seen.add(revision)
        await migrate(left)
        assert await describe(left) == new
        await left.close()
    assert None in seen, "no kill came before the end: the test looked at nothing"


def test_two_starts_at_once_on_one_database_both_serve(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.url(postgres_server.create_database())
    with ExitStack() as started:
        servers: list[str] = []
        children = [(free_port(), tmp_path / str(number)) for number in range(2)]
        running = [(spawn(data, port, "--state-url", url), port) for port, data in children]
        for process, _ in running:
            started.callback(stop, process)
        for process, port in running:
            servers.append(f"http://127.0.0.1:{port}")
            wait_until_ready(servers[-1], process)
        body = {"email": "owner@test.com", "password": "devpass", "tenant_name": "T"}
        made = httpx.post(f"{servers[0]}/api/v1/auth/register", json=body, timeout=60)
        assert made.status_code == 201, made.text
        headers = {"authorization": f"Bearer {made.json()['access_token']}"}
        seen = httpx.get(f"{servers[1]}/api/v1/auth/me", headers=headers, timeout=60)
        assert seen.status_code == 200, f"each knows the other's signing key: {seen.text}"
    with psycopg.connect(url) as connection:
        revisions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert revisions == [(script_directory().get_current_head(),)]
