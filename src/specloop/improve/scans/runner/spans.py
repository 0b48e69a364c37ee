"""Spans of the runs that a scan is about, sent with the OpenTelemetry SDK like those of any other run.

A search runs an agent tens of thousands of times. By default the runs on train and val of the baseline and of the
winner leave spans (`traces: key`); `all` adds the val runs of every accepted candidate, `none` switches them off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from opentelemetry.trace import Tracer

from specloop.improve.scans.model import Traces
from specloop.improve.scans.runner.results import Findings
from specloop.run import agents
from specloop.run.agents.spans import agent_span, record_output, trace_id_of
from specloop.run.runtime import Output

CHUNK = 100


async def emit_spans(
    tracer: Tracer, served: agents.ServedAgent, traces: Traces, findings: Findings, samples: Sequence[Mapping[str, Any]]
) -> int:
    """Emit spans for the wanted candidates and note their trace ids in the packed evaluations; returns how many runs.

    `samples` are the wire forms of train, then val samples, in the order that packed evaluations refer to.
    """
    wanted = _wanted(traces, findings)
    runs = 0
    for (candidate_id, _split), packed in sorted(findings.evaluations.items()):
        version = wanted.get(candidate_id)
        if version is None or "outputs" not in packed:
            continue
        of_candidate = replace(served, config=replace(served.config, config_hash=version))
        trace_ids: list[str | None] = []
        for start in range(0, len(packed["places"]), CHUNK):
            chunk = range(start, min(start + CHUNK, len(packed["places"])))
            trace_ids += await asyncio.to_thread(_emit, tracer, of_candidate, packed, chunk, samples)
        packed["trace_ids"] = trace_ids
        runs += len(trace_ids)
    return runs


def note_traces(findings: Findings, sample_ids: Sequence[str]) -> None:
    """Let each cluster member point to the trace of the baseline's failing run."""
    packed = findings.evaluations.get((findings.summary["baseline_candidate_id"] or "", "train"), {})
    traced: dict[str, str | None] = {}
    for place, trace_id in zip(packed.get("places", ()), packed.get("trace_ids", ()), strict=False):
        traced[sample_ids[int(place)]] = trace_id
    for cluster_id, members in findings.members.items():
        findings.members[cluster_id] = [replace(one, trace_id=traced.get(one.sample_id or "")) for one in members]


def _wanted(traces: Traces, findings: Findings) -> dict[str, str]:
    if traces == "none":
        return {}
    key = {findings.summary["baseline_candidate_id"], findings.summary["best_candidate_id"]}
    return {
        one.id: one.config_hash for one in findings.candidates if one.id in key or (traces == "all" and one.accepted)
    }


def _emit(
    tracer: Tracer,
    served: agents.ServedAgent,
    packed: Mapping[str, Any],
    indexes: range,
    samples: Sequence[Mapping[str, Any]],
) -> list[str | None]:
    found: list[str | None] = []
    for index in indexes:
        output = Output(
            packed["outputs"][index],
            error=packed["errors"][index],
            latency_ms=packed["latency_ms"][index],
            tokens_in=packed["tokens_in"][index],
            tokens_out=packed["tokens_out"][index],
            micro_usd=packed["micro_usd"][index],
        )
        value: dict[str, Any] = samples[int(packed["places"][index])]["input"]
        with agent_span(tracer, served, value) as span:
            record_output(tracer, span, served, output)
            found.append(trace_id_of(span))
    return found
