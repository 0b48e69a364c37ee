"""OTLP ingestion through the front door: what is acknowledged is stored, once, in the sender's workspace."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus

from tests.record.traces.harness import (
    OURS,
    PROTOBUF,
    THEIRS,
    Server,
    attributes_of,
    eventually,
    hex_span,
    hex_trace,
    request_of,
    span_of,
)

DAY_NS = 86_400 * 10**9


async def test_full_success_leaves_partial_success_unset(server: Server) -> None:
    response = await server.send(request_of(span_of()))
    assert response.status_code == 200
    assert response.headers["content-type"] == PROTOBUF
    assert not ExportTraceServiceResponse.FromString(response.content).HasField("partial_success")


async def test_an_empty_request_is_accepted(server: Server) -> None:
    response = await server.send(ExportTraceServiceRequest())
    assert response.status_code == 200
    assert response.content == b""


async def test_a_working_directory_that_cannot_be_written_does_not_matter(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    await server.send(request_of(span_of()))
    await server.wait_for_spans(hex_trace(1), 1)
    assert list(here.iterdir()) == []


async def test_every_field_of_a_span_comes_back(server: Server) -> None:
    start = time.time_ns() - DAY_NS + 123
    attributes = {
        "text": "grüße\n\x00end",
        "empty": "",
        "int": -(2**63),
        "double": 0.1,
        "yes": True,
        "no": False,
        "list": ["a", 1, 2.5, True, None, ["deep", {"er": 1}]],
        "map": {"k": {"v": [1]}},
        "bytes": b"\x00\xff",
        "nothing": None,
    }
    span = span_of(
        7,
        parent=3,
        name="everything",
        start_ns=start,
        attributes=attributes,
        trace_state="a=b",
        flags=257,
        status=SpanStatus(code=SpanStatus.STATUS_CODE_ERROR, message="broken"),
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
        events=[
            Span.Event(time_unix_nano=start + 5, name="e1", attributes=attributes_of({"n": 1})),
            Span.Event(time_unix_nano=start + 6, name="e2", dropped_attributes_count=4),
        ],
        links=[
            Span.Link(
                trace_id=b"\x01" * 16, span_id=b"\x02" * 8, trace_state="x=y", attributes=attributes_of({"l": True})
            )
        ],
    )
    request = request_of(span, resource={"service.name": "svc", "host.cpus": 2})
    request.resource_spans[0].scope_spans[0].scope.version = "1.2"
    request.resource_spans[0].scope_spans[0].scope.attributes.extend(attributes_of({"s": 1}))
    assert (await server.send(request)).status_code == 200
    trace = await server.wait_for_spans(hex_trace(1), 1)
    found = trace["spans"][0]
    assert found["attributes"] == {**attributes, "bytes": base64.b64encode(b"\x00\xff").decode()}
    assert found["resource_attributes"] == {"service.name": "svc", "host.cpus": 2}
    assert found["scope"] == {"name": "tests", "version": "1.2", "attributes": {"s": 1}}
    assert (found["span_id"], found["parent_span_id"]) == (hex_span(7), hex_span(3))
    assert (found["start_time_unix_nano"], found["end_time_unix_nano"]) == (str(start), str(start + 5_000_000))
    assert (found["name"], found["kind"], found["service"]) == ("everything", "client", "svc")
    assert (found["status"], found["status_message"]) == ("error", "broken")
    assert (found["trace_state"], found["flags"]) == ("a=b", 257)
    counts = [found[f"dropped_{what}_count"] for what in ("attributes", "events", "links")]
    assert counts == [1, 2, 3]
    first, second = found["events"]
    assert (first["name"], first["time_unix_nano"], first["attributes"]) == ("e1", str(start + 5), {"n": 1})
    assert (second["attributes"], second["dropped_attributes_count"]) == ({}, 4)
    assert found["links"] == [
        {
            "trace_id": "01" * 16,
            "span_id": "02" * 8,
            "trace_state": "x=y",
            "attributes": {"l": True},
            "dropped_attributes_count": 0,
        }
    ]


BAD_SPANS = {
    "invalid_trace_id": {"trace_id": b"\x01" * 15},
    "zero_trace_id": {"trace_id": bytes(16)},
    "invalid_span_id": {"span_id": b"\x01" * 9},
    "zero_span_id": {"span_id": bytes(8)},
    "invalid_parent_span_id": {"parent_span_id": b"\x01"},
    "ends_before_start": {"end_time_unix_nano": 1},
    "too_old": {"start_time_unix_nano": 0},
    "in_the_future": {"end_time_unix_nano": time.time_ns() + DAY_NS},
}


@pytest.mark.parametrize("fault", list(BAD_SPANS))
async def test_a_bad_span_is_refused_alone(server: Server, fault: str) -> None:
    bad = span_of(2)
    for field, value in BAD_SPANS[fault].items():
        setattr(bad, field, value)
    response = await server.send(request_of(span_of(1), bad, span_of(3, parent=1)))
    answer = ExportTraceServiceResponse.FromString(response.content)
    assert response.status_code == 200
    assert answer.partial_success.rejected_spans == 1
    assert answer.partial_success.error_message.startswith("1 span(s): the ")
    trace = await server.wait_for_spans(hex_trace(1), 2)
    assert trace["span_count"] == 2
    stats = (await server.get("/otel/v1/traces/stats")).json()
    assert (stats["spans_accepted"], stats["spans_rejected"]) == (2, 1)
    reason = fault.replace("zero_", "invalid_")
    assert stats["by_reason"] == {reason: 1}


async def test_log_records_sent_here_are_named_in_the_message(server: Server) -> None:
    logs = Span(start_time_unix_nano=time.time_ns(), end_time_unix_nano=time.time_ns())
    answer = ExportTraceServiceResponse.FromString((await server.send(request_of(logs))).content)
    assert "log records" in answer.partial_success.error_message


async def test_otlp_json_means_the_same_as_protobuf(server: Server) -> None:
    start = time.time_ns() - DAY_NS
    document: dict[str, Any] = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "js"}}]},
                "scopeSpans": [
                    {
                        "scope": {"name": "lib"},
                        "spans": [
                            {
                                "traceId": "ABCDEF0123456789abcdef0123456789",
                                "spanId": "00000000000000AA",
                                "name": "n",
                                "kind": 3,
                                "startTimeUnixNano": str(start),
                                "endTimeUnixNano": start + 10,
                                "status": {"code": 2, "message": "m"},
                                "unknownField": {"deep": [1]},
                                "attributes": [
                                    {"key": "i", "value": {"intValue": "42"}},
                                    {"key": "j", "value": {"intValue": 43}},
                                    {"key": "d", "value": {"doubleValue": 1}},
                                    {"key": "b", "value": {"boolValue": True}},
                                    {"key": "y", "value": {"bytesValue": "AP8="}},
                                    {"key": "a", "value": {"arrayValue": {"values": [{"stringValue": "x"}]}}},
                                    {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {}}]}}},
                                ],
                                "events": [{"timeUnixNano": str(start), "name": "ev"}],
                            }
                        ],
                    }
                ],
            }
        ]
    }
    response = await server.http.post(
        "/otel/v1/traces",
        content=json.dumps(document),
        headers={"content-type": "application/json; charset=utf-8", "authorization": "Bearer ours"},
    )
    assert (response.status_code, response.json()) == (200, {})
    assert response.headers["content-type"].startswith("application/json")
    trace = await server.wait_for_spans("abcdef0123456789abcdef0123456789", 1)
    span = trace["spans"][0]
    assert span["attributes"] == {"i": 42, "j": 43, "d": 1.0, "b": True, "y": "AP8=", "a": ["x"], "m": {"k": None}}
    assert (span["span_id"], span["kind"], span["status"]) == ("00000000000000aa", "client", "error")
    assert (span["start_time_unix_nano"], span["events"][0]["name"]) == (str(start), "ev")


MALFORMED_JSON = [
    "{",
    "[]",
    '{"resourceSpans":{}}',
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SPAN_KIND_CLIENT"}]}]}]}',
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":-1}]}]}]}',
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":1}]}]}]}]}',
]


@pytest.mark.parametrize("body", MALFORMED_JSON)
async def test_malformed_json_is_refused_in_json(server: Server, body: str) -> None:
    response = await server.http.post(
        "/v1/traces", content=body, headers={"content-type": "application/json", "authorization": "Bearer ours"}
    )
    assert response.status_code == 400
    assert response.json()["code"] == 3
    assert response.json()["message"]


def otlp_json(*values: str, trace_id: str = "ab" * 16) -> str:
    """One span whose attributes a0, a1, … have these values, as they are written in the body."""
    attributes = ",".join(f'{{"key":"a{index}","value":{value}}}' for index, value in enumerate(values))
    now = time.time_ns()
    times = f'"startTimeUnixNano":"{now}","endTimeUnixNano":"{now}"'
    span = f'{{"traceId":"{trace_id}","spanId":"{"cd" * 8}",{times},"attributes":[{attributes}]}}'
    return f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}'


async def send_json(server: Server, body: str | bytes) -> Any:
    """POST OTLP/JSON; the answer's document, which must be a 200."""
    headers = {"content-type": "application/json", "authorization": "Bearer ours"}
    response = await server.http.post("/otel/v1/traces", content=body, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ('{"doubleValue":null}', None),
        ('{"doubleValue":"1.5"}', 1.5),
        ('{"doubleValue":"seven"}', None),
        ('{"intValue":100000000000000000000}', 1e20),
        ('{"intValue":"100000000000000000000"}', 1e20),
        ('{"intValue":5.0}', 5),
        ('{"intValue":null}', None),
        ('{"intValue":"five"}', None),
        ('{"arrayValue":null}', None),
        ('{"arrayValue":{"values":[{"intValue":1},7,{"stringValue":"x"}]}}', [1, None, "x"]),
        ('{"kvlistValue":{"values":[7,{"key":"k","value":{"intValue":1}}]}}', {"k": 1}),
        ('{"bytesValue":"_-8"}', "/+8="),
        ('{"bytesValue":"\u00e9"}', None),
        ('{"bytesValue":{"0":1}}', None),
        ('{"stringValue":null,"intValue":"5"}', 5),
        ('{"stringValue":5}', None),
        ('"text"', None),
        ('{"arrayValue":{"values":[' * 40 + "{}" + "]}}" * 40, ...),
    ],
)
async def test_an_odd_value_costs_no_span(server: Server, value: str, kept: Any) -> None:
    assert await send_json(server, otlp_json(value, '{"stringValue":"good"}')) == {}
    found = (await server.wait_for_spans("ab" * 16, 1))["spans"][0]["attributes"]
    assert found["a1"] == "good"
    assert kept is ... or found.get("a0") == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\udc00 and \ud83d\ude00", "\ufffd and \U0001f600"),
        (r"a \\ud83d stays \ud83d", "a \\ud83d stays \ufffd"),
    ],
)
async def test_half_a_surrogate_pair_is_a_replacement_character(server: Server, written: str, kept: str) -> None:
    assert await send_json(server, b"\xef\xbb\xbf" + otlp_json(f'{{"stringValue":"{written}"}}').encode()) == {}
    assert (await server.wait_for_spans("ab" * 16, 1))["spans"][0]["attributes"]["a0"] == kept


