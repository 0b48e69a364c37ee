"""Reading traces: lists that add up page by page, filters, trees, figures, and nothing of another workspace."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.model import TREE_DEPTH_MAX
from specloop.record.traces.repository import choosing
from tests.record.traces.harness import (
    OURS,
    THEIRS,
    Server,
    eventually,
    hex_span,
    hex_trace,
    request_of,
    span_of,
    value_of,
)

HOUR_NS = 3_600 * 10**9


async def _stored(server: Server, total: int, caller: str = "ours") -> None:
    async def ready() -> bool:
        return (await server.get("", caller)).json()["pagination"]["total"] == total

    await eventually(ready)


async def test_pages_add_up_and_are_ordered_newest_first(server: Server) -> None:
    base = time.time_ns() - HOUR_NS
    # Pairs of traces share a start, so that order needs the id too.
    await server.send(request_of(*(span_of(1, trace=n, start_ns=base + n // 2) for n in range(1, 10))))
    await _stored(server, 9)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await server.get("", **query)).json()
        assert page["pagination"]["total"] == 9
        seen += [trace["trace_id"] for trace in page["results"]]
        if "next_cursor" not in page["pagination"]:
            break
        query["cursor"] = page["pagination"]["next_cursor"]
    assert seen == [hex_trace(n) for n in range(9, 0, -1)]
    by_offset = (await server.get("", limit=3, offset=6)).json()["results"]
    assert [trace["trace_id"] for trace in by_offset] == seen[6:]


async def test_counting_can_be_left_out(server: Server) -> None:
    assert (await server.get("", count="false")).json()["pagination"] == {"total": None, "limit": 20, "offset": 0}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 0}, 422),
        ({"limit": 101}, 422),
        ({"offset": -1}, 422),
        ({"cursor": "!!"}, 422),
        ({"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk6MDA="}, 422),
        ({"cursor": "x", "offset": 1}, 400),
        ({"from": "2020-01-01T00:00:00"}, 422),
        ({"status": "bad"}, 422),
        ({"min_latency": "nan"}, 422),
        ({"score<": "nan"}, 422),
        ({"from": "0001-01-01T00:00:00+14:00"}, 422),
        ({"to": "1969-12-31T23:59:59Z"}, 422),
        ({"to": "9999-12-31T23:59:59-14:00"}, 422),
    ],
)
async def test_bad_parameters_are_refused(server: Server, query: dict[str, Any], status: int) -> None:
    assert (await server.get("", **query)).status_code == status


async def test_filters_choose_traces(server: Server) -> None:
    base = time.time_ns() - HOUR_NS
    failed = span_of(1, trace=2, start_ns=base + 10**9, duration_ns=3_000_000_000)
    failed.status.code = Status.STATUS_CODE_ERROR
    failed.status.message = "Quota EXCEEDED"
    agent = {"gen_ai.agent.id": "a-1", "gen_ai.agent.name": "router", "gen_ai.conversation.id": "s-1"}
    tagged = span_of(1, trace=3, start_ns=base + 2 * 10**9, attributes={"tag.tags": ["red", "blue"]})
    await server.send(request_of(span_of(1, trace=1, start_ns=base, attributes=agent), failed, tagged))
    await _stored(server, 3)

    async def found(**query: Any) -> set[int]:
        page = (await server.get("", **query)).json()
        assert page["pagination"]["total"] == len(page["results"])
        return {int(trace["trace_id"], 16) for trace in page["results"]}

    assert await found(status="error") == {2}
    assert await found(status="ok") == {1, 3}
    assert await found(agent_id="a-1") == {1}
    assert await found(session_id="s-1") == {1}
    assert await found(session_id="s-2") == set()
    assert await found(tag="blue") == {3}
    assert await found(min_latency=2_999.9) == {2}
    assert await found(q="quota exceeded") == {2}
    assert await found(q="' OR 1=1 --") == set()
    newest = (await server.get("", limit=1)).json()["results"][0]["started_at"]
    assert await found(**{"from": newest}) == {3}
    assert await found(to=newest) == {1, 2}


@pytest.mark.parametrize(
    ("condition", "is_found"),
    [
        ({"key": "whole", "value": 1.0}, True),
        ({"key": "whole", "value": 1}, True),
        ({"key": "whole", "value": "1.0"}, True),
        ({"key": "whole", "value": 1.5}, False),
        ({"key": "whole", "op": "ne", "value": 1.0}, False),
        ({"key": "whole", "op": "ne", "value": 2}, True),
        ({"key": "small", "value": 1e-7}, True),
        ({"key": "large", "value": 1e21}, True),
        ({"key": "count", "value": 3}, True),
        ({"key": "count", "value": 3.0}, True),
        ({"key": "wide", "value": 2**53}, False),
        ({"key": "wide", "value": 2**53 + 1}, True),
        ({"key": "text", "value": 7}, True),
        ({"key": "text", "op": "ne", "value": 7.5}, True),
        ({"key": "padded", "value": "7"}, False),
        ({"key": "flag", "value": True}, True),
    ],
)
async def test_numbers_are_equal_however_they_are_written(
    server: Server, condition: dict[str, Any], is_found: bool
) -> None:
    attributes = {"whole": 1.0, "small": 1e-7, "large": 1e21, "count": 3, "wide": 2**53 + 1}
    await server.send(request_of(span_of(1, attributes={**attributes, "text": "7", "padded": "007", "flag": True})))
    await server.wait_for_spans(hex_trace(1), 1)
    path = f"/api/v1/workspaces/{OURS}/traces/search"
    body = {"filter": {"attributes": [condition]}}
    answer = await server.http.post(path, json=body, headers={"authorization": "Bearer ours"})
    assert (answer.status_code, len(answer.json()["results"])) == (200, int(is_found))


@pytest.mark.parametrize(("text", "is_found"), [("---", False), ('"', False), ("chat", True), ("  ", True)])
async def test_a_text_without_any_word_is_nowhere(server: Server, text: str, is_found: bool) -> None:
    await server.send(request_of(span_of(1)))
    await server.wait_for_spans(hex_trace(1), 1)
    page = (await server.get("", q=text)).json()
    assert (len(page["results"]), page["pagination"]["total"]) == (int(is_found), int(is_found))


@pytest.mark.parametrize("rows", [(1,), (2,), (1, 2), (100,), ()])
async def test_a_list_is_in_order_however_few_rows_show_that(
    server: Server, monkeypatch: pytest.MonkeyPatch, rows: tuple[int, ...]
) -> None:
    """Traces whose later parts came first, and out of order: the newest rows are not those of the newest traces."""
    monkeypatch.setattr(choosing, "ROWS_PER_TRACE", rows)
    base = time.time_ns() - HOUR_NS
    for late in (True, False):
        parts = [
            span_of(2 if late else 1, trace=n, start_ns=base + (100 * (n % 3) if late else 0) + n) for n in range(1, 13)
        ]
        for span in parts[::5]:
            span.status.code = Status.STATUS_CODE_ERROR
        await server.send(request_of(*parts))
        await _stored(server, 12)

    async def listed(**query: Any) -> list[int]:
        seen: list[int] = []
        while True:
            page = (await server.get("", limit=2, **query)).json()
            seen += [int(trace["trace_id"], 16) for trace in page["results"]]
            if page["pagination"].get("next_cursor") is None:
                return seen
            query["cursor"] = page["pagination"]["next_cursor"]

    async def complete() -> bool:
        return (await server.get("/stats")).json()["spans"] == 24

    await eventually(complete)
    assert await listed() == list(range(12, 0, -1))
    assert await listed(status="error") == [11, 6, 1]
    assert await listed(status="ok") == [n for n in range(12, 0, -1) if n not in {11, 6, 1}]


async def test_a_trace_shows_what_its_spans_say(server: Server) -> None:
    start = time.time_ns() - HOUR_NS
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "gen_ai.usage.input_tokens": 30}
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "local",
        "gen_ai.request.model": "m-1",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 2,
    }
    older = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "m-2",
        "llm.system": "old",
        "llm.token_count.prompt": 20,
        "llm.token_count.completion": 3,
        "llm.cost.total": 0.000125,
    }
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "error.type": "timeout"}
    await server.send(
        request_of(
            span_of(1, name="invoke_agent planner", attributes=agent, start_ns=start, duration_ns=50_000_000),
            span_of(2, parent=1, attributes=chat, start_ns=start + 1),
            span_of(3, parent=1, attributes=older, start_ns=start + 2),
            span_of(4, parent=3, attributes=tool, start_ns=start + 3),
        )
    )
    trace = await server.wait_for_spans(hex_trace(1), 4)
    assert (trace["name"], trace["root_span_id"], trace["duration_ms"]) == ("invoke_agent planner", hex_span(1), 50.0)
    # The agent's own 30 repeat what its model calls used.
    assert (trace["input_tokens"], trace["output_tokens"]) == (30, 5)
    assert (trace["cost_usd"], trace["micro_usd"]) == ("0.00012500", 125)
    assert (trace["models"], trace["agents"], trace["services"]) == (["m-1", "m-2"], ["planner"], ["bench"])
    root = trace["spans"][0]
    assert [child["span_id"] for child in root["children"]] == [hex_span(2), hex_span(3)]
    second = root["children"][1]
    assert (second["operation"], second["provider"], second["model"]) == ("chat", "old", "m-2")
    assert (second["input_tokens"], second["output_tokens"]) == (20, 3)
    leaf = second["children"][0]
    assert (leaf["tool_name"], leaf["error_type"], leaf["input_tokens"], leaf["micro_usd"]) == (
        "search",
        "timeout",
        None,
        None,
    )
    stats = (await server.get("/stats")).json()
    assert (stats["traces"], stats["spans"], stats["errors"], stats["input_tokens"]) == (1, 4, 0, 30)
    assert {row["name"]: row["spans"] for row in stats["by_model"]} == {"m-1": 1, "m-2": 1}
    assert [row["name"] for row in stats["by_agent"]] == ["planner"]


async def test_spans_of_a_trace_come_in_pages(server: Server) -> None:
    start = time.time_ns() - HOUR_NS
    await server.send(request_of(*(span_of(n, start_ns=start + n // 3) for n in range(1, 8))))
    await server.wait_for_spans(hex_trace(1), 7)
    first = (await server.get(f"/{hex_trace(1)}/spans", limit=4)).json()
    rest = (await server.get(f"/{hex_trace(1)}/spans", limit=4, cursor=first["pagination"]["next_cursor"])).json()
    ids = [span["span_id"] for page in (first, rest) for span in page["results"]]
    assert ids == [hex_span(n) for n in range(1, 8)]
    assert (first["pagination"]["total"], "next_cursor" in rest["pagination"]) == (7, False)


@pytest.mark.parametrize("trace_id", ["0" * 32, "abc", "z" * 32, "a" * 33, "%00", "..%2f"])
async def test_what_is_not_there_is_not_found(server: Server, trace_id: str) -> None:
    assert (await server.get(f"/{trace_id}")).status_code == 404
    assert (await server.get(f"/{trace_id}/spans")).status_code == 404


async def test_another_workspace_sees_nothing_and_is_told_the_same_as_for_nothing(server: Server) -> None:
    await server.send(request_of(span_of(attributes={"tag.tags": ["secret"]})))
    await server.wait_for_spans(hex_trace(1), 1)
    for path in (f"/{hex_trace(1)}", f"/{hex_trace(1)}/spans"):
        there, nowhere = await server.get(path, "theirs"), await server.get(path.replace("1", "7"), "theirs")
        assert there.status_code == 404
        assert there.json() == nowhere.json()
    for query in ({}, {"q": "chat"}, {"tag": "secret"}):
        page = (await server.get("", "theirs", **query)).json()
        assert (page["results"], page["pagination"]["total"]) == ([], 0)
    assert (await server.get("/stats", "theirs")).json()["spans"] == 0
    intake = (await server.get("/otel/v1/traces/stats", "theirs")).json()
    assert (intake["spans_accepted"], intake["by_service"], intake["last_received_at"]) == (0, {}, None)
    assert (await server.get("", "ours", workspace=THEIRS)).status_code == 404


async def test_rings_orphans_and_deep_chains_show_every_span_once(server: Server) -> None:
    start = time.time_ns() - HOUR_NS
    ring = [span_of(1, parent=3, start_ns=start), span_of(2, parent=1), span_of(3, parent=2), span_of(4, parent=4)]
    orphan = span_of(5, parent=99)
    chain = [span_of(100 + n, parent=99 + n if n else None) for n in range(3 * TREE_DEPTH_MAX)]
    await server.send(request_of(*ring, orphan, *chain))
    trace = await server.wait_for_spans(hex_trace(1), 5 + len(chain))
    seen: list[str] = []
    deepest = 0
    waiting = [(node, 1) for node in trace["spans"]]
    while waiting:
        node, depth = waiting.pop()
        seen.append(node["span_id"])
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in node["children"]]
    assert sorted(seen) == sorted(hex_span(n) for n in [1, 2, 3, 4, 5, *range(100, 100 + len(chain))])
    assert deepest == TREE_DEPTH_MAX


async def test_an_array_value_survives_as_protobuf_not_as_text(server: Server) -> None:
    nested = ["\n\x06", {"k": [1, [2, [3.5]]]}, "ü"]
    await server.send(request_of(span_of(attributes={"v": nested})))
    trace = await server.wait_for_spans(hex_trace(1), 1)
    assert trace["spans"][0]["attributes"]["v"] == nested
    assert len(value_of(nested).array_value.values) == 3


@pytest.fixture
async def unmerged(telemetry: TelemetryStore) -> AsyncIterator[None]:
    """Every delivery stays a row of its own."""
    await telemetry.maintain(["SYSTEM STOP MERGES traces"])
    yield
    await telemetry.maintain(["SYSTEM START MERGES traces"])


@pytest.mark.usefixtures("unmerged")
async def test_a_row_need_not_show_all_that_its_trace_does(server: Server) -> None:
    """A trace whose agent, model and failure came in different deliveries is found by all of them together."""
    base = time.time_ns() // 10**6 * 10**6 - HOUR_NS
    for number in range(1, 5):
        call = span_of(
            2, trace=number, start_ns=base + number * 10**6 + 10**9, attributes={"gen_ai.request.model": "m-1"}
        )
        failed = span_of(3, trace=number, start_ns=base + number * 10**6 + 2 * 10**9)
        failed.status.code = Status.STATUS_CODE_ERROR
        for span in (
            span_of(1, trace=number, start_ns=base + number * 10**6, attributes={"gen_ai.agent.name": "router"}),
            call,
            *([failed] if number > 1 else []),
        ):
            await server.send(request_of(span))
            await server.wait_for_spans(hex_trace(number), int.from_bytes(span.span_id))

    async def found(**query: Any) -> list[int]:
        return [int(trace["trace_id"], 16) for trace in (await server.get("", **query)).json()["results"]]

    assert await found(agent_name="router", model="m-1") == [4, 3, 2, 1]
    assert await found(agent_name="router", status="error") == [4, 3, 2]
    assert await found(agent_name="router", status="ok") == [1]
    first = (await server.get("", status="error", limit=1)).json()
    assert await found(status="error", cursor=first["pagination"]["next_cursor"]) == [3, 2]
    assert await found(status="error", to=first["results"][0]["started_at"]) == [3, 2]
