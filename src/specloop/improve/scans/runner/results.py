"""From a finished search, as JSON, to rows: candidates, evaluations, clusters, usage, the summary. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from specloop.improve.samples.splitting import sample_text
from specloop.improve.scans.model import Cluster, ClusterMember, ClusterStatus, StoredCandidate, Usage
from specloop.kit.ids import new_id

EXCERPT_CHARS = 300


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a search leaves behind. `ids` maps config hashes to candidate ids."""

    candidates: list[StoredCandidate]
    ids: Mapping[str, str]
    evaluations: dict[tuple[str, str], dict[str, Any]]
    clusters: list[Cluster]
    members: dict[str, list[ClusterMember]]
    usage: list[Usage]
    summary: dict[str, Any]


def findings_of(
    message: Mapping[str, Any], scan_id: str, runtime: str, samples: Mapping[str, Any], now: datetime
) -> Findings:
    """The rows of a `result` message; `samples` gives the inputs of train and val samples by id."""
    result: Mapping[str, Any] = message["result"]
    ids = {one["config_hash"]: new_id() for one in result["candidates"]}
    candidates = [_candidate(one, ids, scan_id, now) for one in result["candidates"]]
    evaluations = {
        (ids[config_hash], split): packed
        for config_hash, parts in message["evaluations"].items()
        for split, packed in parts.items()
    }
    # Two patterns of one kind may have the same key (it hashes their words); only kinds are referred to by theirs.
    kind_ids = {one["key"]: new_id() for one in result["clusters"] if one["parent_key"] is None}
    clusters = [_cluster(one, kind_ids, scan_id, now) for one in result["clusters"]]
    members = {cluster.id: _members(one, samples) for cluster, one in zip(clusters, result["clusters"], strict=True)}
    return Findings(
        candidates, ids, evaluations, clusters, members, _usage(message, runtime), _summary(result, candidates, ids)
    )


def _candidate(body: Mapping[str, Any], ids: Mapping[str, str], scan_id: str, now: datetime) -> StoredCandidate:
    return StoredCandidate(
        id=ids[body["config_hash"]],
        scan_id=scan_id,
        ordinal=body["index"],
        parent_ids=tuple(ids.get(parent, parent) for parent in body["parent_ids"]),
        operator=body["operator"],
        edits=tuple(body["edits"]),
        components=body["components"],
        config_hash=body["config_hash"],
        mb_score=body["mb_score"],
        val_score=body["val_score"],
        objective_scores=body["objective_scores"],
        on_frontier=body["on_frontier"],
        accepted=body["accepted"],
        reject_reason=body["reject_reason"] or None,
        created_at=now,
    )


def _cluster(body: Mapping[str, Any], kind_ids: Mapping[str, str], scan_id: str, now: datetime) -> Cluster:
    kept = ("top_terms", "exemplars", "suggested_operators", "centroid")
    return Cluster(
        id=kind_ids[body["key"]] if body["parent_key"] is None else new_id(),
        scan_id=scan_id,
        key=body["key"],
        parent_id=kind_ids.get(body["parent_key"] or ""),
        kind=body["kind"],
        name=body["name"][:200],
        description=body["description"],
        size=body["size"],
        share=body["share"],
        severity=body["severity"],
        status=ClusterStatus.OPEN,
        body={name: list(body[name]) for name in kept},
        is_curated=False,
        revision=1,
        created_at=now,
        updated_at=now,
    )


def _members(body: Mapping[str, Any], samples: Mapping[str, Any]) -> list[ClusterMember]:
    distances: Sequence[float] = body["distances"] or [0.0] * len(body["members"])
    return [
        ClusterMember(new_id(), sample_id, None, distance, excerpt(samples.get(sample_id)), body["name"])
        for sample_id, distance in zip(body["members"], distances, strict=True)
    ]


def excerpt(value: Any) -> str:
    """The first words of an input."""
    text = sample_text(cast("dict[str, Any]", value)) if isinstance(value, dict) else str(value)
    return text[:EXCERPT_CHARS]


def _usage(message: Mapping[str, Any], runtime: str) -> list[Usage]:
    result: Mapping[str, Any] = message["result"]
    by_phase: Mapping[str, int] = message["by_phase"]
    total = sum(by_phase.values()) or 1
    usage = [
        Usage(
            phase=phase,
            purpose="agent",
            provider="local",
            model=runtime,
            calls=calls,
            cache_hits=result["cache_hits"] if phase == "generate" else 0,
            micro_usd=result["micro_usd"] if phase == "generate" else 0,
            wall_ms=message["cpu_ms"] * calls / total,
        )
        for phase, calls in by_phase.items()
    ]
    usage += [Usage(phase, "judge", "local", "code", calls) for phase, calls in by_phase.items()]
    usage.append(Usage("generate", "reflect", "local", "operators", len(result["candidates"])))
    return usage


def _summary(
    result: Mapping[str, Any], candidates: Sequence[StoredCandidate], ids: Mapping[str, str]
) -> dict[str, Any]:
    baseline: Mapping[str, Any] | None = result["baseline"]
    best: Mapping[str, Any] | None = result["best"]
    before = baseline["val_score"] if baseline else None
    after = best["val_score"] if best else None
    return {
        "baseline": before,
        "best": after if after is not None else before,
        "delta_val": after - before if after is not None and before is not None else 0.0,
        "baseline_candidate_id": ids[baseline["config_hash"]] if baseline else None,
        "best_candidate_id": ids.get(best["config_hash"]) if best else None,
        "candidates": len(candidates),
        "frontier_size": sum(one.on_frontier for one in candidates),
        "clusters": len(result["clusters"]),
        "evaluations": result["evaluations"],
        "cache_hits": result["cache_hits"],
        "stopped_by": result["stopped_by"],
        "outcome": result["outcome"],
        "changeset_ids": [],
    }