async def test_an_id_that_is_no_hexadecimal_costs_its_span_only(server: Server) -> None:
    answer = await send_json(server, otlp_json(trace_id="zz"))
    assert answer["partialSuccess"]["rejectedSpans"] == "1"
    assert "trace id" in answer["partialSuccess"]["errorMessage"]


async def test_a_refusal_is_json_however_the_type_is_spelt(server: Server) -> None:
    response = await server.http.post("/otel/v1/traces", content="{}", headers={"content-type": "Application/JSON"})
    assert (response.status_code, response.json()["code"]) == (401, 16)


async def test_undecodable_protobuf_is_refused_in_protobuf(server: Server) -> None:
    response = await server.send(b"\xff\xff\xff")
    assert response.status_code == 400
    assert Status.FromString(response.content).code == 3


async def test_what_is_wrong_with_a_body_stands_in_a_bad_request_detail(server: Server) -> None:
    status = Status.FromString((await server.send(b"\xff\xff\xff")).content)
    detail = BadRequest()
    assert status.details[0].Unpack(detail)
    assert "protobuf" in detail.field_violations[0].description
    response = await server.http.post(
        "/otel/v1/traces", content="{", headers={"content-type": "application/json", "authorization": "Bearer ours"}
    )
    assert response.json()["details"][0]["@type"].endswith("google.rpc.BadRequest")


