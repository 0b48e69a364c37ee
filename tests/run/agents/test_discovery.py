"""Agents that only their spans name are registered; those that somebody knows already are left alone."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from specloop.kit.clock import SystemClock
from specloop.kit.context import system_principal
from specloop.record.traces import TraceIntake, TraceReader
from specloop.record.traces.ingest.decode import Encoding
from specloop.record.traces.ingest.drainer import Drainer
from specloop.run.agents import AgentDiscovery
from specloop.run.agents.service import discovery
from tests.identity.workspaces.harness import World


def request_with(attributes: tuple[dict[str, str], ...]) -> bytes:
    """A request with a span for each set of attributes."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    now = time.time_ns()
    for number, pairs in enumerate(attributes, start=1):
        span = spans.add(trace_id=bytes([number]) * 16, span_id=bytes([number]) * 8, name="call")
        span.start_time_unix_nano, span.end_time_unix_nano = now - 1_000, now
        span.attributes.extend(KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in pairs.items())
    return request.SerializeToString()


class Sender:
    """Sends spans into the first workspace of the world and has them looked at."""

    def __init__(self, world: World, telemetry: TelemetryStore) -> None:
        self._world = world
        self._telemetry = telemetry
        self._discovery = AgentDiscovery(world.database, SystemClock(), TraceReader(telemetry))

    async def send(self, *attributes: dict[str, str]) -> int:
        """How many agents were found once the spans could be read."""
        intake = TraceIntake(self._world.database, self._telemetry, SystemClock())
        who = system_principal(self._world.account_id, self._world.workspace_id, frozenset())
        await intake.receive(who, self._world.workspace_id, request_with(attributes), Encoding.PROTOBUF)
        await intake.stop()
        assert await Drainer(self._world.database, self._telemetry).drain() == 1
        return await self._discovery.look()

    async def inferred(self) -> list[dict[str, Any]]:
        """The agents that were found."""
        answer = await self._world.call("observer", "GET", "agents?origin=inferred&sort=name")
        return answer.json()["results"]


@pytest.fixture
def sender(world: World, database: Database, telemetry: TelemetryStore) -> Sender:
    """Whoever sends spans."""
    assert world.database is database
    return Sender(world, telemetry)


async def test_an_agent_that_spans_name_is_registered_once(world: World, sender: Sender) -> None:
    assert await sender.send({"gen_ai.agent.name": "Planner"}, {"agent.name": "writer"}, {"other": "x"}) == 2
    assert await sender.send({"gen_ai.agent.name": "Planner"}) == 0
    writer, planner = sorted(await sender.inferred(), key=lambda agent: agent["slug"], reverse=True)
    assert (planner["name"], planner["slug"], writer["name"]) == ("Planner", "planner", "writer")
    assert planner["runtime"] == {"kind": "external"}
    assert planner["match"] == {"gen_ai.agent.name": "Planner"}
    versions = await world.call("observer", "GET", f"agents/{planner['id']}/versions")
    assert [version["source"] for version in versions.json()["results"]] == ["inferred"]


async def test_who_is_known_by_id_name_slug_or_match_is_not_registered_again(world: World, sender: Sender) -> None:
    body = {"name": "Trip Planner", "runtime": {"kind": "external"}, "match": {"agent.name": "tp-7"}}
    agent = (await world.call("contributor", "POST", "agents", json=body)).json()
    by_id = {"gen_ai.agent.id": agent["id"], "gen_ai.agent.name": "renamed since"}
    names = ({"agent.name": name} for name in ("Trip Planner", "trip-planner", "tp-7"))
    assert await sender.send(by_id, *names) == 0
    await world.call("admin", "DELETE", f"agents/{agent['id']}")
    assert await sender.send({"agent.name": "tp-7"}) == 0


async def test_what_is_no_name_is_left_alone(sender: Sender) -> None:
    assert await sender.send({"agent.name": "n" * 101}, {"agent.name": "a\x00b"}, {"agent.name": " "}) == 0


async def test_a_sender_with_a_name_for_each_call_fills_no_registry(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "INFERRED_MAX", 3)
    assert await sender.send(*({"agent.name": f"agent {number}"} for number in range(9))) == 3
    assert await sender.send({"agent.name": "one more"}) == 0
    assert len(await sender.inferred()) == 3


async def test_an_archived_workspace_gets_no_agent(world: World, sender: Sender) -> None:
    assert (await world.call("owner", "DELETE", "")).status_code == 204
    assert await sender.send({"agent.name": "late"}) == 0
