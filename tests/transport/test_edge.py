"""The edge in front of a real listener: what hostile and careless clients send, and what they get."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from specloop.app.listener import ListenerOptions
from specloop.errors import NotFound, SpecloopError
from specloop.transport.edge import BodyLimit, EdgePolicy, wrap
from specloop.transport.edge.policy import RenderedError
from specloop.transport.tls import ServerTLS
from tests.work import counted

from .apps import answer, echo
from .conftest import Running, StartListener

MIB = 1024 * 1024
CALLS_MAX = 50_000
QUICK = BodyLimit(inflated_bytes_max=2 * MIB, grace_seconds=0.2, bytes_per_second_min=1_000_000)


def render(scope: Scope, error: SpecloopError) -> RenderedError:
    """A dialect for tests: the code, the path, and the headers that the error asks for."""
    body = json.dumps({"code": error.code, "detail": error.detail, "path": scope["path"], **error.members}).encode()
    extra: dict[str, str] = error.members.get("headers", {})
    headers = [(b"content-type", b"application/problem+json")]
    return error.status, [*headers, *((n.lower().encode(), v.encode()) for n, v in extra.items())], body


POLICY = EdgePolicy(
    render_error=render,
    hosts=frozenset({"specs.example.com", "*.lan.example.com"}),
    origins=frozenset({"https://app.example.com", "chrome-extension://abcdef"}),
    body=QUICK,
    body_by_prefix={
        "/big": BodyLimit(inflated_bytes_max=8 * MIB),
        "/big/small": BodyLimit(inflated_bytes_max=10),
        "/sessions": BodyLimit(inflated_bytes_max=8 * MIB, wire_bytes_max=MIB),
    },
)


class Client:
    """Speaks to one running edge, over HTTP or over bare bytes."""

    def __init__(self, running: Running, http: httpx.AsyncClient) -> None:
        self.running = running
        self.http = http

    async def request(self, method: str, path: str = "/", **headers: str) -> httpx.Response:
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, self.running.url(path), headers=spelled)

    async def post(self, body: bytes, path: str = "/", **headers: str) -> httpx.Response:
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(self.running.url(path), content=body, headers=spelled)

    async def raw(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.port)
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()


@pytest.fixture
async def client(start: StartListener) -> AsyncGenerator[Client]:
    async with start(wrap(echo, POLICY)) as running, httpx.AsyncClient(timeout=60) as http:
        yield Client(running, http)


# --- Host -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:9", "127.0.0.1", "127.8.8.8:1", "[::1]:80", "localhost.", "specs.example.com:443",
     "a.lan.example.com", "a.b.LAN.example.com"],
)  # fmt: skip
async def test_our_own_names_are_answered(client: Client, host: str) -> None:
    assert (await client.request("GET", host=host)).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.localhost", "lan.example.com",
     "xlan.example.com", "192.0.2.99", "[::2]", "specs.example.com.evil.example", "0.0.0.0"],  # noqa: S104
)  # fmt: skip
async def test_a_foreign_host_is_misdirected_in_the_dialect_of_the_path(client: Client, host: str) -> None:
    response = await client.request("GET", "/some/path", host=host)
    assert response.status_code == 421
    assert response.json()["path"] == "/some/path"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1@evil.example", "localhost@evil.example", "evil.example#localhost", "localhost,evil.example",
     "localhost evil.example", "localhost/", "localhost:99999", "localhost:80:80", "[::1", "::1", "127.1", "0x7f.1",
     "2130706433", "local%68ost", "-", ".localhost", "localhost..", ""],
)  # fmt: skip
async def test_what_is_no_host_at_all_is_a_bad_request(client: Client, host: str) -> None:
    assert (await client.raw(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())).startswith(
        b"HTTP/1.1 400 "
    )


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: evil.example\r\n", b"Host: localhost\r\n" * 2])
async def test_no_host_and_two_hosts_are_bad_requests(client: Client, hosts: bytes) -> None:
    assert (await client.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n" + hosts + b"\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_the_address_that_was_connected_to_is_ours(start: StartListener, outside_address: str) -> None:
    options = ListenerOptions(is_plain_http_allowed=True)
    async with (
        start(wrap(echo, POLICY), options, hosts=(outside_address,)) as running,
        httpx.AsyncClient(timeout=60) as http,
    ):
        assert (await http.get(running.url())).status_code == 200
        assert (await http.get(running.url(), headers={"host": "192.0.2.250"})).status_code == 421


# --- Origin and CORS --------------------------------------------------------------------------------------------------

FOREIGN = ["https://evil.example", "null", "https://127.0.0.1@evil.example", "http://localhost.evil.example",
           "file://", "https://app.example.com.evil.example", "http://app.example.com", "https://app.example.com:444",
           "chrome-extension://other"]  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_foreign_page_cannot_change_anything(client: Client, origin: str, method: str) -> None:
    response = await client.request(method, origin=origin)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_page_can_read_nothing(client: Client, origin: str) -> None:
    assert (await client.request("GET", origin=origin, cookie="a=b")).status_code == 403
    assert (await client.request("GET", "/mcp", origin=origin)).status_code == 403
    assert (await client.request("GET", "/mcp/x", origin=origin)).status_code == 403
    anonymous = await client.request("GET", "/mcpx", origin=origin)
    assert anonymous.status_code == 200
    assert anonymous.json()["state"]["origin"] == "foreign"
    assert "access-control-allow-origin" not in anonymous.headers
    preflight = await client.request("OPTIONS", origin=origin, access_control_request_method="POST")
    assert preflight.status_code == 403


async def test_our_own_pages_may_do_everything(client: Client) -> None:
    own = f"http://127.0.0.1:{client.running.port}"
    response = await client.request("POST", origin=own, cookie="a=b")
    assert response.status_code == 200
    assert response.json()["state"]["origin"] == "own"


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://[::1]:5173", "https://127.0.0.1"])
async def test_pages_of_other_loopback_ports_may_call_without_cookies(client: Client, origin: str) -> None:
    response = await client.request("POST", origin=origin)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert (await client.request("POST", origin=origin, cookie="session=x")).status_code == 403
    assert (await client.request("GET", origin=origin, cookie="session=x")).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://app.example.com", "https://app.example.com:443", "chrome-extension://abcdef"]
)
async def test_listed_origins_may_call(client: Client, origin: str) -> None:
    response = await client.request("POST", origin=origin, cookie="a=b")
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin


async def test_a_preflight_is_answered_without_asking_the_application(client: Client) -> None:
    response = await client.request(
        "OPTIONS", "/absent", origin="http://localhost:3000", access_control_request_method="PATCH",
        access_control_request_private_network="true",
    )  # fmt: skip
    assert (response.status_code, response.content) == (200, b"")
    assert "PATCH" in response.headers["access-control-allow-methods"]
    assert "Authorization" in response.headers["access-control-allow-headers"]
    assert response.headers["access-control-allow-private-network"] == "true"
    assert "Origin" in response.headers["vary"]


async def test_options_that_is_no_preflight_reaches_the_application(client: Client) -> None:
    assert (await client.request("OPTIONS", "/x")).json()["path"] == "/x"


@pytest.mark.parametrize("origin", ["https://app.example.com", "http://localhost:3000", "https://evil.example"])
async def test_credentials_are_never_offered(client: Client, origin: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        response = await client.request(method, origin=origin, access_control_request_method="POST")
        assert "access-control-allow-credentials" not in response.headers
        assert response.headers.get("access-control-allow-origin") != "*"
        assert "Origin" in response.headers["vary"]


async def test_a_change_that_the_browser_marks_as_cross_site_is_refused_without_an_origin(client: Client) -> None:
    assert (await client.request("POST", sec_fetch_site="cross-site")).status_code == 403
    assert (await client.request("POST", sec_fetch_site="same-origin")).status_code == 200
    assert (await client.request("GET", sec_fetch_site="cross-site", cookie="a=b")).status_code == 200


async def test_two_origins_are_foreign(client: Client) -> None:
    own = f"Origin: http://127.0.0.1:{client.running.port}\r\n"
    said = await client.raw(
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{client.running.port}\r\n{own}{own}Connection: close\r\n\r\n".encode()
    )
    assert said.startswith(b"HTTP/1.1 403 ")


# --- Headers and request ids ------------------------------------------------------------------------------------------


async def test_every_answer_carries_the_security_headers(client: Client) -> None:
    for response in (await client.request("GET"), await client.request("GET", host="evil.example")):
        policy = response.headers["content-security-policy"]
        for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
                          "form-action 'self'"):  # fmt: skip
            assert directive in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"
        assert response.headers["cross-origin-opener-policy"] == "same-origin"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in response.headers["permissions-policy"]
        assert "server" not in response.headers


async def test_transport_security_is_promised_over_tls_only_and_never_for_loopback(
    start: StartListener, server_tls: ServerTLS
) -> None:
    options = ListenerOptions(tls=server_tls.context)
    name = {"host": "specs.example.com"}
    async with start(wrap(echo, POLICY), options) as running, httpx.AsyncClient(verify=False, timeout=60) as http:  # noqa: S501
        over_tls = await http.get(running.url(scheme="https"), headers=name)
        assert over_tls.headers["strict-transport-security"] == "max-age=63072000"
        assert "strict-transport-security" not in (await http.get(running.url(), headers=name)).headers
        assert "strict-transport-security" not in (await http.get(running.url(scheme="https"))).headers


async def test_a_route_may_set_its_own_policy(start: StartListener) -> None:
    async def consent(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await answer(send, 200, b"", ((b"Content-Security-Policy", b"default-src 'none'"),))

    async with start(wrap(consent, POLICY)) as running, httpx.AsyncClient(timeout=60) as http:
        response = await http.get(running.url())
    assert response.headers.get_list("content-security-policy") == ["default-src 'none'"]


async def test_a_harmless_request_id_is_echoed_and_seen_by_the_application(client: Client) -> None:
    response = await client.request("GET", x_request_id="abc-1.2:3~4_5")
    assert response.headers["x-request-id"] == "abc-1.2:3~4_5"
    assert response.json()["state"]["request_id"] == "abc-1.2:3~4_5"


@pytest.mark.parametrize("request_id", ["", "a b", "<script>", 'a"b', "x" * 129, "é", "a\tb", "-a", "a%0d%0ab", "a;b"])
async def test_any_other_request_id_is_replaced(client: Client, request_id: str) -> None:
    said = await client.raw(
        f"GET / HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {request_id}\r\nConnection: close\r\n\r\n".encode()
    )
    [line] = [line for line in said.split(b"\r\n") if line.lower().startswith(b"x-request-id:")]
    assert len(line.partition(b": ")[2]) == 36


async def test_two_request_ids_are_none(client: Client) -> None:
    said = await client.raw(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\r\nX-Request-Id: b\r\nConnection: close\r\n\r\n"
    )
    assert b"x-request-id: a\r\n" not in said
    assert b"x-request-id: b\r\n" not in said


async def test_refusals_carry_a_request_id_too(client: Client) -> None:
    assert (await client.request("GET", host="evil.example", x_request_id="abc")).headers["x-request-id"] == "abc"
    assert len((await client.request("POST", origin="null")).headers["x-request-id"]) == 36


# --- Bodies -----------------------------------------------------------------------------------------------------------


async def test_the_application_sees_an_inflated_body_as_if_it_had_been_sent_plainly(client: Client) -> None:
    body = b"payload " * 10_000
    seen = (await client.post(gzip.compress(body), content_encoding="gzip", content_type="x/y")).json()
    assert seen["length"] == len(body)
    assert seen["headers"]["content-length"] == str(len(body))
    assert "content-encoding" not in seen["headers"]


@pytest.mark.parametrize("encoding", ["GZIP", "x-gzip", "identity", ""])
async def test_encodings_that_mean_gzip_or_nothing_are_understood(client: Client, encoding: str) -> None:
    body = gzip.compress(b"hello") if "gzip" in encoding.lower() else b"hello"
    assert (await client.post(body, content_encoding=encoding, content_type="x/y")).json()["start"] == "hello"


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip,br", "chunked", "x"])
async def test_other_encodings_are_unsupported_and_the_answer_says_what_would_do(client: Client, encoding: str) -> None:
    response = await client.post(b"x", content_encoding=encoding)
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "gzip"


async def test_a_chunked_body_arrives_with_a_length(client: Client) -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(3):
            yield b"abc"

    response = await client.http.post(client.running.url(), content=chunks(), headers={"content-type": "x/y"})
    seen = response.json()
    assert (seen["length"], seen["headers"]["content-length"]) == (9, "9")
    assert "transfer-encoding" not in seen["headers"]


async def test_a_gzip_bomb_is_refused_before_it_is_unpacked(client: Client) -> None:
    bomb = _zeros_gzipped(1024 * MIB)
    assert len(bomb) < 1.1 * MIB
    with counted() as work:
        response = await client.post(bomb, content_encoding="gzip")
    assert response.status_code == 413
    assert work.calls < CALLS_MAX


def _zeros_gzipped(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(MIB)
    return b"".join(packer.compress(block) for _ in range(size // MIB)) + packer.flush()


@pytest.mark.parametrize(
    "body",
    [
        b"not gzip at all",
        gzip.compress(b"hello" * 1000)[:-9],
        gzip.compress(b"hello")[:-4] + b"\0\0\0\1",
        gzip.compress(b"hello") + b"tail",
        gzip.compress(b"hello")[:5],
        gzip.compress(b"") * 1000,
    ],
    ids=["other bytes", "cut short", "wrong length", "something behind", "cut in the header", "a thousand members"],
)
async def test_damaged_gzip_is_a_bad_request(client: Client, body: bytes) -> None:
    assert (await client.post(body, content_encoding="gzip")).status_code == 400


async def test_gzip_members_in_a_row_are_one_body(client: Client) -> None:
    body = gzip.compress(b"a" * 300_000) + gzip.compress(b"b" * 300_000)
    assert (await client.post(body, content_encoding="gzip", content_type="x/y")).json()["length"] == 600_000


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_the_limit_is_exact(client: Client, is_chunked: bool) -> None:
    async def send(size: int) -> int:
        async def chunks() -> AsyncGenerator[bytes]:
            yield b"x" * size

        content = chunks() if is_chunked else b"x" * size
        headers = {"content-type": "x/y"}
        return (await client.http.post(client.running.url(), content=content, headers=headers)).status_code

    assert [await send(2 * MIB), await send(2 * MIB + 1)] == [200, 413]


async def test_the_longest_prefix_decides_the_limit(client: Client) -> None:
    async def send(path: str, size: int) -> int:
        return (await client.post(b"x" * size, path, content_type="x/y")).status_code

    assert [await send("/big", 3 * MIB), await send("/big/small", 10), await send("/big/small", 11)] == [200, 200, 413]


async def test_the_limit_on_the_wire_and_the_one_after_inflation_are_apart(client: Client) -> None:
    assert (await client.post(b"x" * (MIB + 1), "/sessions", content_type="x/y")).status_code == 413
    small = gzip.compress(bytes(8 * MIB))
    assert (await client.post(small, "/sessions", content_encoding="gzip", content_type="x/y")).status_code == 200
    assert (
        await client.post(gzip.compress(bytes(8 * MIB + 1)), "/sessions", content_encoding="gzip")
    ).status_code == 413


async def test_a_client_that_asks_first_is_refused_before_it_sends(client: Client) -> None:
    said = await client.raw(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 413 ")


async def test_a_client_in_the_middle_of_sending_still_gets_the_answer(client: Client) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.running.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 31457280\r\n\r\n")
    for _ in range(30):
        writer.write(bytes(MIB))
        await writer.drain()
    assert (await _answer_of(reader)).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def _answer_of(reader: asyncio.StreamReader) -> bytes:
    """One answer by its own length, as clients read it: whoever still sends may find the connection reset behind it."""
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head + await reader.readexactly(length)


async def test_a_body_that_stops_coming_times_out(client: Client) -> None:
    said = await client.raw(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in said


async def test_a_body_that_drips_times_out_although_it_moves(client: Client) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.running.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")

    async def drip() -> None:
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    said = await _answer_of(reader)
    dripping.cancel()
    writer.close()
    assert said.startswith(b"HTTP/1.1 408 ")


async def test_a_client_that_leaves_in_the_middle_never_reaches_the_application(start: StartListener) -> None:
    reached = asyncio.Event()

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["method"] == "POST":
                reached.set()
            await answer(send, 200, b"")

    async with start(wrap(note, POLICY)) as running, httpx.AsyncClient(timeout=60) as http:
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await http.get(running.url())).status_code == 200
    assert not reached.is_set()


async def test_too_many_bodies_at_once_are_told_to_come_back(start: StartListener) -> None:
    tight = EdgePolicy(render_error=render, buffered_bytes_max=1000)
    async with start(wrap(echo, tight)) as running, httpx.AsyncClient(timeout=60) as http:
        fitting, too_much = [
            (await http.post(running.url(), content=b"x" * size, headers={"content-type": "x/y"})).status_code
            for size in (1000, 1001)
        ]
        assert (fitting, too_much) == (200, 503)
        after = [(await http.post(running.url(), content=b"x" * 900)).status_code for _ in range(5)]
        assert after == [200] * 5


async def test_the_application_still_hears_when_the_client_leaves(start: StartListener) -> None:
    heard = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            assert (await receive())["body"] == b"abc"
            assert (await receive())["type"] == "http.disconnect"
            heard.set()

    async with start(wrap(wait, POLICY)) as running:
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
        await writer.drain()
        writer.close()
        await asyncio.wait_for(heard.wait(), 60)


# --- JSON depth -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", ["application/json", "application/scim+json; charset=utf-8", "text/plain"])
async def test_deep_json_is_refused_at_once(client: Client, media_type: str) -> None:
    with counted() as work:
        for deep in (b"[" * 50_000, b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000):
            assert (await client.post(deep, content_type=media_type)).status_code == 400
    assert work.calls < CALLS_MAX


async def test_deep_json_inside_gzip_is_refused_too(client: Client) -> None:
    deep = gzip.compress(b"[" * 50_000)
    response = await client.post(deep, content_type="application/json", content_encoding="gzip")
    assert (response.status_code, response.json()["code"]) == (400, "bad-request")


async def test_depth_is_allowed_up_to_the_limit(client: Client) -> None:
    for depth, status in ((100, 200), (101, 400)):
        body = b"[" * depth + b"]" * depth
        assert (await client.post(body, content_type="application/json")).status_code == status


async def test_brackets_in_strings_do_not_count_and_other_types_are_not_looked_at(client: Client) -> None:
    harmless = json.dumps({"text": '["\\' * 60_000}).encode()
    assert (await client.post(harmless, content_type="application/json")).status_code == 200
    assert (await client.post(b"[" * 50_000, content_type="application/x-protobuf")).status_code == 200


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
async def test_json_in_another_encoding_than_utf_8_is_refused(client: Client, encoding: str) -> None:
    deep = ("[" * 50_000).encode(encoding)
    assert (await client.post(deep, content_type="application/json")).status_code == 400


async def test_bytes_that_are_not_utf_8_and_other_charsets_are_refused(client: Client) -> None:
    assert (await client.post(b'"\xff"', content_type="application/json")).status_code == 400
    assert (await client.post(b'"x"', content_type="application/json; charset=latin-1")).status_code == 400
    assert (await client.post('"é"'.encode(), content_type='application/json; charset="UTF-8"')).status_code == 200


# --- Crashes ----------------------------------------------------------------------------------------------------------


async def _crash(request: Request) -> Response:
    raise RuntimeError("password=hunter2")


async def _refusal(request: Request) -> Response:
    raise NotFound("no such thing")


async def _own_500(request: Request) -> Response:
    return JSONResponse({"own": True}, status_code=500)


FRAMEWORK = Starlette(routes=[Route("/crash", _crash), Route("/refusal", _refusal), Route("/own", _own_500)])


@pytest.fixture
async def framework(start: StartListener) -> AsyncGenerator[Client]:
    async with start(wrap(FRAMEWORK, POLICY)) as running, httpx.AsyncClient(timeout=60) as http:
        yield Client(running, http)


async def test_a_crash_is_masked_and_its_trace_is_in_the_log_under_the_incident_id(
    framework: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    response = await framework.request("GET", "/crash")
    shown = response.json()
    assert (response.status_code, shown["code"]) == (500, "internal")
    assert "hunter2" not in response.text
    assert len(response.headers["x-request-id"]) == 36
    logged = "".join(capsys.readouterr())
    assert shown["incident_id"] in logged
    assert "RuntimeError" in logged


async def test_an_expected_error_that_nobody_caught_keeps_its_status(framework: Client) -> None:
    response = await framework.request("GET", "/refusal")
    assert (response.status_code, response.json()["detail"]) == (404, "no such thing")


async def test_a_500_that_the_application_answers_itself_goes_out_unchanged(framework: Client) -> None:
    response = await framework.request("GET", "/own")
    assert (response.status_code, response.json()) == (500, {"own": True})


async def test_a_crash_in_the_middle_of_an_answer_cuts_the_connection(start: StartListener) -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise RuntimeError

    async with start(wrap(half, POLICY)) as running, httpx.AsyncClient(timeout=60) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(running.url())


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncGenerator[dict[str, str]]:
    yield {"from_lifespan": "yes"}


async def test_the_applications_lifespan_passes_through(start: StartListener) -> None:
    async def show(request: Request) -> Response:
        return Response(request.state.from_lifespan)

    app = Starlette(routes=[Route("/", show)], lifespan=_lifespan)
    async with start(wrap(app, POLICY)) as running, httpx.AsyncClient(timeout=60) as http:
        assert (await http.get(running.url())).text == "yes"
