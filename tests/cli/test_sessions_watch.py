"""`specloop sessions watch` beside a started server: what changes is sent, not too often, and nothing is forgotten."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from specloop.kit import json
from tests.cli.command import Command
from tests.cli.conftest import Terminal
from tests.record.importers import stores

SECONDS_MAX = 90.0


class Watching:
    """A running watch and the lines it said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines = queue.Queue[str]()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def next(self) -> dict[str, Any]:
        """The next event."""
        return json.loads(self._lines.get(timeout=SECONDS_MAX))

    def until(self, result: str) -> dict[str, Any]:
        """The next session with this result."""
        while (event := self.next()).get("result") != result:
            pass
        return event

    def stop(self, number: int = signal.SIGTERM) -> list[dict[str, Any]]:
        """End it; the events that were still to come."""
        self.process.send_signal(number)
        assert self.process.wait(SECONDS_MAX) == 0
        self._reader.join(SECONDS_MAX)
        rest = list[dict[str, Any]]()
        while not self._lines.empty():
            rest.append(json.loads(self._lines.get()))
        return rest

    def is_silent_for(self, seconds: float) -> bool:
        """Whether nothing is said for so long."""
        try:
            self._lines.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)


@contextmanager
def watching(home: Path, *arguments: str) -> Generator[Watching]:
    """A watch in a home folder; it has said which folders it follows."""
    command = [sys.executable, "-m", "specloop", "sessions", "watch", "--json", *arguments]
    variables = Command(home).variables()
    process = subprocess.Popen(command, env=variables, cwd=home, stdout=subprocess.PIPE, text=True)
    watch = Watching(process)
    try:
        assert watch.next()["event"] == "watching"
        yield watch
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def add(path: Path, key: str, words: str) -> None:
    """The user says something more."""
    with path.open("ab") as file:
        file.write(stores.lines([stores.claude_record("user", key, "u3", words, 30)]))


def test_changes_are_sent_as_they_happen_and_the_last_ones_at_the_end(signed_in: Terminal, tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    (tmp_path / ".codex" / "sessions").mkdir(parents=True)
    with watching(tmp_path, "--quiet-seconds", "60") as watch:
        assert (first := watch.next())["result"] == "created"
        assert first["session_id"] == stores.CLAUDE_ID
        add(path, "u7", "Soon after")
        add(path, "u8", "and again")
        stores.write_codex(tmp_path)  # another session is not held up, and shows that the change above was noticed
        assert (second := watch.next())["session_id"] == stores.CODEX_ID
        assert second["result"] == "created"
        (last,) = watch.stop()
    assert (last["result"], last["session_id"]) == ("updated", stores.CLAUDE_ID)
    assert "and again" in signed_in("sessions", "export", stores.CLAUDE_ID).out
    said = signed_in("sessions", "import", "--json").out.splitlines()
    assert json.loads(said[-1])["unchanged"] == 2
    assert signed_in("devices", "list", "--json").document == []


def test_a_session_that_keeps_changing_is_sent_again_after_a_while(signed_in: Terminal, tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    with watching(tmp_path, "--quiet-seconds", "1.5") as watch:
        assert watch.next()["result"] == "created"
        began = time.monotonic()
        add(path, "u7", "More")
        assert watch.next()["result"] == "updated"
        assert time.monotonic() - began < SECONDS_MAX
        assert watch.stop(signal.SIGINT) == []
    assert "More" in signed_in("sessions", "export", stores.CLAUDE_ID).out


def test_a_store_in_a_database_and_sub_agents_files_are_followed(signed_in: Terminal, tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    (tmp_path / ".cursor" / "chats").mkdir(parents=True)
    with watching(tmp_path, "--quiet-seconds", "0") as watch:
        assert watch.next()["result"] == "created"
        stores.write_cursor_cli(tmp_path)
        assert watch.next()["session_id"] == stores.CURSOR_ID
        folder = path.with_suffix("") / "subagents"
        folder.mkdir(parents=True)
        aside = stores.claude_record("user", "s1", None, "Look aside", 3, isSidechain=True)
        (folder / "agent-9.jsonl").write_bytes(stores.lines([aside]))
        assert watch.next()["session_id"] == stores.CLAUDE_ID
        watch.stop()
    assert "Look aside" in signed_in("sessions", "export", stores.CLAUDE_ID).out


def test_an_agent_that_is_used_for_the_first_time_is_followed_too(signed_in: Terminal, tmp_path: Path) -> None:
    with watching(tmp_path, "--quiet-seconds", "0") as watch:
        path = stores.write_claude(tmp_path)
        news = [watch.next(), watch.next()]  # the first look may find it before its folder is followed, or after
        assert {each["event"] for each in news} == {"watching", "session"}
        assert {each.get("session_id") for each in news} == {None, stores.CLAUDE_ID}
        add(path, "u7", "Later words")
        assert watch.until("updated")["session_id"] == stores.CLAUDE_ID
        watch.stop()
    assert "Later words" in signed_in("sessions", "export", stores.CLAUDE_ID).out


def test_waiting_costs_next_to_nothing(signed_in: Terminal, tmp_path: Path) -> None:
    stores.write_claude(tmp_path)
    with watching(tmp_path) as watch:
        assert watch.next()["result"] == "created"
        before, began = processor_seconds(watch.process.pid), time.monotonic()
        assert watch.is_silent_for(3.0)
        used = processor_seconds(watch.process.pid) - before
        assert used / (time.monotonic() - began) < 0.05
        watch.stop()


def processor_seconds(pid: int) -> float:
    """What a process has used so far (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
