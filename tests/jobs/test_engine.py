"""The engine rests while there is nothing to run: its pollers would be most of what an idle server costs."""

from __future__ import annotations

import threading
from pathlib import Path

from specloop.jobs.dbos_engine import DBOSEngine


async def test_looking_for_leftovers_does_not_wake_the_pollers(tmp_path: Path) -> None:
    engine = DBOSEngine(f"sqlite:///{tmp_path / 'jobs.db'}")
    await engine.start()
    before = {thread.name for thread in threading.enumerate()}
    assert await engine.known() == []
    started = {thread.name for thread in threading.enumerate()} - before
    await engine.stop()
    assert not [name for name in started if "queue" in name or "notification" in name or "scheduler" in name]
