"""A trace that is read alone says of itself what the list of traces says, whoever added it up."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from specloop.record.traces.repository import traces
from specloop.record.traces.service import reading
from tests.record.traces.harness import Server, eventually, request_of, span_of

OPERATIONS = ("chat", "chat", "embeddings", "invoke_agent", "execute_tool", "")
TRACES = 60


def _attributes(rng: random.Random) -> dict[str, Any]:
    """Some of what instrumentation tells: calls and agents, priced or not, told or not, scored or not."""
    possible: dict[str, Any] = {
        "gen_ai.operation.name": rng.choice(OPERATIONS),
        "gen_ai.request.model": rng.choice(["gpt-4o", "claude-sonnet-4-5", "unheard-of"]),
        "gen_ai.usage.input_tokens": rng.choice([0, 7, 1_500, 250_000]),
        "gen_ai.usage.output_tokens": rng.randrange(900),
        "gen_ai.usage.cost": rng.choice([0.5, 0.00000001]),
        "gen_ai.agent.id": f"a-{rng.randrange(3)}",
        "gen_ai.agent.name": f"agent {rng.randrange(3)}",
        "gen_ai.conversation.id": f"s-{rng.randrange(3)}",
        "user.id": f"u-{rng.randrange(3)}",
        "tag.tags": rng.sample(["red", "blue", "green"], 2),
        "evaluations.0.evaluation.score": rng.random(),
    }
    return {key: value for key, value in possible.items() if rng.random() < 0.6}


def _spans(rng: random.Random, trace: int, start_ns: int) -> list[Span]:
    spans: list[Span] = []
    for number in range(1, rng.randint(2, 9)):
        span = span_of(
            number,
            trace=trace,
            parent=None if number == 1 else rng.choice([1, rng.randrange(1, number), 99]),
            name=f"step {number}",
            attributes=_attributes(rng),
            start_ns=start_ns + number * rng.randrange(1, 10**6),
            duration_ns=rng.randrange(10**9),
        )
        if rng.random() < 0.1:
            span.status.code = Status.STATUS_CODE_ERROR
        spans.append(span)
    return spans


@pytest.mark.parametrize(("tree_max", "read_max"), [(2_000, 5_000), (2_000, 1), (3, 5_000)])
async def test_a_trace_alone_and_in_a_list_are_the_same(
    server: Server, monkeypatch: pytest.MonkeyPatch, tree_max: int, read_max: int
) -> None:
    """Whether the store adds up or this program, for either."""
    monkeypatch.setattr(reading, "TREE_SPANS_MAX", tree_max)
    monkeypatch.setattr(traces, "SPANS_READ_MAX", read_max)
    rng = random.Random(7)
    base = time.time_ns() - 3_600 * 10**9
    spans = [span for trace in range(1, TRACES + 1) for span in _spans(rng, trace, base + trace)]
    await server.send(request_of(*spans))
    await server.send(request_of(*rng.sample(spans, 40)))  # delivered again

    async def stored() -> bool:
        listed = (await server.get("", limit=100)).json()["results"]
        return sum(trace["span_count"] for trace in listed) == len(spans)

    await eventually(stored)
    for told in (await server.get("", limit=100)).json()["results"]:
        alone = (await server.get(f"/{told['trace_id']}")).json()
        assert alone["truncated"] is (told["span_count"] > tree_max)
        assert {key: alone[key] for key in told} == told
