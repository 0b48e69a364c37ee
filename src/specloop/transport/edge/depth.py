"""Refuses deeply nested JSON before any parser sees it, by looking at its brackets only.

The scan runs at the speed of C: keep quotes and brackets, cut the strings out, add up. For valid JSON the result is
the exact depth; a parser that stops at an error has never been deeper than what stands before it.
"""

from __future__ import annotations

from array import array
from itertools import accumulate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.errors import SpecloopError
from specloop.transport.edge.errors import NotUTF8, TooDeep
from specloop.transport.edge.messages import header_values, only_header, refuse
from specloop.transport.edge.policy import EdgePolicy

_OTHERS = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_SLICE_BYTES = 1024 * 1024
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


def json_depth(text: bytes) -> int:
    """How many arrays and objects are open at the deepest point; a scalar has depth 0."""
    # Without escaped backslashes and then without escaped quotes, every quote begins or ends a string.
    marks = text.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS)
    depth = deepest = is_inside = 0
    for start in range(0, len(marks), _SLICE_BYTES):  # in slices, so that a body of quotes costs little memory
        parts = marks[start : start + _SLICE_BYTES].split(b'"')
        steps = b"".join(parts[is_inside::2]).translate(_STEPS)
        depths = list(accumulate(array("b", steps), initial=depth))
        deepest, depth = max(deepest, max(depths)), depths[-1]
        is_inside ^= (len(parts) - 1) & 1
    return deepest


class JSONDepth:
    """The middleware; it stands inside of the one that reads bodies."""

    def __init__(self, app: ASGIApp, policy: EdgePolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not header_values(scope, b"content-length"):
            return await self._app(scope, receive, send)
        media_type = only_header(scope, b"content-type").lower()
        if not _may_be_json(media_type):
            return await self._app(scope, receive, send)
        first = await receive()
        if (error := self._objection(media_type, first.get("body", b""))) is not None:
            return await refuse(scope, send, error, self._policy.render_error)
        return await self._app(scope, _again(first, receive), send)

    def _objection(self, media_type: str, body: bytes) -> SpecloopError | None:
        if "json" in media_type and not _is_utf8(media_type, body):
            return NotUTF8()
        limit = self._policy.json_depth_max
        # Counting is cheaper than scanning, and most bodies have fewer brackets than the limit.
        if body.count(b"[") + body.count(b"{") <= limit or json_depth(body) <= limit:
            return None
        return TooDeep(f"the JSON is nested more than {limit} levels deep")


def _may_be_json(media_type: str) -> bool:
    return "json" in media_type or media_type.partition(";")[0].strip() in ("", "text/plain")


def _is_utf8(media_type: str, body: bytes) -> bool:
    charset = media_type.partition("charset=")[2].partition(";")[0].strip(' "')
    if charset not in _CHARSETS or b"\x00" in body[:4]:
        return False
    try:
        return body.isascii() or bool(body.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _again(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
