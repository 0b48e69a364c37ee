"""A listener in a process of its own: signals, and TLS as a real client of the command line sees it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

_PROGRAM = """
import asyncio, json, sys
from specloop.app.listener import Hooks, ListenerOptions, run, serve
from specloop.kit.log import configure
from specloop.transport.net import ListenAddress, bind

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.sleep(float(sys.argv[1]))
        print("shut down", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    print("entered", flush=True)
    await asyncio.sleep(float(sys.argv[2]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})

def ready(addresses):
    print(json.dumps([address.port for address in addresses]), flush=True)

configure("json")
sockets = bind([ListenAddress("127.0.0.1", 0)])
ended = run(lambda: serve(app, sockets, ListenerOptions(grace_seconds=30), Hooks(ready=ready)))
print(ended.value, flush=True)
"""


@asynccontextmanager
async def running(shutdown_seconds: float, request_seconds: float) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        str(shutdown_seconds),
        str(request_seconds),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()


async def test_sigterm_finishes_the_request_in_flight_and_the_process_ends_well() -> None:
    async with running(shutdown_seconds=0, request_seconds=0.5) as process, httpx.AsyncClient(timeout=60) as client:
        [port] = json.loads(await line(process))
        request = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
        assert await line(process) == "entered"
        process.send_signal(signal.SIGTERM)
        assert (await request).text == "done"
        assert [await line(process), await line(process)] == ["shut down", "graceful"]
        assert await process.wait() == 0


async def test_a_second_signal_ends_at_once_even_while_the_application_shuts_down() -> None:
    async with running(shutdown_seconds=60, request_seconds=0) as process, httpx.AsyncClient(timeout=60) as client:
        [port] = json.loads(await line(process))
        assert (await client.get(f"http://127.0.0.1:{port}/")).text == "done"
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert [await line(process), await line(process)] == ["entered", "forced"]
        assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_a_second_signal_does_not_wait_for_requests() -> None:
    async with running(shutdown_seconds=0, request_seconds=60) as process, httpx.AsyncClient(timeout=60) as client:
        [port] = json.loads(await line(process))
        request = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
        assert await line(process) == "entered"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert await line(process) == "forced"
        assert await asyncio.wait_for(process.wait(), 60) == 0
        with pytest.raises(httpx.HTTPError):
            (await request).raise_for_status()
