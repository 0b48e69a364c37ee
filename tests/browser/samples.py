"""Sample values for every page template, full, empty and hostile: what the preview server of these tests renders.

The shapes are those that the page modules hand to the templates.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from specloop.app.web import diff
from specloop.app.web.evidence import evidence_plots
from specloop.app.web.shell import Form, Shell, Toast, WorkspaceLink

WS = "0199a6c2-7c1e-7b6a-9d1f-5a0c9e2b1f01"
AGENT = "0199a6c2-7c1e-7b6a-9d1f-5a0c9e2b1f02"
SCAN = "0199a6c2-7c1e-7b6a-9d1f-5a0c9e2b1f03"
CHANGE = "0199a6c2-7c1e-7b6a-9d1f-5a0c9e2b1f04"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HOSTILE = "<script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=1> \u202eevil\u202c {{7*7}} ${x}"
ALL_SCOPES = frozenset({"read:workspace", "write:workspace", "approve:agents", "admin:workspace", "admin:account"})

Values = dict[str, Any]


def ago(**parts: float) -> datetime:
    """A moment in the past."""
    return datetime.now(UTC) - timedelta(**parts)


def shell(name: str = "Acme checkout", theme: str = "auto", **changes: Any) -> Shell:
    """The frame of a signed-in owner."""
    here = WorkspaceLink(WS, name, "admin")
    values: Values = {
        "csrf": "sample-token",
        "theme": theme,
        "path": "/app",
        "user_name": "Mara Lindt",
        "user_email": "mara@acme.example",
        "account_role": "owner",
        "workspace": here,
        "scopes": ALL_SCOPES,
        "counts": {"changesets": 2},
        "workspaces": (here, WorkspaceLink("0199a6c2-7c1e-7b6a-9d1f-5a0c9e2b1f99", "Sandbox", "contributor")),
    }
    return Shell(**{**values, **changes})


def listed(results: list[Values], total: int | None = None, offset: int = 0) -> Values:
    """A page of a list."""
    return {"results": results, "total": len(results) if total is None else total, "limit": 20, "offset": offset}


def agent(name: str = "BFCL tool router", **changes: Any) -> Values:
    """An agent as the list and its page show it."""
    return {
        "id": AGENT,
        "name": name,
        "role": "routes requests to tools",
        "status": "active",
        "origin": "declared",
        "description": "Chooses the function that answers a request, or none.",
        "runtime": {"kind": "embedded"},
        "promoted_version": 3,
        "latest_version": 4,
        "depends_on": [],
        "created_at": ago(days=9),
        "updated_at": ago(hours=5),
        **changes,
    }


CONFIG: Values = {
    "prompt": {"base": "Choose the tool that answers the request.\nIf none fits, call none.", "cot": "none"},
    "few_shot": [],
    "tools": [
        {"name": "Movies_3_FindMovies", "description": "Search movies by director, cast and genre.", "enabled": True}
    ],
    "params": {"threshold": 0.31, "weights": {"movie": 1.4, "watch": 0.8}},
}


def versions() -> list[Values]:
    """The history of an agent."""
    sources = [
        (4, "manual", "Lower the threshold for short requests"),
        (3, "changeset", "Accepted: hint words for movies and rides"),
        (2, "manual", ""),
        (1, "manual", "First version"),
    ]
    return [
        {
            "version": n,
            "source": source,
            "note": note,
            "created_at": ago(days=5 - n, hours=3),
            "config_hash": f"{n}f9c2ab47d" * 6,
            "changeset_id": CHANGE if source == "changeset" else None,
            "config": CONFIG,
        }
        for n, source, note in sources
    ]


def example(text: str = "Find me a movie directed by Greta Gerwig that I can watch tonight") -> Values:
    """A failing sample."""
    return {
        "input": text,
        "expected": "Movies_3_FindMovies(directed_by='Greta Gerwig')",
        "output": "no call",
        "rationale": "The score 0.27 of the right tool stayed below the threshold 0.31.",
    }


def cluster(
    name: str = "missed call · movie·direct·watch → Movies_3_FindMovies", share: float = 0.31, **changes: Any
) -> Values:
    """A failure cluster, with what the scan page and the review page need."""
    return {
        "id": "c1",
        "name": name,
        "kind": "missed_call",
        "size": 27,
        "share": share,
        "severity": "high",
        "top_terms": ["movie", "direct", "watch", "cast"],
        "description": "Requests for a film that name a person",
        "exemplars": [example(), example("Which comedies star Steve Carell?")],
        "share_before": share,
        "share_after": share * 0.3,
        "is_pattern": False,
        **changes,
    }


def scan(status: str = "completed", name: str = "Nightly scan", **changes: Any) -> Values:
    """A scan with its results."""
    return {
        "id": SCAN,
        "name": name,
        "agent_id": AGENT,
        "agent_name": "BFCL tool router",
        "status": status,
        "phase": "generate" if status == "running" else None,
        "progress": {"done": 1240, "total": 4000},
        "outcome": "changesets_proposed" if status == "completed" else None,
        "results": {
            "baseline": 0.658,
            "best": 0.777,
            "delta_val": 0.119,
            "candidates": 61,
            "frontier_size": 9,
            "clusters": 20,
            "changeset_ids": [CHANGE] if status == "completed" else [],
        },
        "budget": {"limit": {"max_evaluations": 20000}, "used": {"evaluations": 12873}},
        "seed": 7,
        "engine_versions": {"gepa": "0.1.4"},
        "is_insight": False,
        "timings": {"observe": 1900, "generate": 14200},
        "elapsed_ms": 8400,
        "forecast_ms": 11200,
        "took_ms": 21300,
        "error": None,
        "created_at": ago(minutes=3),
        "started_at": ago(minutes=3),
        "finished_at": ago(minutes=2) if status == "completed" else None,
        **changes,
    }


def gates() -> list[Values]:
    """The gates of a proof: all kinds of answers."""
    return [
        {"name": "size", "passed": True, "value": 600, "threshold": 100, "detail": "enough tasks for 80 % power"},
        {
            "name": "freshness",
            "passed": True,
            "value": True,
            "threshold": None,
            "detail": "base versions current, holdout unburned",
        },
        {"name": "effect", "passed": True, "value": 0.112, "threshold": 0.02, "detail": "mean paired difference"},
        {
            "name": "significance",
            "passed": True,
            "value": 1.2e-8,
            "threshold": 0.025,
            "detail": "exact McNemar, two-sided; first of 5 looks",
        },
        {
            "name": "no-harm",
            "passed": True,
            "value": -0.004,
            "threshold": -0.01,
            "detail": "lower bound of the weakest dimension",
        },
        {
            "name": "slices",
            "passed": False,
            "value": -0.061,
            "threshold": -0.05,
            "detail": "irrelevance (n 120) lost, Holm p 0.031",
        },
        {"name": "robustness", "passed": None, "value": None, "threshold": 4, "detail": "folds too small to tell"},
    ]


def proof() -> Values:
    """Evidence of a clear win."""
    return {
        "baseline": 0.658,
        "candidate": 0.770,
        "delta": 0.112,
        "ci95": [0.081, 0.144],
        "p_value": 1.2e-8,
        "n": 600,
        "wins": 84,
        "losses": 17,
        "ties": 499,
        "by_slice": [
            {"name": "live_simple", "n": 258, "baseline": 0.61, "candidate": 0.75, "delta": 0.14},
            {"name": "irrelevance", "n": 120, "baseline": 0.91, "candidate": 0.85, "delta": -0.06},
        ],
    }


def edit(pointer: str, before: Any, after: Any, **changes: Any) -> Values:
    """An edit with its reason and ablation."""
    return {
        "pointer": pointer,
        "op": "replace",
        "agent_name": "BFCL tool router",
        "operator": "add_discriminative_terms",
        "rationale": "Missed film requests share the words movie, direct and watch; no other tool's requests use them.",
        "delta_without": -0.034,
        "before": diff.as_text(before),
        "after": diff.as_text(after),
        "is_small": diff.is_small(before) and diff.is_small(after),
        "rows": diff.rows_between(before, after),
        **changes,
    }


def changeset(
    title: str = "Raise recall for films and rides with 7 hint words",
    status: str = "proposed",
    verdict: str | None = "pass",
    **changes: Any,
) -> Values:
    """A change set as the list and the review page show it."""
    return {
        "id": CHANGE,
        "title": title,
        "headline": title,
        "status": status,
        "verdict": verdict,
        "risk": "low",
        "summary": "",
        "agent_name": "BFCL tool router",
        "agent_names": ["BFCL tool router"],
        "edit_count": 2,
        "delta": 0.112 if verdict else None,
        "created_at": ago(minutes=2),
        "expires_at": ago(days=-29),
        "evidence": proof() if verdict else None,
        "gates": gates() if verdict else [],
        "clusters": [cluster(), cluster("false call · near·cheap·tonight", 0.12, kind="false_call")],
        "edits": [
            edit("/tools/0/hints", "cinema, film", "cinema, film, movie, direct, watch, cast"),
            edit("/params/threshold", 0.31, 0.27, delta_without=0.001),
        ],
        "regressions": [{"sample_id": "0199a6c2-7c1e-7b6a-9d1f-5a0c9e2b1fa1", "before": 1.0, "after": 0.0}],
        "limits": "Requests in other languages than English and calls with more than one tool were not tested.",
        "decided_at": None,
        "decided_by": None,
        "decision_note": "",
        "agents": [{"id": AGENT, "name": "BFCL tool router", "base_version": 3}],
        "scan_id": SCAN,
        "holdout": {"looks_used": 1, "looks_left": 4},
        "metrics": {"train": 0.79, "val": 0.777, "holdout": 0.77},
        "alternatives": [1, 2, 3],
        **changes,
    }


def plots() -> Any:
    """The plots of `proof()`."""
    return evidence_plots(0.658, 0.770, 0.112, (0.081, 0.144), 600, 0.02)


def cards(full: bool = True) -> list[Values]:
    """The four stages of the home page."""

    def figure(name: str, value: str) -> Values:
        return {"name": name, "value": value, "title": ""}

    return [
        {
            "key": "specify",
            "name": "Specify",
            "href": None,
            "what": "From an interview to a package that an agent can build from.",
            "figures": [],
        },
        {
            "key": "run",
            "name": "Run",
            "href": "/agents",
            "what": "Agents with versioned configurations, served to every call.",
            "figures": [figure("Agents", "3"), figure("Versions", "11"), figure("Promoted this week", "2")]
            if full
            else [figure("Agents", "0"), figure("Versions", "0"), figure("Promoted this week", "0")],
        },
        {
            "key": "record",
            "name": "Record",
            "href": "/traces",
            "what": "What every agent call did, as traces.",
            "figures": [
                figure("Traces today", "1\u202f204" if full else "0"),
                figure("Errors", "2.1\u202f%" if full else "–"),
                figure("p95", "1.8\u202fs" if full else "–"),
            ],
        },
        {
            "key": "improve",
            "name": "Improve",
            "href": "/scans",
            "what": "Failures clustered, changes proved on sealed tasks.",
            "figures": [
                figure("Scans this week", "6" if full else "0"),
                figure("Open clusters", "20" if full else "0"),
                figure("Best proved gain", "+11.2\u202fpts" if full else "–"),
            ],
        },
    ]


EMPTY_FORM = Form()
TOAST = Toast("Key revoked. It stops working within five seconds.")


def name_of(variant: str, usual: str) -> str:
    """The usual name, or the hostile one."""
    return HOSTILE if variant == "hostile" else usual
