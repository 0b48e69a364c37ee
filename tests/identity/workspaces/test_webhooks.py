"""Webhooks: the routes, where they may point, and deliveries to a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from specloop.db.uow import ALL_WORKSPACES
from specloop.identity.workspaces.webhooks import DeliveryService, WebhookService
from specloop.identity.workspaces.webhooks.addresses import check_url, resolve
from specloop.identity.workspaces.webhooks.errors import AddressRefused
from specloop.identity.workspaces.webhooks.model import GIVES_UP_AFTER, is_wanted, signature
from specloop.identity.workspaces.webhooks.tasks import webhook_tasks
from specloop.kit import json
from specloop.kit.crypto import Pepper
from specloop.kit.ids import new_id
from specloop.testing.clock import FakeClock
from tests.identity.workspaces.harness import World


@dataclass
class Receiver:
    """A small HTTP server that keeps what it was sent and answers `status`."""

    url: str = ""
    status: int = 204
    bodies: list[bytes] = field(default_factory=list[bytes])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        self.bodies.append(await reader.readexactly(int(headers["content-length"])))
        self.headers.append(headers)
        writer.write(b"HTTP/1.1 %d X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" % self.status)
        await writer.drain()
        writer.close()

    @property
    def types(self) -> list[str]:
        """The types of the messages, in order."""
        return [json.loads(body)["type"] for body in self.bodies]


@asynccontextmanager
async def _receiving() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=1"
    async with server:
        yield receiver


async def _add(world: World, url: str, **members: Any) -> dict[str, Any]:
    answer = await world.call("admin", "POST", "webhooks", json={"url": url, **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _sweep(world: World, later: timedelta = timedelta(minutes=1)) -> int:
    """What the schedule does, at a moment when everything so far has settled."""
    clock = FakeClock(world.clock.now() + later)
    return await DeliveryService(Pepper(b"pepper"), allows_private=True).sweep(world.database, clock)


async def test_a_webhook_is_listed_without_its_secret_and_removed(world: World) -> None:
    made = await _add(world, "https://hooks.example.com/a", events=["agent.*"])
    assert made["secret"].startswith("whsec_")
    listed = await world.call("admin", "GET", "webhooks")
    assert made["secret"] not in listed.text
    assert [hook["id"] for hook in listed.json()["results"]] == [made["id"]]
    assert (await world.call("contributor", "GET", "webhooks")).status_code == 403
    assert (await world.call("admin", "DELETE", f"webhooks/{made['id']}")).status_code == 204
    assert (await world.call("admin", "DELETE", f"webhooks/{made['id']}")).status_code == 404
    assert (await world.call("admin", "DELETE", f"webhooks/{new_id()}")).status_code == 404


async def test_no_table_holds_the_signing_secret(world: World) -> None:
    made = await _add(world, "https://hooks.example.com/a")
    async with world.database.reading(ALL_WORKSPACES) as unit:
        for table in ("workspace_webhooks", "audit_events"):
            assert made["secret"] not in repr((await unit.session.execute(text(f"SELECT * FROM {table}"))).all())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://example.com/x"},
        {"url": "https://example.com/a b"},
        {"url": "https://example.com/", "events": []},
        {"url": "https://example.com/", "events": ["Everything!"]},
    ],
)
async def test_a_bad_webhook_is_refused(world: World, body: dict[str, object]) -> None:
    assert (await world.call("admin", "POST", "webhooks", json=body)).status_code == 422


async def test_what_happened_is_sent_signed_in_order_and_once(world: World) -> None:
    async with _receiving() as receiver:
        made = await _add(world, receiver.url, events=["workspace.*"])
        for name in ("one", "two"):
            await world.call("admin", "PATCH", "", json={"name": name})
        await _sweep(world)
        assert await _sweep(world) == 0
    updates = [json.loads(body)["data"]["detail"] for body in receiver.bodies if b"workspace.updated" in body]
    assert updates == [{"name": "one"}, {"name": "two"}]
    assert "webhook.created" not in receiver.types
    for headers, body in zip(receiver.headers, receiver.bodies, strict=True):
        expected = signature(made["secret"], headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == expected
        assert headers["host"] == receiver.url.split("/")[2]
    assert (await world.call("admin", "GET", "webhooks")).json()["results"][0]["last_sent_at"] is not None


@pytest.mark.parametrize("status", [500, 302, 404])
async def test_a_refused_message_is_sent_again_until_it_is_taken(world: World, status: int) -> None:
    async with _receiving() as receiver:
        await _add(world, receiver.url, events=["workspace.updated"])
        await world.call("admin", "PATCH", "", json={"name": "one"})
        receiver.status = status
        assert await _sweep(world) == 0
        shown = (await world.call("admin", "GET", "webhooks")).json()["results"][0]
        assert str(status) in shown["last_error"]
        receiver.status = 200
        assert await _sweep(world) == 1
    assert receiver.headers[0]["webhook-id"] == receiver.headers[1]["webhook-id"]
    healed = (await world.call("admin", "GET", "webhooks")).json()["results"][0]
    assert (healed["failing_since"], healed["last_error"], healed["status"]) == (None, None, "active")


async def test_an_address_that_fails_for_days_is_left_alone(world: World) -> None:
    async with _receiving() as receiver:
        await _add(world, receiver.url)
        receiver.status = 503
        await _sweep(world)
        await _sweep(world, GIVES_UP_AFTER + timedelta(minutes=2))
        tried = len(receiver.bodies)
        await _sweep(world, GIVES_UP_AFTER + timedelta(minutes=3))
    assert len(receiver.bodies) == tried == 2
    assert (await world.call("admin", "GET", "webhooks")).json()["results"][0]["status"] == "failing"


async def test_nothing_is_sent_into_the_servers_own_network(world: World) -> None:
    async with _receiving() as receiver:
        await _add(world, receiver.url)
        clock = FakeClock(world.clock.now() + timedelta(minutes=1))
        assert await DeliveryService(Pepper(b"pepper")).sweep(world.database, clock) == 0
    assert receiver.bodies == []
    assert "public" in (await world.call("admin", "GET", "webhooks")).json()["results"][0]["last_error"]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/x",
        "http://printer.local/",
        "http://127.0.0.1:8000/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[fe80::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://0.0.0.0/",
        "http://100.64.0.1/",
        "http://user:password@example.com/",
        "http://example.com:99999/",
        "gopher://example.com/",
    ],
)
def test_private_and_odd_addresses_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url, allows_private=False)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_a_name_that_means_this_machine_is_refused_when_resolved(host: str) -> None:
    with pytest.raises(AddressRefused):
        await resolve(host, 80, allows_private=False)


def test_patterns_cover_actions() -> None:
    assert is_wanted(["*"], "agent.promoted")
    assert is_wanted(["agent.*"], "agent.promoted")
    assert not is_wanted(["agent.*"], "agents.promoted")
    assert not is_wanted(["agent.created"], "agent.promoted")


def test_the_sweep_is_scheduled() -> None:
    tasks = webhook_tasks(DeliveryService(Pepper(b"pepper")))
    assert list(tasks.schedules) == ["webhooks.deliver"]


async def test_a_workspace_has_a_limited_number_of_webhooks(world: World) -> None:
    service = WebhookService(Pepper(b"pepper"))
    async with world.writing("admin") as ctx:
        for number in range(20):
            await service.add(ctx, f"https://hooks.example.com/{number}", ["*"])
    refused = await world.call("admin", "POST", "webhooks", json={"url": "https://hooks.example.com/more"})
    assert refused.status_code == 400
