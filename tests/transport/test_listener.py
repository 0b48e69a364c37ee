"""The listener over real sockets: HTTP and TLS on one port, deadlines, limits, and how serving ends."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from specloop.app.listener import ApplicationFailedToStart, Ended, ListenerOptions, serve
from specloop.errors import StartupError
from specloop.transport.net import (
    AddressUnavailable,
    BadListenAddress,
    ConnectionPolicy,
    ListenAddress,
    PortTaken,
    bind,
    parse_listen_address,
)
from specloop.transport.tls import ServerTLS

from .apps import Gate, answer, echo, hello, read_all
from .conftest import StartListener

IMPATIENT = ConnectionPolicy(header_seconds=0.2, leftover_seconds=0.2, stalled_write_seconds=0.2)


def trusting(tls: ServerTLS) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tls.certificate.certificate_path))


async def raw(port: int, data: bytes, host: str = "127.0.0.1") -> bytes:
    """Everything the server says to `data` until it closes."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()


async def test_http_and_tls_share_one_port_at_the_same_time(start: StartListener, server_tls: ServerTLS) -> None:
    async with (
        start(hello, ListenerOptions(tls=server_tls.context)) as running,
        httpx.AsyncClient(verify=trusting(server_tls), timeout=60) as client,
    ):
        urls = [running.url(scheme=scheme) for scheme in ("http", "https") * 20]
        answers = await asyncio.gather(*(client.get(url) for url in urls))
    assert [answer.text for answer in answers] == ["hello over http", "hello over https"] * 20


async def test_several_addresses_of_both_families_are_served(start: StartListener) -> None:
    async with (
        start(hello, hosts=("127.0.0.1", "::1", "127.0.0.3")) as running,
        httpx.AsyncClient(timeout=60) as client,
    ):
        for address in running.addresses:
            assert (await client.get(f"http://{address}/")).text == "hello over http"
    assert [address.host for address in running.addresses] == ["127.0.0.1", "::1", "127.0.0.3"]


async def test_only_tls_1_3_is_spoken(start: StartListener, server_tls: ServerTLS) -> None:
    old = trusting(server_tls)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with start(hello, ListenerOptions(tls=server_tls.context)) as running:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", running.port, ssl=old)
        _, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=trusting(server_tls))
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        writer.close()


async def test_the_certificate_passes_strict_verification(start: StartListener, server_tls: ServerTLS) -> None:
    strict = trusting(server_tls)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    async with (
        start(hello, ListenerOptions(tls=server_tls.context)) as running,
        httpx.AsyncClient(verify=strict, timeout=60) as c,
    ):
        assert (await c.get(f"https://localhost:{running.port}/")).text == "hello over https"


async def test_a_silent_client_is_let_go_and_disturbs_nobody(start: StartListener) -> None:
    async with (
        start(hello, ListenerOptions(first_byte_seconds=0.2)) as running,
        httpx.AsyncClient(timeout=60) as client,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        assert (await client.get(running.url())).status_code == 200
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()


async def test_slow_headers_are_cut_off_however_steadily_they_drip(start: StartListener) -> None:
    async with start(hello, ListenerOptions(connection=IMPATIENT)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET / HTTP/1.1\r\n")

        async def drip() -> None:
            while True:
                writer.write(b"x: y\r\n")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        said = await asyncio.wait_for(reader.read(), 60)
        dripping.cancel()
        writer.close()
    assert said.startswith(b"HTTP/1.1 408 ")


async def test_slow_headers_of_a_later_request_are_cut_off_too(start: StartListener) -> None:
    async with start(hello, ListenerOptions(connection=IMPATIENT)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"hello over http")
        writer.write(b"GET / HTTP/1.1\r\n")
        assert (await asyncio.wait_for(reader.read(), 60)).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_an_idle_connection_is_closed_after_the_keep_alive_time(start: StartListener) -> None:
    async with start(hello, ListenerOptions(keep_alive_seconds=1)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 60)).endswith(b"hello over http")
        writer.close()


async def test_a_body_that_nobody_reads_must_end_soon(start: StartListener) -> None:
    async with start(hello, ListenerOptions(connection=IMPATIENT)) as running:
        said = await raw(running.port, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nx")
    assert said.endswith(b"hello over http")


async def test_a_reader_that_stops_reading_is_cut_off(start: StartListener) -> None:
    cut = asyncio.Event()

    async def flood(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2000):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        assert (await receive())["type"] == "http.disconnect"
        cut.set()

    async with start(flood, ListenerOptions(connection=IMPATIENT)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"200 OK")
        await asyncio.wait_for(cut.wait(), 10)
        writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x: y\r\n" * 12_000 + b"\r\n",
        b"GET /" + b"y" * 1_000_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
    ids=["one large header", "many small headers", "a large path"],
)
async def test_oversized_headers_are_refused(start: StartListener, request_bytes: bytes) -> None:
    async with start(hello) as running:
        assert (await raw(running.port, request_bytes)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\nx: a\x00b\r\n\r\n",
        b"GET /a\x00b HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1e3\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"JUNK / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"G\x01T / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: x\r\n\r\n",
        b"CONNECT evil:80 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http://evil HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nfolded: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\rx: y\r\n\r\n",
        b"\xff\xfe\x00\x01\x02",
    ],
)
async def test_malformed_requests_are_answered_400_and_closed(start: StartListener, request_bytes: bytes) -> None:
    async with start(hello) as running:
        said = await raw(running.port, request_bytes)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1


