"""Tags come out as they were sent, of any length and letters, and traces are found by them (spectral.md §6.2)."""

from __future__ import annotations

import json

import pytest

from tests.record.traces.harness import Server, hex_trace, request_of, span_of

TAGS = [
    "a",
    "customer",
    "0123456789",
    "m" * 127,
    "n" * 128,
    "o" * 130,
    "p" * 300,
    "line\nbreak",
    "\n\x08\n",
    "größe 大",
    "é" * 64,
]
FILTER_MAX = 200
"""Longer words are no filter (`schema_filters.Word`)."""
KEYS = ("tag.tags", "langfuse.trace.tags", "langfuse.tags", "logfire.tags")


async def test_tags_of_any_length_and_letters_are_kept_and_found(server: Server) -> None:
    await server.send(request_of(span_of(1, attributes={"tag.tags": TAGS}), span_of(2, trace=2)))
    trace = await server.wait_for_spans(hex_trace(1), 1)
    assert trace["spans"][0]["tags"] == TAGS
    assert sorted(trace["tags"]) == sorted(TAGS)
    for tag in (tag for tag in TAGS if len(tag) <= FILTER_MAX):
        found = (await server.get("", tag=tag)).json()["results"]
        assert [one["trace_id"] for one in found] == [hex_trace(1)], tag


@pytest.mark.parametrize("key", KEYS)
async def test_every_name_for_tags_is_read_as_an_array_and_as_json(server: Server, key: str) -> None:
    tags = ["customer", "", "b", "", "b"]
    await server.send(
        request_of(
            span_of(1, trace=1, attributes={key: tags, "other": 1}),
            span_of(2, trace=2, attributes={"other": ["customer"], key: json.dumps(tags)}),
        )
    )
    for number in (1, 2):
        assert (await server.wait_for_spans(hex_trace(number), 1))["spans"][0]["tags"] == ["customer", "b"]


async def test_items_that_are_no_text_are_no_tags(server: Server) -> None:
    mixed = [10, "a", True, None, ["inner"], {"k": "v"}, 0.5, b"\n\x01x", "b"]
    await server.send(request_of(span_of(1, attributes={"tag.tags": mixed, "langfuse.tags": []})))
    assert (await server.wait_for_spans(hex_trace(1), 1))["spans"][0]["tags"] == ["a", "b"]


async def test_arrays_beyond_the_bounds_give_only_whole_tags(server: Server) -> None:
    long, many = ["a", "x" * 16_380, "b"], [f"tag {number}" for number in range(300)]
    await server.send(
        request_of(
            span_of(1, trace=1, attributes={"tag.tags": long}),
            span_of(2, trace=2, attributes={"tag.tags": many}),
        )
    )
    assert (await server.wait_for_spans(hex_trace(1), 1))["spans"][0]["tags"] == ["a"]
    assert (await server.wait_for_spans(hex_trace(2), 1))["spans"][0]["tags"] == many[:128]
