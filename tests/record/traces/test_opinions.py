"""Feedback, annotations, JSON traces, deletion, search and export through the front door (spectral.md, router 15)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import text

from specloop.db.telemetry import TelemetryStore, TelemetryUnavailable
from specloop.kit.clock import format_time
from specloop.record.traces.repository import figures
from specloop.record.traces.service import reading
from tests.record.traces.harness import OURS, THEIRS, Server, attributes_of, hex_trace, request_of, span_of

BASE = f"/api/v1/workspaces/{OURS}/traces"


async def send(server: Server, method: str, path: str, body: Any = None, caller: str = "owner") -> Any:
    """A request below `…/traces` of our workspace."""
    return await server.http.request(method, BASE + path, json=body, headers={"authorization": f"Bearer {caller}"})


async def stored(server: Server, trace: int = 1, **span: Any) -> str:
    """A trace that can be read."""
    await server.send(request_of(span_of(trace=trace, **span)))
    await server.wait_for_spans(hex_trace(trace), 1)
    return hex_trace(trace)


async def test_feedback_given_again_by_the_same_user_is_one_feedback(server: Server) -> None:
    trace = await stored(server)
    body = {"kind": "thumbs", "value": "down", "user_ref": "u1"}
    first = await send(server, "POST", f"/{trace}/feedback", body, "writer")
    again = await send(server, "POST", f"/{trace}/feedback", {**body, "value": True}, "writer")
    other = await send(server, "POST", f"/{trace}/feedback", {**body, "user_ref": "u2"}, "writer")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 201)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    listed = (await send(server, "GET", f"/{trace}/feedback")).json()["results"]
    assert [(one["user_ref"], one["value"], one["score"]) for one in listed] == [("u1", "up", 1.0), ("u2", "down", 0.0)]


async def test_a_trace_is_there_for_whoever_sent_it_a_moment_ago(server: Server) -> None:
    opinion = {"kind": "thumbs", "value": "up"}
    await server.send(request_of(span_of(trace=1)))
    assert (await send(server, "POST", f"/{hex_trace(1)}/feedback", opinion, "writer")).status_code == 201
    await server.send(request_of(span_of(trace=2)))
    assert (await send(server, "GET", f"/{hex_trace(2)}")).json()["span_count"] == 1
    await server.send(request_of(span_of(trace=3)))
    assert (await send(server, "DELETE", f"/{hex_trace(3)}")).status_code == 204
    assert (await send(server, "GET", f"/{hex_trace(3)}")).status_code == 404


async def test_waiting_for_what_was_sent_finds_no_other_trace(server: Server) -> None:
    await server.send(request_of(span_of(trace=1)))
    assert (await send(server, "GET", f"/{hex_trace(99)}")).status_code == 404
    assert (await send(server, "GET", f"/{hex_trace(1)}")).status_code == 200


@pytest.mark.parametrize(
    ("kind", "value", "is_taken"),
    [
        ("thumbs", "up", True),
        ("thumbs", "sideways", False),
        ("thumbs", [1], False),
        ("score", 0.25, True),
        ("score", 1.5, False),
        ("score", True, False),
        ("label", "wrong tool", True),
        ("label", "", False),
        ("correction", {"answer": 42}, True),
        ("correction", None, False),
        ("comment", "nice", True),
        ("comment", 3, False),
        ("stars", 5, False),
    ],
)
async def test_a_value_must_fit_its_kind(server: Server, kind: str, value: Any, is_taken: bool) -> None:
    trace = await stored(server)
    response = await send(server, "POST", f"/{trace}/feedback", {"kind": kind, "value": value})
    assert response.status_code == (201 if is_taken else 422)
    if is_taken:
        assert response.json()["value"] == value


async def test_lists_know_feedback_and_the_lowest_score(server: Server) -> None:
    good, bad, silent = [await stored(server, number) for number in (1, 2, 3)]
    await send(server, "POST", f"/{good}/feedback", {"kind": "score", "value": 0.9})
    await send(server, "POST", f"/{bad}/annotations", {"name": "judge", "annotator": "code", "score": 0.1})

    async def found(query: str) -> set[str]:
        response = await send(server, "GET", f"?{query}")
        assert response.status_code == 200
        results = response.json()["results"]
        assert response.json()["pagination"]["total"] == len(results)
        return {one["trace_id"] for one in results}

    assert await found("has_feedback=true") == {good}
    assert await found("has_feedback=false") == {bad, silent}
    assert await found("score%3C=0.5") == {bad}
    assert await found("score%3C=0.95") == {bad, good}


async def test_feedback_can_be_withdrawn_by_user_or_wholly(server: Server) -> None:
    trace = await stored(server)
    for user in ("a", "b", "c"):
        await send(server, "POST", f"/{trace}/feedback", {"kind": "comment", "value": "x", "user_ref": user})
    assert (await send(server, "DELETE", f"/{trace}/feedback?user_ref=b")).status_code == 204
    left = (await send(server, "GET", f"/{trace}/feedback")).json()["results"]
    assert [one["user_ref"] for one in left] == ["a", "c"]
    assert (await send(server, "DELETE", f"/{trace}/feedback")).status_code == 204
    assert (await send(server, "GET", f"/{trace}/feedback")).json()["results"] == []


async def test_judgements_inside_spans_are_annotations(server: Server) -> None:
    attributes = {
        "evaluations.0.evaluation.name": "relevance",
        "evaluations.0.evaluation.score": 0.4,
        "evaluations.0.evaluation.label": "poor",
    }
    reported = {
        "gen_ai.evaluation.name": "tone",
        "gen_ai.evaluation.score.value": 0.75,
        "gen_ai.evaluation.explanation": "polite",
    }
    event = Span.Event(name="gen_ai.evaluation.result", attributes=attributes_of(reported))
    trace = await stored(server, attributes=attributes, events=[event])
    await send(server, "POST", f"/{trace}/annotations", {"name": "mine", "label": "ok"})
    found = (await send(server, "GET", f"/{trace}/annotations")).json()["results"]
    assert [(one["name"], one["annotator"], one["score"], one["label"]) for one in found] == [
        ("mine", "human", None, "ok"),
        ("tone", "reported", 0.75, None),
        ("relevance", "reported", 0.4, "poor"),
    ]
    detail = (await send(server, "GET", f"/{trace}")).json()
    assert (len(detail["annotations"]), detail["score_min"]) == (3, 0.4)


async def test_a_deleted_trace_stays_deleted_when_it_is_delivered_again(server: Server) -> None:
    trace, kept = await stored(server, 1, attributes={"secret": "unicorn"}), await stored(server, 2)
    await send(server, "POST", f"/{trace}/feedback", {"kind": "thumbs", "value": "up"})
    assert (await send(server, "DELETE", f"/{trace}", caller="ours")).status_code == 403
    assert (await send(server, "DELETE", f"/{trace}")).status_code == 204
    await server.send(request_of(span_of(trace=1, number=9), span_of(trace=2, number=9)))
    await server.wait_for_spans(kept, 2)
    assert (await send(server, "GET", f"/{trace}")).status_code == 404
    assert (await send(server, "GET", f"/{trace}/spans")).status_code == 404
    assert (await send(server, "DELETE", f"/{trace}")).status_code == 404
    listed = (await send(server, "GET", "")).json()
    assert ([one["trace_id"] for one in listed["results"]], listed["pagination"]["total"]) == ([kept], 1)
    assert (await send(server, "GET", "?q=unicorn")).json()["pagination"]["total"] == 0
    left = await server.telemetry.query(
        "SELECT count() AS count FROM spans WHERE workspace_id = {workspace_id:UUID} AND hex(trace_id) = {t:String}",
        workspace_id=OURS,
        parameters={"t": trace},
    )
    assert left[0]["count"] == 0


async def test_the_same_trace_of_another_workspace_is_not_deleted(server: Server) -> None:
    trace = await stored(server)
    await server.send(request_of(span_of()), "theirs")
    await server.wait_for_spans(trace, 1, "theirs")
    assert (await send(server, "DELETE", f"/{trace}")).status_code == 204
    assert (await server.get(f"/{trace}", "theirs")).status_code == 200


async def test_opinions_about_other_peoples_traces_are_not_found(server: Server) -> None:
    await server.send(request_of(span_of()), "theirs")
    await server.wait_for_spans(hex_trace(1), 1, "theirs")
    body = {"kind": "thumbs", "value": "up"}
    assert (await send(server, "POST", f"/{hex_trace(1)}/feedback", body)).status_code == 404
    assert (await send(server, "GET", f"/{hex_trace(1)}/feedback")).status_code == 404
    response = await server.http.post(
        BASE.replace(OURS, THEIRS) + f"/{hex_trace(1)}/feedback", json=body, headers={"authorization": "Bearer owner"}
    )
    assert response.status_code == 404


async def test_json_traces_take_the_same_way_as_otlp(server: Server) -> None:
    now = format_time(datetime.now(UTC))
    body = {
        "traces": [
            {
                "trace_id": "ab" * 16,
                "name": "answer",
                "agent": "helper",
                "session_id": "s1",
                "user_id": "u1",
                "input": "why?",
                "output": {"because": 42},
                "started_at": now,
                "ended_at": now,
                "status": "error",
                "tags": ["x", "y"],
                "metadata": {"k": 1},
                "spans": [{"model": "gpt-4o", "input_tokens": 1000, "output_tokens": 100, "input": "hi"}],
            },
            {"trace_id": "not hex"},
            {"started_at": "2001-01-01T00:00:00Z", "ended_at": "2001-01-01T00:00:00Z"},
            {},
        ]
    }
    response = await send(server, "POST", "", body, "writer")
    assert response.status_code == 202
    answer = response.json()
    assert (answer["accepted"], answer["trace_ids"][0]) == (2, "ab" * 16)
    assert [one["index"] for one in answer["rejected"]] == [1, 2]
    assert "30 days" in answer["rejected"][1]["reason"]
    trace = await server.wait_for_spans("ab" * 16, 2)
    assert (trace["name"], trace["status"], trace["agents"]) == ("answer", "error", ["helper"])
    assert (trace["session_ids"], trace["user_ids"], trace["tags"]) == (["s1"], ["u1"], ["x", "y"])
    assert (trace["input_tokens"], trace["models"], trace["cost_usd"]) == (1000, ["gpt-4o"], "0.00350000")
    root = trace["spans"][0]
    assert (root["attributes"]["input.value"], root["attributes"]["output.value"]) == ("why?", '{"because":42}')
    assert root["children"][0]["name"] == "chat gpt-4o"


async def test_json_traces_sent_again_with_their_key_are_the_same_traces(server: Server) -> None:
    headers = {"authorization": "Bearer writer", "idempotency-key": "k1"}
    body = {"traces": [{"name": "a"}, {"name": "b"}]}
    first, again = [await server.http.post(BASE, json=body, headers=headers) for _ in range(2)]
    assert first.json() == again.json()
    assert len(set(first.json()["trace_ids"])) == 2
    assert (first.status_code, again.status_code) == (202, 202)
    assert [one.headers.get("idempotency-replayed") for one in (first, again)] == [None, "true"]
    other = await server.http.post(BASE, json={"traces": [{"name": "c"}]}, headers=headers)
    assert other.status_code == 409


async def test_json_traces_that_cannot_be_kept_are_refused_alone(server: Server) -> None:
    deep: Any = "x"
    for _ in range(90):
        deep = {"a": deep}
    body = {"traces": [{"started_at": "9999-01-01T00:00:00Z"}, {"metadata": deep, "spans": [{"attributes": deep}]}, {}]}
    answer = (await send(server, "POST", "", body, "writer")).json()
    assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (2, [0])


async def test_more_than_500_json_traces_are_refused(server: Server) -> None:
    assert (await send(server, "POST", "", {"traces": [{}] * 501}, "writer")).status_code == 422
    assert (await send(server, "POST", "", {"traces": []}, "writer")).status_code == 422


async def test_structured_search_combines_conditions(server: Server) -> None:
    await stored(server, 1, attributes={"tier": "gold", "n": 5}, duration_ns=50_000_000)
    await stored(server, 2, attributes={"tier": "gold", "n": 50})
    await stored(server, 3, attributes={"tier": "tin"})

    async def found(**conditions: Any) -> set[int]:
        response = await send(server, "POST", "/search", {"filter": conditions})
        assert response.status_code == 200, response.text
        return {int(one["trace_id"], 16) for one in response.json()["results"]}

    gold = {"key": "tier", "op": "eq", "value": "gold"}
    assert await found() == {1, 2, 3}
    assert await found(attributes=[gold]) == {1, 2}
    assert await found(attributes=[gold, {"key": "n", "op": "gt", "value": 7}]) == {2}
    assert await found(attributes=[{"key": "n", "op": "exists"}]) == {1, 2}
    assert await found(attributes=[{"key": "tier", "op": "ne", "value": "gold"}]) == {3}
    assert await found(attributes=[{"key": "tier", "op": "contains", "value": "OL"}]) == {1, 2}
    assert await found(min_latency=20) == {1}
    assert await found(max_latency=20, q="GOLD") == {2}
    assert (await send(server, "POST", "/search", {"filter": {"owner_id": 1}})).status_code == 422
    long = {"key": "n", "op": "eq", "value": "0" * 1_001}  # spells a number, but was sent as a text
    assert (await send(server, "POST", "/search", {"filter": {"attributes": [long]}})).status_code == 422
    assert (await send(server, "POST", "/search", {"filter": {"to": 1_700_000_000}})).status_code == 422


async def test_quoted_phrases_are_found_literally(server: Server) -> None:
    await stored(server, 1, attributes={"text": "the quick brown fox"})
    await stored(server, 2, attributes={"text": "brown is the quick fox"})

    async def found(q: str) -> int:
        return (await server.get("", q=q)).json()["pagination"]["total"]

    assert await found("quick brown") == 2
    assert await found('"quick brown"') == 1
    assert await found("quic") == 0
    assert await found('"%" OR 1=1') == 0


async def test_figures_are_counted_once_until_spans_arrive_or_go(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    count = figures.facts

    async def counting(store: TelemetryStore, workspace_id: str, start_ns: int, end_ns: int) -> figures.Facts:
        counted.append(end_ns)
        return await count(store, workspace_id, start_ns, end_ns)

    monkeypatch.setattr(figures, "facts", counting)
    monkeypatch.setattr(reading, "FIGURES_SECONDS", 3_600.0)

    async def traces_and_times_counted() -> tuple[int, int]:
        return (await server.get("/stats")).json()["traces"], len(counted)

    first = await stored(server, 1)
    assert [await traces_and_times_counted() for _ in range(3)] == [(1, 1)] * 3
    await stored(server, 2)
    assert [await traces_and_times_counted() for _ in range(2)] == [(2, 2)] * 2
    assert (await send(server, "DELETE", f"/{first}")).status_code == 204
    assert [await traces_and_times_counted() for _ in range(2)] == [(1, 3)] * 2


async def test_spans_are_deleted_when_the_state_store_is_let_go_of(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = await stored(server)
    await send(server, "POST", f"/{trace}/feedback", {"kind": "thumbs", "value": "up"})
    change = TelemetryStore.change
    left: list[int] = []

    async def watched(store: TelemetryStore, *given: Any, **named: Any) -> None:
        async with asyncio.timeout(60), server.database.writing(OURS) as unit:
            left.append(await unit.session.scalar(text("SELECT count(*) FROM trace_feedback")) or 0)
        await change(store, *given, **named)

    monkeypatch.setattr(TelemetryStore, "change", watched)
    assert (await send(server, "DELETE", f"/{trace}")).status_code == 204
    assert left == [0]
    assert (await send(server, "GET", f"/{trace}")).status_code == 404


async def test_a_deletion_that_the_store_of_spans_cannot_do_can_be_asked_for_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = await stored(server)

    async def unavailable(store: TelemetryStore, *given: Any, **named: Any) -> None:
        raise TelemetryUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(TelemetryStore, "change", unavailable)
        assert (await send(server, "DELETE", f"/{trace}")).status_code == 503
    assert (await send(server, "GET", f"/{trace}")).status_code == 200
    assert (await send(server, "DELETE", f"/{trace}")).status_code == 204
    assert (await send(server, "GET", f"/{trace}")).status_code == 404
