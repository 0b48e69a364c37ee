"""A server on loopback that speaks OpenAI's chat completions and always says the same: first a tool call, then text.

The SDKs under test talk to it through the ordinary `openai` client, so that no key and no model is needed.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

MODEL = "gpt-4o-mini-2024-07-18"
ANSWER = "It is nineteen degrees in Ghent."
USAGE = {"prompt_tokens": 41, "completion_tokens": 7, "total_tokens": 48}
_CALL = {"id": "call_ghent", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ghent"}'}}


class Completions(BaseHTTPRequestHandler):
    """`POST /v1/chat/completions`."""

    def do_POST(self) -> None:
        """A tool call for a question, text once a tool has answered."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(_completion(asked)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _completion(asked: dict[str, Any]) -> dict[str, Any]:
    is_answered = any(message["role"] == "tool" for message in asked["messages"])
    said: dict[str, Any] = {"content": ANSWER} if is_answered else {"content": None, "tool_calls": [_CALL]}
    reason = "stop" if is_answered else "tool_calls"
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", **said}}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [choice],
        "usage": USAGE,
    }


@contextmanager
def model_server() -> Generator[str]:
    """The base URL of the running server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Completions)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