@pytest.mark.parametrize("pair", ["pk-lf-any:sk_live_ours", "sk_live_ours:", "sk_live_ours:x"])
async def test_senders_made_for_langfuse_sign_in_with_our_key_as_either_half(server: Server, pair: str) -> None:
    headers = {"content-type": PROTOBUF, "authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    body = request_of(span_of()).SerializeToString()
    alias = await server.http.post("/api/public/otel/v1/traces", content=body, headers=headers)
    assert alias.status_code == 200
    assert (await server.http.post("/otel/v1/traces", content=body, headers=headers)).status_code == 401


@pytest.mark.parametrize("basic", ["Basic !!!", "Basic", "Basic " + base64.b64encode(b"pk:sk").decode()])
async def test_basic_credentials_without_our_key_are_refused(server: Server, basic: str) -> None:
    headers = {"content-type": PROTOBUF, "authorization": basic}
    assert (await server.http.post("/api/public/otel/v1/traces", headers=headers)).status_code == 401


async def test_another_media_type_is_refused(server: Server) -> None:
    response = await server.send(b"", **{"content-type": "text/plain"})
    assert response.status_code == 415


@pytest.mark.parametrize("path", ["/otel/v1/traces", "/v1/traces", "/api/public/otel/v1/traces"])
async def test_every_alias_takes_traces_and_needs_a_credential(server: Server, path: str) -> None:
    body = request_of(span_of()).SerializeToString()
    anonymous = await server.http.post(path, content=body, headers={"content-type": PROTOBUF})
    assert anonymous.status_code == 401
    assert Status.FromString(anonymous.content).code == 16
    known = await server.http.post(
        path, content=body, headers={"content-type": PROTOBUF, "authorization": "Bearer writer"}
    )
    assert known.status_code == 200


async def test_writing_needs_its_scope_and_a_user_must_name_the_workspace(server: Server) -> None:
    request = request_of(span_of())
    assert (await server.send(request, "reader")).status_code == 403
    assert (await server.send(request, "user")).status_code == 400
    assert (await server.send(request, "user", **{"x-workspace-id": THEIRS})).status_code == 404
    assert (await server.send(request, "user", **{"x-workspace-id": OURS})).status_code == 200
    assert (await server.send(request, "writer", **{"x-workspace-id": THEIRS})).status_code == 400


async def test_a_workspace_claimed_in_attributes_is_data_not_authority(server: Server) -> None:
    claims: dict[str, Any] = {"workspace_id": THEIRS, "specloop.workspace.id": THEIRS, "service.name": "liar"}
    await server.send(request_of(span_of(attributes=claims), resource=claims))
    trace = await server.wait_for_spans(hex_trace(1), 1)
    assert trace["spans"][0]["attributes"]["workspace_id"] == THEIRS
    assert (await server.get(f"/{hex_trace(1)}", "theirs")).status_code == 404


async def test_bytes_after_the_request_cannot_claim_a_workspace(server: Server) -> None:
    # Field 1 of the envelope is the workspace; here it stands inside the request, where it is an unknown string.
    smuggled = request_of(span_of()).SerializeToString() + b"\x92\x03" + bytes([len(THEIRS)]) + THEIRS.encode()
    assert (await server.send(smuggled)).status_code == 200
    await server.wait_for_spans(hex_trace(1), 1)
    assert (await server.get("", "theirs")).json()["pagination"]["total"] == 0


async def test_the_same_ids_in_two_workspaces_are_two_traces(server: Server) -> None:
    await server.send(request_of(span_of(name="mine")))
    await server.send(request_of(span_of(name="yours")), "theirs")
    mine = await server.wait_for_spans(hex_trace(1), 1)
    yours = await server.wait_for_spans(hex_trace(1), 1, "theirs")
    assert (mine["name"], yours["name"]) == ("mine", "yours")


async def test_a_span_delivered_many_times_counts_once_and_the_last_end_wins(server: Server) -> None:
    start = time.time_ns() - DAY_NS
    usage = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 10, "gen_ai.request.model": "m"}
    for duration, answer in ((5, "early"), (9, "late"), (7, "middle")):
        span = span_of(start_ns=start, duration_ns=duration, attributes={**usage, "answer": answer})
        await server.send(request_of(span))

        async def drained() -> bool:
            return (await server.get("/otel/v1/traces/stats")).json()["lag_ms"] == 0

        await eventually(drained)
    trace = await server.wait_for_spans(hex_trace(1), 1)
    assert (trace["span_count"], trace["input_tokens"]) == (1, 10)
    assert trace["spans"][0]["attributes"]["answer"] == "late"
    stats = (await server.get("/stats", **{"from": "2020-01-01T00:00:00Z"})).json()
    assert (stats["spans"], stats["input_tokens"], stats["by_model"][0]["spans"]) == (1, 10, 1)
