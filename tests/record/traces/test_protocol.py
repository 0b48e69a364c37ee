"""OTLP/HTTP behind the edge: encodings, limits after decompression, refusals in the encoding of the request (§6.1)."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from httpx import ASGITransport, AsyncClient, Response
from starlette.requests import Request
from starlette.types import Scope

from specloop.app.errors import render
from specloop.errors import SpecloopError
from specloop.transport.edge import BodyLimit, EdgePolicy, RenderedError, wrap
from tests.record.traces.harness import PROTOBUF, Server, hex_trace, request_of, span_of

LIMIT = 200_000
JSON = "application/json"


def render_at_edge(scope: Scope, error: SpecloopError) -> RenderedError:
    """As the program does."""
    response = render(error, Request(scope))
    return response.status_code, response.raw_headers, bytes(response.body)


async def post(server: Server, body: bytes, media_type: str = PROTOBUF, **headers: str) -> Response:
    """A request through the edge."""
    asgi: Any = wrap(server.app, EdgePolicy(render_at_edge, hosts=frozenset({"test"}), body=BodyLimit(LIMIT)))
    sent = {"content-type": media_type, "authorization": "Bearer ours", **headers}
    async with AsyncClient(transport=ASGITransport(asgi), base_url="http://test") as http:
        return await http.post("/otel/v1/traces", content=body, headers=sent)


async def test_gzip_is_taken_in_both_encodings(server: Server) -> None:
    body = request_of(span_of()).SerializeToString()
    first = await post(server, gzip.compress(body), **{"content-encoding": "gzip"})
    second = await post(server, gzip.compress(b'{"resourceSpans":[]}'), JSON, **{"content-encoding": "gzip"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert "content-encoding" not in first.headers
    await server.wait_for_spans(hex_trace(1), 1)


@pytest.mark.parametrize("media_type", [PROTOBUF, JSON])
async def test_a_body_over_the_limit_after_decompression_is_refused(server: Server, media_type: str) -> None:
    bomb = gzip.compress(bytes(50 * LIMIT))
    assert len(bomb) < LIMIT
    response = await post(server, bomb, media_type, **{"content-encoding": "gzip"})
    assert response.status_code == 413
    assert response.headers["content-type"] == media_type


REFUSALS: dict[str, tuple[bytes, dict[str, str], int]] = {
    "another encoding": (b"x", {"content-encoding": "br"}, 415),
    "broken gzip": (b"not gzip", {"content-encoding": "gzip"}, 400),
    "too large": (bytes(LIMIT + 1), {}, 413),
    "no credential": (b"", {"authorization": "Bearer nobody"}, 401),
    "no scope": (b"", {"authorization": "Bearer reader"}, 403),
}


@pytest.mark.parametrize("name", list(REFUSALS))
async def test_refusals_are_a_status_in_the_encoding_of_the_request(server: Server, name: str) -> None:
    body, headers, expected = REFUSALS[name]
    plain = await post(server, body, PROTOBUF, **headers)
    assert plain.status_code == expected
    assert Status.FromString(plain.content).message
    text = await post(server, body, JSON, **headers)
    assert text.status_code == expected
    assert json.loads(text.content)["message"]
    assert len(plain.content) < 4 << 20


async def test_deep_json_is_refused_before_it_is_parsed(server: Server) -> None:
    response = await post(server, b"[" * 50_000, JSON)
    assert response.status_code == 400
    assert response.json()["code"] == 3
