"""From a search's result to a change set that explains itself (spectral.md §1.3 router 8, explainability). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specloop.improve.changesets.model import Edit, Proposal, Risk
from specloop.improve.changesets.service.proposing import risk_of
from specloop.improve.scans.model import Cluster, Scan
from specloop.improve.scans.runner.results import Findings

ALTERNATIVES = 5


def proposal_of(scan: Scan, agent_name: str, message: Mapping[str, Any], findings: Findings) -> Proposal:
    """The change set of a search that found something better."""
    result: Mapping[str, Any] = message["result"]
    diagnosis: Mapping[str, Any] = result["diagnosis"]
    cluster_of = {cluster.key: cluster for cluster in reversed(findings.clusters)}  # the first of equal keys stays
    edits = tuple(_edit(scan.agent_id, edit, cluster_of) for edit in diagnosis["edits"])
    why = _why(diagnosis["attribution"], cluster_of)
    delta = diagnosis["val_after"] - diagnosis["val_before"]
    level, reasons = _risk(edits, result["safety"], diagnosis["regressions"])
    return Proposal(
        title=f"{agent_name}: {len(edits)} edits against {_names(why)}"[:200],
        summary=f"{delta * 100:+.1f} points on val ({diagnosis['val_before']:.3f} → {diagnosis['val_after']:.3f})",
        edits=edits,
        base_versions={scan.agent_id: scan.agent_version},
        candidate_hashes={scan.agent_id: result["best"]["config_hash"]},
        scan_id=scan.id,
        sample_set_version_id=scan.sample_set_version_id,
        objective_version_id=scan.objective_version_id,
        clusters_addressed=tuple(one["cluster_id"] for one in why if one["fixed"] > 0),
        metrics={"val": {"baseline": diagnosis["val_before"], "candidate": diagnosis["val_after"], "delta": delta}},
        explanation=_explanation(message, findings, why, delta),
        risk=level,
        risk_reasons=reasons,
    )


def _edit(agent_id: str, edit: Mapping[str, Any], cluster_of: Mapping[str, Cluster]) -> Edit:
    evidence = tuple(
        {**one, "cluster_id": cluster_of[one["cluster_id"]].id if one.get("cluster_id") in cluster_of else None}
        for one in edit["evidence"]
    )
    return Edit(
        agent_id=agent_id,
        pointer=edit["pointer"],
        op=edit["op"],
        before=edit["before"],
        after=edit["after"],
        diff=edit["diff"],
        operator=edit["operator"],
        rationale=edit["rationale"],
        evidence=evidence,
    )


def _why(attribution: Sequence[Mapping[str, Any]], cluster_of: Mapping[str, Cluster]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for share in attribution:
        cluster = cluster_of.get(share["cluster_key"])
        if cluster is None:
            continue
        found.append(
            {
                "cluster": cluster.name,
                "cluster_id": cluster.id,
                "kind": cluster.kind,
                "share_before": share["share_before"],
                "share_after": share["share_after"],
                "fixed": share["fixed"],
                "exemplars": cluster.body["exemplars"],
            }
        )
    return sorted(found, key=lambda one: -int(one["fixed"]))


def _names(why: Sequence[Mapping[str, Any]]) -> str:
    names = [str(one["cluster"]) for one in why[:2] if one["fixed"] > 0]
    return " and ".join(names) or "low scores"


def _risk(
    edits: Sequence[Edit], safety: Sequence[Mapping[str, Any]], regressions: Sequence[Mapping[str, Any]]
) -> tuple[Risk, tuple[str, ...]]:
    level, reasons = risk_of(edits)
    notes = tuple(f"{one['check']}: {one['detail']}" for one in safety)
    if notes:
        return "high", (*reasons, *notes)
    return level, (*reasons, f"{len(regressions)} val samples get worse") if regressions else reasons


def _explanation(
    message: Mapping[str, Any], findings: Findings, why: list[dict[str, Any]], delta: float
) -> dict[str, Any]:
    result: Mapping[str, Any] = message["result"]
    diagnosis: Mapping[str, Any] = result["diagnosis"]
    return {
        "headline": f"{delta * 100:+.1f} points on val, not yet proved on the holdout",
        "why": why,
        "evidence": _paired(message, findings),
        "ablation": [
            {"edit": one["pointer"], "delta_without": one["delta_without"], "kept": one["kept"]}
            for one in diagnosis["ablations"]
        ],
        "regressions": diagnosis["regressions"],
        "lineage": _lineage(result, findings),
        "cost_impact": {"micro_usd_per_call": 0, "evaluations_spent": result["evaluations"]},
        "alternatives": _alternatives(findings),
    }


def _paired(message: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Baseline and winner on val, sample by sample counted."""
    result: Mapping[str, Any] = message["result"]
    sides = [message["evaluations"][result[name]["config_hash"]].get("val", {}) for name in ("baseline", "best")]
    scores = [dict(zip(side.get("places", []), side.get("scores", []), strict=True)) for side in sides]
    pairs = [(scores[0][p], scores[1][p]) for p in scores[0] if p in scores[1]]
    known = [(before, after) for before, after in pairs if before is not None and after is not None]
    n = len(known)
    return {
        "baseline": sum(before for before, _ in known) / n if n else None,
        "candidate": sum(after for _, after in known) / n if n else None,
        "delta": sum(after - before for before, after in known) / n if n else None,
        "n": n,
        "wins": sum(after > before for before, after in known),
        "losses": sum(after < before for before, after in known),
        "ties": sum(after == before for before, after in known),
        "ci95": None,
        "p_value": None,
        "by_dimension": result["best"]["objective_scores"],
        "by_slice": [],
    }


def _lineage(result: Mapping[str, Any], findings: Findings) -> list[dict[str, Any]]:
    """The winner's ancestors, the baseline first."""
    by_id = {one.id: one for one in findings.candidates}
    found: list[dict[str, Any]] = []
    wanted = [findings.ids.get(result["best"]["config_hash"], "")]
    seen: set[str] = set()
    while wanted:
        candidate = by_id.get(wanted.pop(0))
        if candidate is None or candidate.id in seen:
            continue
        seen.add(candidate.id)
        found.append(
            {
                "candidate_id": candidate.id,
                "operator": candidate.operator,
                "val_score": candidate.val_score,
                "edits": len(candidate.edits),
            }
        )
        wanted.extend(candidate.parent_ids)
    return list(reversed(found))


def _alternatives(findings: Findings) -> list[dict[str, Any]]:
    frontier = sorted(
        (one for one in findings.candidates if one.on_frontier and one.val_score is not None),
        key=lambda one: -(one.val_score or 0.0),
    )
    return [
        {"candidate_id": one.id, "val_score": one.val_score, "edits": len(one.edits)} for one in frontier[:ALTERNATIVES]
    ]
