"""Input made to break things: it is refused, bounded or stored as the plain data it is; good data beside it is kept."""

from __future__ import annotations

import asyncio
import time

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import select

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from specloop.db.uow import ALL_WORKSPACES
from specloop.record.traces.repository.native import ATTRIBUTES_MAX, EVENTS_MAX, LINKS_MAX, VALUE_BYTES_MAX
from specloop.record.traces.schema_opinions import DEPTH_MAX
from specloop.record.traces.tables import InboxRow
from specloop.transport.guard import Admission
from specloop.transport.limits import Throughput
from tests.record.traces.harness import (
    OURS,
    PROTOBUF,
    Gate,
    Server,
    attributes_of,
    eventually,
    hex_trace,
    request_of,
    serving,
    span_of,
)

HOSTILE_KEYS = [
    "__proto__",
    "constructor",
    "a\x00b",
    "",
    "'); DROP TABLE spans; --",
    "{workspace_id:UUID}",
    "\\",
    "\u202e",
    "k" * 10_000,
    "gen_ai.usage.input_tokens\x00",
]


async def test_hostile_attribute_keys_are_plain_keys(server: Server) -> None:
    attributes = {key: f"value {number}" for number, key in enumerate(HOSTILE_KEYS)}
    await server.send(request_of(span_of(name="'; DROP", attributes=attributes), resource=attributes))
    trace = await server.wait_for_spans(hex_trace(1), 1)
    assert trace["spans"][0]["attributes"] == attributes
    assert trace["spans"][0]["resource_attributes"] == attributes


async def test_tokens_that_are_no_numbers_are_no_tokens(server: Server) -> None:
    odd = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": "many",
        "gen_ai.usage.output_tokens": -5,
        "gen_ai.usage.cost": "1e400",
    }
    await server.send(request_of(span_of(attributes=odd)))
    trace = await server.wait_for_spans(hex_trace(1), 1)
    assert (trace["input_tokens"], trace["output_tokens"], trace["cost_usd"]) == (None, None, None)
    assert trace["spans"][0]["attributes"] == odd


