"""What a change set says for itself: the explainability object and the diff (spectral.md §1.3 router 8)."""

from __future__ import annotations

from typing import Any

from specloop.improve.changesets.model import ChangeSet, Edit
from specloop.kit import json

LIMITS = (
    "Train and val scores chose these edits, so they flatter it; only the holdout figures are a proof, and only for "
    "requests like those of the sample set."
)


def explain(changeset: ChangeSet) -> dict[str, Any]:
    """The explainability object; figures are those of the holdout once it was looked at, else of val."""
    told = changeset.explanation
    holdout = changeset.metrics.get("holdout")
    return {
        "headline": _headline(changeset, holdout),
        "what_changed": [edit_as_json(edit) for edit in changeset.edits],
        "why": told.get("why", []),
        "evidence": {"source": "holdout", **holdout} if holdout else {"source": "val", **told.get("evidence", {})},
        "ablation": told.get("ablation", []),
        "regressions": told.get("regressions", []),
        "lineage": told.get("lineage", []),
        "cost_impact": told.get("cost_impact", {}),
        "risk": {"level": changeset.risk, "reasons": list(changeset.risk_reasons)},
        "alternatives": told.get("alternatives", []),
        "limits": told.get("limits", LIMITS),
    }


def _headline(changeset: ChangeSet, holdout: dict[str, Any] | None) -> str:
    if holdout and holdout.get("delta") is not None:
        return f"{changeset.title}: {holdout['delta'] * 100:+.1f} points on {holdout.get('n')} holdout samples"
    return str(changeset.explanation.get("headline") or changeset.title)


def edit_as_json(edit: Edit) -> dict[str, Any]:
    """An edit on the wire."""
    return {
        "agent_id": edit.agent_id,
        "pointer": edit.pointer,
        "op": edit.op,
        "before": edit.before,
        "after": edit.after,
        "diff": edit.diff,
        "operator": edit.operator,
        "rationale": edit.rationale,
        "evidence": list(edit.evidence),
    }


def unified_diff(changeset: ChangeSet) -> str:
    """All edits as one text in the form of a unified diff, one hunk per edit."""
    return "".join(_hunk(edit) for edit in changeset.edits)


def _hunk(edit: Edit) -> str:
    head = f"--- a/{edit.agent_id}{edit.pointer}\n+++ b/{edit.agent_id}{edit.pointer}\n"
    if edit.diff:
        lines = edit.diff.splitlines(keepends=True)
        body = "".join(line for line in lines if not line.startswith(("--- ", "+++ ")))
        return head + (body if body.endswith("\n") else body + "\n")
    lines = ["@@ -1 +1 @@"]
    if edit.op != "add":
        lines.append(f"-{_text(edit.before)}")
    if edit.op != "remove":
        lines.append(f"+{_text(edit.after)}")
    return head + "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    return json.dumps(value).decode()
