"""Running agents through the front door, and the spans that a run leaves."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from specloop.kit import json
from tests.identity.workspaces.harness import World
from tests.run.agents.samples import ROUTER_CONFIG, make, make_router, promote, put_config

WEATHER = {"input": {"request": "What is the weather forecast in Rome?"}}


async def test_a_run_answers_and_leaves_a_trace_of_agent_and_tool(world: World, spans: InMemorySpanExporter) -> None:
    agent = await make_router(world)
    answer = await world.call("contributor", "POST", f"agents/{agent['id']}/run", json=WEATHER)
    assert answer.status_code == 200
    body = answer.json()
    assert body["output"] == {"tool": "get_weather"}
    assert (body["version"], body["error"]) == (1, None)
    tool, run = spans.get_finished_spans()
    assert run.context is not None
    assert tool.context is not None
    assert run.name == "invoke_agent Router"
    assert tool.name == "execute_tool get_weather"
    assert f"{run.context.trace_id:032x}" == f"{tool.context.trace_id:032x}" == body["trace_id"]
    assert run.parent is None
    assert tool.parent is not None
    assert tool.parent.span_id == run.context.span_id
    attributes = dict(run.attributes or {})
    assert attributes["gen_ai.operation.name"] == "invoke_agent"
    assert attributes["gen_ai.agent.id"] == agent["id"]
    assert attributes["gen_ai.agent.version"] == "1"
    assert attributes["specloop.workspace.id"] == world.workspace_id
    said = json.loads(str(attributes["gen_ai.input.messages"]))
    assert said[0]["parts"][0]["content"] == WEATHER["input"]["request"]
    assert json.loads(str(attributes["gen_ai.output.messages"]))[0]["parts"][0]["name"] == "get_weather"


async def test_a_run_that_calls_nothing_has_no_tool_span(world: World, spans: InMemorySpanExporter) -> None:
    agent = await make_router(world, config={**ROUTER_CONFIG, "params": {"threshold": 5.0}})
    answer = await world.call("contributor", "POST", f"agents/{agent['id']}/run", json=WEATHER)
    assert answer.json()["output"] == {"tool": None}
    assert [span.name for span in spans.get_finished_spans()] == ["invoke_agent Router"]


async def test_a_candidate_can_be_tried_before_it_is_promoted(world: World) -> None:
    agent = await make_router(world)
    path = f"agents/{agent['id']}/run"
    number = await put_config(world, agent, {**ROUTER_CONFIG, "params": {"threshold": 5.0}})
    tried = await world.call("contributor", "POST", path, json={**WEATHER, "version": number})
    assert tried.json()["output"] == {"tool": None}
    assert (await world.call("contributor", "POST", path, json=WEATHER)).json()["output"] == {"tool": "get_weather"}
    await promote(world, agent, number)
    assert (await world.call("contributor", "POST", path, json=WEATHER)).json()["output"] == {"tool": None}
    assert (await world.call("contributor", "POST", path, json={**WEATHER, "version": 77})).status_code == 404


@pytest.mark.parametrize("kind", ["external", "http", "llm"])
async def test_an_agent_that_runs_elsewhere_cannot_be_run_here(world: World, kind: str) -> None:
    agent = await make(world, runtime={"kind": kind})
    refused = await world.call("contributor", "POST", f"agents/{agent['id']}/run", json=WEATHER)
    assert refused.status_code == 400
    assert refused.json()["type"].endswith("/business-rule")


@pytest.mark.parametrize("body", [{}, {"input": "text"}, {"input": {}, "version": 0}, {"input": {"a": "b\x00"}}])
async def test_a_bad_run_is_refused(world: World, body: dict[str, object]) -> None:
    agent = await make_router(world)
    assert (await world.call("contributor", "POST", f"agents/{agent['id']}/run", json=body)).status_code == 422


async def test_observers_cannot_run_agents(world: World) -> None:
    agent = await make_router(world)
    assert (await world.call("observer", "POST", f"agents/{agent['id']}/run", json=WEATHER)).status_code == 403
