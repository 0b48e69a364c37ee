"""A server that sends terminal escapes, markup and marks of direction must not steer the terminal of its client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from specloop.cli.session import Profile, save_profile
from specloop.kit import json
from tests.cli.conftest import Terminal

EVIL = "a\x1b]0;owned\x07b\x1b[2Jc\x9b31md\u202ee[bold red]f[/]\rg\x00h[/nothing]"
LEGAL_CONTROLS = {"\n"}
ITEM: dict[str, Any] = {
    **dict.fromkeys(("id", "name", "status", "title", "summary", "email", "role", "prefix", "key", "key_id"), EVIL),
    **dict.fromkeys(("verdict", "risk", "phase", "outcome", "trace_id", "config_hash", "note", "workspace_id"), EVIL),
    "description": EVIL,
    EVIL: EVIL,
    "config": {EVIL: [EVIL]},
    "gates": [{"name": EVIL, "passed": True, "detail": EVIL}, {"name": EVIL, "passed": False, "detail": {EVIL: EVIL}}],
    "edits": [{"op": EVIL, "pointer": EVIL, "rationale": EVIL, "diff": f"-{EVIL}\n+{EVIL}", "before": EVIL}],
    "spans": [{"name": EVIL, "duration_ms": EVIL, "children": [{"name": EVIL}]}],
}
COMMANDS = [
    ("workspaces", "list"),
    ("workspaces", "create", "x"),
    ("workspaces", "members"),
    ("keys", "list"),
    ("keys", "create", "x"),
    ("agents", "list"),
    ("agents", "show", "x"),
    ("agents", "config", "x"),
    ("agents", "versions", "x"),
    ("agents", "diff", "x", "1", "2"),
    ("scans", "list"),
    ("scans", "show", "x"),
    ("scans", "events", "x"),
    ("scans", "clusters", "x"),
    ("scans", "report", "x"),
    ("changesets", "list"),
    ("changesets", "show", "x"),
    ("changesets", "accept", "x"),
    ("traces", "list"),
    ("traces", "show", "x"),
    ("traces", "stats"),
]


class Evil(BaseHTTPRequestHandler):
    """Answers everything with the same items, or refuses everything below `/refuse`."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.rfile.read(length)
        status = int(self.server.status)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
        body = json.dumps(
            {**ITEM, "results": [ITEM], "pagination": {"total": 1}} if status < 400 else {"title": EVIL, "detail": EVIL}
        )
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  (the names that the library calls)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's own output is what is looked at."""


@pytest.fixture
def evil() -> Iterator[ThreadingHTTPServer]:
    """The server; its `status` may be changed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    server.status = 200  # pyright: ignore[reportAttributeAccessIssue]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    save_profile(Profile(f"http://127.0.0.1:{server.server_port}", "e@test.com", "a", "r", "w"))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def assert_harmless(text: str) -> None:
    """Only what can be seen, and line ends."""
    dangerous = {character for character in text if not character.isprintable()} - LEGAL_CONTROLS
    assert not dangerous, (dangerous, text)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_what_a_server_sends_does_not_steer_the_terminal(
    terminal: Terminal, evil: ThreadingHTTPServer, command: tuple[str, ...]
) -> None:
    for form in ((), ("--json",)):
        said = terminal(*command, *form)
        assert said.code == 0, said.err
        assert_harmless(said.out + said.err)
        if form:
            assert said.document
        else:
            assert "red]f" in said.out, "markup of the server is text"
    evil.status = 400  # pyright: ignore[reportAttributeAccessIssue]
    refused = terminal(*command)
    assert refused.code == 2
    assert_harmless(refused.out + refused.err)
    assert "[bold red]" in refused.err


def test_json_keeps_the_servers_words(terminal: Terminal, evil: ThreadingHTTPServer) -> None:
    document = terminal("agents", "show", "x", "--json").document
    assert document["name"] == EVIL


def test_what_is_no_specloop_server_is_said_plainly(terminal: Terminal, evil: ThreadingHTTPServer) -> None:
    said = terminal("login", "--url", f"http://127.0.0.1:{evil.server_port}", "--email", "e", "--password", "p")
    assert said.code == 1
    assert "access_token" in said.err
    assert "Traceback" not in said.err