async def test_too_many_attributes_events_and_links_are_cut_and_counted(server: Server) -> None:
    start = time.time_ns()
    many = attributes_of({f"k{n}": n for n in range(ATTRIBUTES_MAX + 5)})
    span = span_of(
        events=[Span.Event(time_unix_nano=start, attributes=many)] + [Span.Event()] * (EVENTS_MAX + 6),
        links=[Span.Link(trace_id=b"\x01" * 16, span_id=b"\x01" * 8)] * (LINKS_MAX + 3),
        dropped_attributes_count=2,
    )
    span.attributes.extend(many)
    span.attributes[0].value.string_value = "ü" * VALUE_BYTES_MAX
    await server.send(request_of(span))
    found = (await server.wait_for_spans(hex_trace(1), 1))["spans"][0]
    assert len(found["attributes"]) == ATTRIBUTES_MAX
    assert (len(found["events"]), len(found["links"])) == (EVENTS_MAX, LINKS_MAX)
    dropped = [found[f"dropped_{what}_count"] for what in ("attributes", "events", "links")]
    assert dropped == [7, 7, 3]
    assert found["events"][0]["dropped_attributes_count"] == 5
    assert found["attributes"]["k0"] == "ü" * (VALUE_BYTES_MAX // 2)


async def test_a_hundred_thousand_distinct_keys_are_stored_and_leave_the_store_usable(server: Server) -> None:
    for batch in range(4):
        spans = [
            span_of(
                batch * 25 + n + 1,
                attributes={f"key-{batch}-{n}-{k}": k for k in range(1_000)},
            )
            for n in range(25)
        ]
        assert (await server.send(request_of(*spans))).status_code == 200
    trace = await server.wait_for_spans(hex_trace(1), 100)
    assert len(trace["spans"][0]["attributes"]) == 1_000


REPEATED_FIELDS = {
    "trace id": b"\x0a\x10" + bytes(16),
    "span id": b"\x12\x08" + bytes(8),
}


@pytest.mark.parametrize("field", list(REPEATED_FIELDS))
async def test_a_field_sent_twice_counts_as_validated(server: Server, field: str) -> None:
    # Protobuf takes the last of two; the engine's parser would see neither.
    wire = REPEATED_FIELDS[field] + span_of().SerializeToString()
    spans = b"\x12" + _varint(len(wire)) + wire
    scope = b"\x12" + _varint(len(spans)) + spans
    await server.send(b"\x0a" + _varint(len(scope)) + scope)
    await server.send(request_of(span_of(2)))
    trace = await server.wait_for_spans(hex_trace(1), 2)
    assert {span["span_id"] for span in trace["spans"]} == {"0" * 15 + "1", "0" * 15 + "2"}


async def test_a_known_field_with_another_wire_type_does_not_hold_up_others(server: Server) -> None:
    odd = (
        span_of(1).SerializeToString() + b"\x38\x05"
    )  # start time as a varint: unknown to protobuf, an error to others
    spans = b"\x12" + _varint(len(odd)) + odd
    scope = b"\x12" + _varint(len(spans)) + spans
    body = b"\x0a" + _varint(len(scope)) + scope
    sent = [server.send(body), *(server.send(request_of(span_of(n))) for n in range(2, 12))]
    assert {response.status_code for response in await asyncio.gather(*sent)} == {200}
    await server.wait_for_spans(hex_trace(1), 11)


async def test_a_full_inbox_answers_503_with_a_time_and_loses_nothing(
    database: Database, telemetry: TelemetryStore
) -> None:
    request = request_of(span_of(attributes={"text": "x" * 40_000}))
    async with serving(database, telemetry, inbox_bytes_max=100_000) as server:
        responses = await asyncio.gather(*(server.send(request) for _ in range(12)))
        refused = [response for response in responses if response.status_code == 503]
        assert len(refused) + sum(response.status_code == 200 for response in responses) == 12
        assert refused
        assert int(refused[0].headers["retry-after"]) >= 1

        async def is_empty() -> bool:
            async with database.reading(ALL_WORKSPACES) as unit:
                return await unit.session.scalar(select(InboxRow.id).limit(1)) is None

        await eventually(is_empty)
        assert (await server.send(request)).status_code == 200
        await server.wait_for_spans(hex_trace(1), 1)


async def test_a_workspace_sends_as_many_bytes_as_it_may_however_few_its_requests(
    database: Database, telemetry: TelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> Admission:
        return Admission(1, 0, 60, is_allowed=False)

    monkeypatch.setattr(Gate, "admit", refuse)
    request = request_of(span_of(attributes={"text": "x" * 40_000}))
    async with serving(database, telemetry, allowance=Throughput(10_000)) as server:
        answers = [await server.send(request) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
        assert answers[-1].headers["content-type"] == PROTOBUF
        assert (await server.send(request, "theirs")).status_code == 200
        monkeypatch.undo()
        await server.wait_for_spans(hex_trace(1), 1)


@pytest.mark.parametrize("agent_id", ["'", "ff" * 16, "\ud7ff"])
async def test_any_text_may_be_the_id_of_an_agent(server: Server, agent_id: str) -> None:
    answer = await server.get("", agent_id=agent_id)
    assert (answer.status_code, answer.json()["results"]) == (200, [])


OUT_OF_REACH = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("moment", OUT_OF_REACH)
async def test_moments_that_no_span_can_have_are_refused(server: Server, moment: str) -> None:
    owner = {"authorization": "Bearer owner"}
    for name in ("from", "to"):
        assert (await server.get("/stats", **{name: moment})).status_code == 422
        assert (await server.get("", **{name: moment})).status_code == 422
        for path in ("search", "export"):
            url = f"/api/v1/workspaces/{OURS}/traces/{path}"
            assert (await server.http.post(url, json={"filter": {name: moment}}, headers=owner)).status_code == 422


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "2261-12-31T23:59:59Z", "1969-12-31T20:00:00-14:00"])
async def test_the_first_and_the_last_moments_are_taken(server: Server, moment: str) -> None:
    assert (await server.get("/stats", to=moment)).status_code == 200
    assert (await server.get("", to=moment)).status_code == 200


@pytest.mark.parametrize(("depth", "status"), [(DEPTH_MAX - 2, 201), (DEPTH_MAX + 1, 422), (300, 422), (5_000, 400)])
async def test_opinions_are_nested_no_deeper_than_answers_can_be(server: Server, depth: int, status: int) -> None:
    await server.send(request_of(span_of(1)))
    await server.wait_for_spans(hex_trace(1), 1)
    deep = "[" * depth + "]" * depth
    url = f"/api/v1/workspaces/{OURS}/traces/{hex_trace(1)}"
    headers = {"authorization": "Bearer owner", "content-type": "application/json"}
    for path, body in (
        ("feedback", f'{{"kind":"correction","value":{deep}}}'),
        ("annotations", f'{{"name":"a","score":1,"metadata":{{"a":{deep}}}}}'),
    ):
        assert (await server.http.post(f"{url}/{path}", content=body, headers=headers)).status_code == status
        assert (await server.get(f"/{hex_trace(1)}/{path}")).status_code == 200
    assert (await server.get(f"/{hex_trace(1)}")).status_code == 200


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128, number >> 7])