async def test_more_body_than_declared_is_never_taken_for_body(start: StartListener) -> None:
    async with start(echo) as running:
        said = await raw(running.port, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nabcdef")
    assert b'"length": 2' in said
    assert b"connection: close" in said
    assert said.count(b"HTTP/1.1 ") == 1


async def test_junk_behind_a_request_in_flight_does_not_cut_into_its_answer(start: StartListener) -> None:
    gate = Gate()
    async with start(gate) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await gate.entered.wait()
        writer.write(b"\x00junk\r\n\r\n")
        gate.opened.set()
        said = await asyncio.wait_for(reader.read(), 60)
        writer.close()
    assert said.endswith(b"finished")
    assert b"400" not in said


async def test_a_connection_too_many_is_told_to_come_back(start: StartListener) -> None:
    gate = Gate()
    async with start(gate, ListenerOptions(connections_max=1)) as running, httpx.AsyncClient(timeout=60) as client:
        first = asyncio.create_task(client.get(running.url()))
        await gate.entered.wait()
        second = await raw(running.port, b"")
        gate.opened.set()
        assert (await first).text == "finished"
    assert second.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in second


async def test_plain_http_from_another_machine_is_refused(
    start: StartListener, server_tls: ServerTLS, outside_address: str
) -> None:
    options = ListenerOptions(tls=server_tls.context)
    async with start(hello, options, hosts=(outside_address,)) as running:
        refused = await raw(running.port, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" + b"x" * 200_000, outside_address)
        async with httpx.AsyncClient(verify=False, timeout=60) as client:  # noqa: S501 - the name is not what is tested
            assert (await client.get(running.url(scheme="https"))).text == "hello over https"
    assert refused.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"https://" in refused


async def test_plain_http_from_another_machine_is_served_when_the_operator_allows_it(
    start: StartListener, outside_address: str
) -> None:
    options = ListenerOptions(is_plain_http_allowed=True)
    async with start(hello, options, hosts=(outside_address,)) as running, httpx.AsyncClient(timeout=60) as client:
        assert (await client.get(running.url())).text == "hello over http"


async def test_stopping_finishes_what_is_in_flight_and_then_shuts_the_application_down(start: StartListener) -> None:
    gate = Gate()
    async with start(gate) as running, httpx.AsyncClient(timeout=60) as client:
        request = asyncio.create_task(client.get(running.url()))
        await gate.entered.wait()
        running.stop.set()
        await running.stopping.wait()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", running.port)
        assert not gate.shut_down.is_set()
        gate.opened.set()
        response = await request
        assert await running.ending is Ended.GRACEFUL
    assert (response.text, response.headers["connection"]) == ("finished", "close")
    assert gate.shut_down.is_set()


async def test_stopping_does_not_wait_for_idle_connections(start: StartListener) -> None:
    async with start(hello) as running, httpx.AsyncClient(timeout=60) as client:
        await client.get(running.url())
        _, silent = await asyncio.open_connection("127.0.0.1", running.port)
        running.stop.set()
        assert await asyncio.wait_for(running.ending, 2) is Ended.GRACEFUL
        silent.close()


async def test_a_request_that_outlasts_the_grace_time_is_cancelled_before_the_application_shuts_down(
    start: StartListener,
) -> None:
    gate = Gate()
    async with start(gate, ListenerOptions(grace_seconds=0.1)) as running, httpx.AsyncClient(timeout=60) as client:
        request = asyncio.create_task(client.get(running.url()))
        await gate.entered.wait()
        running.stop.set()
        assert await asyncio.wait_for(running.ending, 60) is Ended.OUT_OF_TIME
        assert gate.cancelled.is_set()
        assert gate.shut_down.is_set()
        with pytest.raises(httpx.HTTPError):
            (await request).raise_for_status()


async def test_a_port_that_is_taken_is_named() -> None:
    [holder] = bind([ListenAddress("127.0.0.1", 0)])
    taken = ListenAddress("127.0.0.1", holder.getsockname()[1])
    with holder, pytest.raises(PortTaken, match=f"127.0.0.1:{taken.port} is taken"):
        bind([ListenAddress("127.0.0.1", 0), taken])


async def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(AddressUnavailable, match=r"203\.0\.113\.9:0"):
        bind([ListenAddress("203.0.113.9", 0)])


async def test_one_name_for_two_families_gets_the_same_free_port() -> None:
    sockets = bind([ListenAddress("localhost", 0)])
    try:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
    finally:
        for sock in sockets:
            sock.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", ListenAddress("127.0.0.1", 8000)),
        ("[::1]:0", ListenAddress("::1", 0)),
        ("LocalHost:80", ListenAddress("localhost", 80)),
    ],
)
def test_listening_addresses_are_read_and_written_alike(text: str, address: ListenAddress) -> None:
    assert parse_listen_address(text) == address
    assert str(address) == text.lower()
    assert address.is_loopback


