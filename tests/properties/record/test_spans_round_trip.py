"""Law: what a sender encodes is what a reader gets, for any span the protocol allows."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from specloop.db.telemetry import TelemetryStore
from specloop.kit.ids import new_id
from specloop.record.traces.ingest.decode import Encoding, decode
from specloop.record.traces.ingest.validate import validate
from specloop.record.traces.model import Outcome
from specloop.record.traces.repository import choosing, spans, traces
from specloop.record.traces.repository.native import ReceivedBody, insert_bodies
from tests.record.traces.harness import attributes_of, request_of
from tests.telemetry import SharedTelemetry

NOW = time.time_ns()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    TEXT,
    st.binary(max_size=20),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(TEXT, VALUES, max_size=6)


@st.composite
def valid_spans(draw: st.DrawFn) -> tuple[Span, dict[str, Any], dict[str, Any]]:
    """A span that must be accepted, its attributes and those of its one event."""
    attributes, event = draw(ATTRIBUTES), draw(ATTRIBUTES)
    start = NOW - draw(st.integers(0, 29 * 86_400 * 10**9))
    return (
        Span(
            trace_id=draw(st.binary(min_size=16, max_size=16).filter(any)),
            span_id=draw(st.binary(min_size=8, max_size=8).filter(any)),
            parent_span_id=draw(st.one_of(st.just(b""), st.binary(min_size=8, max_size=8).filter(any))),
            name=draw(TEXT),
            kind=draw(st.sampled_from(range(6))),  # pyright: ignore[reportArgumentType]
            start_time_unix_nano=start,
            end_time_unix_nano=start + draw(st.integers(0, 3_600 * 10**9)),
            attributes=attributes_of(attributes),
            events=[Span.Event(time_unix_nano=start, name=draw(TEXT), attributes=attributes_of(event))],
        ),
        attributes,
        event,
    )


@pytest.fixture(scope="module")
def store(shared_telemetry: SharedTelemetry) -> Iterator[tuple[asyncio.Runner, TelemetryStore]]:
    """One store for all examples; each uses a workspace of its own."""
    with asyncio.Runner() as runner:
        yield runner, runner.run(shared_telemetry.emptied())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(valid_spans())
def test_encode_then_ingest_then_read_is_the_identity(
    store: tuple[asyncio.Runner, TelemetryStore], made: tuple[Span, dict[str, Any], dict[str, Any]]
) -> None:
    runner, telemetry = store
    span, attributes, event = made
    workspace_id = new_id()
    body = request_of(span).SerializeToString()
    verdict = validate(decode(body, Encoding.PROTOBUF), body, time.time_ns())
    assert (verdict.accepted, verdict.rejected_count, verdict.body) == (1, 0, body)
    runner.run(insert_bodies(telemetry, [ReceivedBody(workspace_id, NOW // 1_000, body)] * 2))
    trace_id = span.trace_id.hex()
    placed = runner.run(choosing.place(telemetry, workspace_id, trace_id))
    assert placed is not None
    read = runner.run(spans.page_spans(telemetry, workspace_id, placed, limit=10))
    assert len(read) == 1
    found = read[0]
    assert (found.trace_id, found.span_id) == (trace_id, span.span_id.hex())
    assert found.parent_span_id == (span.parent_span_id.hex() or None)
    assert (found.start_ns, found.end_ns) == (span.start_time_unix_nano, span.end_time_unix_nano)
    assert (found.name, found.kind, found.events[0].name) == (span.name, span.kind, span.events[0].name)
    assert same(dict(found.attributes), readable(attributes))
    assert same(dict(found.events[0].attributes), readable(event))
    placed = runner.run(choosing.place(telemetry, workspace_id, trace_id))
    assert placed is not None
    (summary,) = runner.run(traces.read_traces(telemetry, workspace_id, [placed]))
    assert (summary.start_ns, summary.end_ns, summary.span_count) == (found.start_ns, found.end_ns, 1)


@given(st.lists(st.sampled_from([None, *(o for o in Outcome if o is not Outcome.ACCEPTED)]), max_size=30))
def test_accepted_and_refused_spans_add_up(faults: list[Outcome | None]) -> None:
    made = [faulty(number, fault) for number, fault in enumerate(faults, start=1)]
    body = request_of(*made).SerializeToString()
    verdict = validate(decode(body, Encoding.PROTOBUF), body, NOW)
    assert verdict.accepted + verdict.rejected_count == len(made)
    assert verdict.rejected == {fault: faults.count(fault) for fault in set(faults) - {None}}
    kept = [
        span.span_id
        for resource in decode(verdict.body, Encoding.PROTOBUF).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert kept == [number.to_bytes(8, "big") for number, fault in enumerate(faults, start=1) if fault is None]


def faulty(number: int, fault: Outcome | None) -> Span:
    """A span with one fault, or none."""
    span = Span(
        trace_id=b"\x01" * 16,
        span_id=number.to_bytes(8, "big"),
        start_time_unix_nano=NOW - 10,
        end_time_unix_nano=NOW,
    )
    match fault:
        case Outcome.TRACE_ID:
            span.trace_id = b"short"
        case Outcome.SPAN_ID:
            span.span_id = bytes(8)
        case Outcome.PARENT_ID:
            span.parent_span_id = b"x"
        case Outcome.ORDER:
            span.end_time_unix_nano = NOW - 11
        case Outcome.TOO_OLD:
            span.start_time_unix_nano = NOW - 31 * 86_400 * 10**9
        case Outcome.TOO_NEW:
            span.end_time_unix_nano = NOW + 2 * 3_600 * 10**9
        case _:
            pass
    return span


def readable(value: Any) -> Any:
    """A value as readers see it: bytes are base64."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [readable(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return {key: readable(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def same(left: Any, right: Any) -> bool:
    """Equality in which NaN equals NaN and 1 differs from 1.0 and True."""
    return repr(left) == repr(right)
