"""What the review of a change set shows, from the change set itself: evidence, gates, clusters, edits. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from specloop.app.web import diff
from specloop.app.web.evidence import EvidencePlots, evidence_plots
from specloop.improve.changesets.model import ChangeSet, Edit
from specloop.improve.changesets.service import explain
from specloop.improve.scans.model import ClusterMember

GATES: Final = {
    "size": "enough tasks for the least effect to show",
    "freshness": "base versions current, holdout never revealed, nothing shared with train",
    "effect": "mean difference, task by task",
    "significance": "the difference is no chance",
    "no-harm": "nothing that must hold gets worse",
    "slices": "no kind of task loses",
    "cost/latency/error": "rise of the share of errors; the objective's limits hold",
    "multiplicity": "looks at this holdout version",
    "robustness": "the sign of the difference holds in most folds",
}
"""What each gate of spectral.md §2.5 asks, in words."""


def review_of(
    change: ChangeSet, names: Mapping[str, str], clusters: Sequence[dict[str, Any]], decided_by: str
) -> dict[str, Any]:
    """Everything that the review page shows of a change set; `names` are agents by id."""
    told = explain(change)
    holdout: dict[str, Any] | None = change.metrics.get("holdout")
    proof = holdout if holdout and holdout.get("delta") is not None and holdout.get("n") else None
    ablation = {_place(one): one.get("delta_without") for one in told["ablation"]}
    agents = [
        {"id": agent_id, "name": names.get(agent_id, "agent"), "base_version": change.base_versions.get(agent_id)}
        for agent_id in change.agent_ids
    ]
    return {
        "id": change.id,
        "title": change.title,
        "headline": change.title,
        "summary": change.summary,
        "status": change.status.value,
        "verdict": change.verdict,
        "risk": change.risk,
        "created_at": change.created_at,
        "expires_at": change.expires_at,
        "scan_id": change.scan_id,
        "agents": agents,
        "agent_names": [one["name"] for one in agents],
        "evidence": None if proof is None else _evidence(proof),
        "gates": [_gate(gate) for gate in change.gates],
        "clusters": clusters,
        "edits": [_edit(one, names, ablation) for one in change.edits],
        "regressions": told["regressions"],
        "limits": told["limits"],
        "alternatives": told["alternatives"],
        "metrics": {name: _object(value, "candidate").get("candidate") for name, value in change.metrics.items()},
        "holdout": _looks(change),
        "decided_at": change.decided_at,
        "decided_by": decided_by,
        "decision_note": "",
    }


def _evidence(proof: Mapping[str, Any]) -> dict[str, Any]:
    told = cast("list[dict[str, Any]]", proof.get("by_slice") or [])
    slices = [{"delta": one["candidate"] - one["baseline"], **one} for one in told]
    return {"wins": None, "losses": None, "ties": None, **proof, "by_slice": slices}


def _gate(gate: Mapping[str, Any]) -> dict[str, Any]:
    """A gate with what it asks, where it has found nothing to add."""
    found = {"value": None, "threshold": None, **gate}
    return {**found, "detail": gate.get("detail") or GATES.get(str(gate["name"]), "")}


def _looks(change: ChangeSet) -> dict[str, int] | None:
    """How often this holdout version was looked at, as the gate against too many looks tells."""
    gate = next((one for one in change.gates if one["name"] == "multiplicity"), None)
    if gate is None or not isinstance(gate.get("value"), int) or not isinstance(gate.get("threshold"), int):
        return None
    return {"looks_used": gate["value"], "looks_left": max(0, gate["threshold"] - gate["value"])}


def _place(ablation: Mapping[str, Any]) -> str:
    """The pointer that an ablation speaks of; it names an edit as an object or by its pointer."""
    edit = ablation.get("edit")
    return str(_object(edit, "pointer").get("pointer", "") if edit else ablation.get("pointer", ""))


def _object(told: Any, name: str) -> Mapping[str, Any]:
    """`told` when it is an object, else an object that has it as its member `name`."""
    return cast("Mapping[str, Any]", told) if isinstance(told, Mapping) else {name: told}


def cluster_of(why: Mapping[str, Any], sizes: Mapping[str, int], examples: Sequence[ClusterMember]) -> dict[str, Any]:
    """A cluster that the change addresses, with its share of the failures before and after."""
    cluster = _object(why.get("cluster"), "name")
    size = sizes.get(str(why.get("cluster_id")))
    return {
        "id": str(why.get("cluster_id") or ""),
        "name": cluster.get("name") or why.get("name") or "a group of failures",
        "kind": cluster.get("kind") or why.get("kind") or "failure",
        "size": cluster.get("size") or size,
        "share_before": why.get("share_before") or 0.0,
        "share_after": why.get("share_after"),
        "exemplars": [
            {"input": one.excerpt, "expected": "", "output": "", "rationale": one.rationale} for one in examples
        ],
    }


def _edit(edit: Edit, names: Mapping[str, str], ablation: Mapping[str, Any]) -> dict[str, Any]:
    rows = diff.rows_of_unified(edit.diff) if edit.diff else diff.rows_between(edit.before, edit.after)
    return {
        "pointer": edit.pointer,
        "op": edit.op,
        "agent_name": names.get(edit.agent_id, "agent"),
        "operator": edit.operator,
        "rationale": edit.rationale,
        "delta_without": ablation.get(edit.pointer),
        "before": diff.as_text(edit.before),
        "after": diff.as_text(edit.after),
        "is_small": diff.is_small(edit.before) and diff.is_small(edit.after),
        "rows": rows,
    }


def plots_of(shown: Mapping[str, Any]) -> EvidencePlots | None:
    """The plots of the proof, when there is one."""
    proof = shown["evidence"]
    if proof is None:
        return None
    goal = next((gate["threshold"] for gate in shown["gates"] if gate["name"] == "effect"), None) or 0.0
    low, high = proof["ci95"]
    return evidence_plots(proof["baseline"], proof["candidate"], proof["delta"], (low, high), proof["n"], goal)