@pytest.mark.parametrize(
    "text", ["", ":80", "8000", "::1:80", "[::1]", "[x]:1", "a:65536", "a:-1", "u@h:1", "http://a:1"]
)
def test_other_spellings_of_a_listening_address_are_refused(text: str) -> None:
    with pytest.raises(BadListenAddress):
        parse_listen_address(text)


async def test_the_error_of_the_applications_startup_comes_out_as_it_is(start: StartListener) -> None:
    class StoreIsNewer(StartupError):
        """The store is newer than the program."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "store"})
        raise StoreIsNewer

    with pytest.raises(StoreIsNewer):
        await serve(broken, bind([ListenAddress("127.0.0.1", 0)]), stop=asyncio.Event())


async def test_an_application_that_only_reports_failure_still_stops_the_start() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    [sock] = bind([ListenAddress("127.0.0.1", 0)])
    with pytest.raises(ApplicationFailedToStart):
        await serve(broken, [sock], stop=asyncio.Event())
    assert sock.fileno() < 0


async def test_forwarded_headers_count_only_from_a_trusted_proxy(start: StartListener) -> None:
    headers = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        async with start(hello) as running:
            assert (await client.get(running.url())).text == "hello over http"
        async with start(hello, ListenerOptions(trusted_proxies=("127.0.0.1",))) as running:
            assert (await client.get(running.url())).text == "hello over https"


async def test_a_body_larger_than_the_buffers_arrives_whole(start: StartListener, server_tls: ServerTLS) -> None:
    async def measure(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await answer(send, 200, str(len(await read_all(receive))).encode())

    options = ListenerOptions(tls=server_tls.context)
    async with start(measure, options) as running, httpx.AsyncClient(verify=trusting(server_tls), timeout=60) as client:
        for scheme in ("http", "https"):
            assert (await client.post(running.url(scheme=scheme), content=b"x" * 5_000_000)).text == "5000000"
