"""Sample pages of the loop: agents, traces, scans, change sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser import samples as s
from tests.browser.samples import name_of

Values = dict[str, Any]


def agents(variant: str) -> Values:
    """Agents."""
    rows = [
        s.agent(name_of(variant, "BFCL tool router")),
        s.agent("Refund triage", runtime={"kind": "http"}, promoted_version=1, latest_version=1, description=""),
    ]
    return {"agents": s.listed([] if variant == "empty" else rows, 42 if variant == "full" else None), "query": {}}


def agent_new(_: str) -> Values:
    """The form that creates an agent."""
    return {"form": s.EMPTY_FORM, "runtime_example": '{"kind": "embedded"}', "config_example": "{}"}


def agent(tab: str) -> Callable[[str], Values]:
    """One agent, on one of its tabs."""

    def values(variant: str) -> Values:
        parts = [
            {"name": "Prompt", "pairs": None, "text": s.CONFIG["prompt"]["base"]},
            {"name": "Parameters", "pairs": [("threshold", "0.31"), ("weights", "movie 1.4, watch 0.8")], "text": ""},
        ]
        changes = [
            {"pointer": "/params/threshold", "op": "replace", "rows": s.edit("", 0.31, 0.27)["rows"]},
            {
                "pointer": "/prompt/base",
                "op": "replace",
                "rows": s.edit("", "one\ntwo\nthree", f"one\ntwo and {name_of(variant, 'a half')}\nthree")["rows"],
            },
        ]
        return {
            "tab": tab,
            "agent": s.agent(name_of(variant, "BFCL tool router")),
            "version": s.versions()[1],
            "versions": s.versions(),
            "parts": parts,
            "compare_from": 3,
            "compare_to": 4,
            "changes": [] if variant == "empty" else changes,
            "form": s.EMPTY_FORM,
            "input_example": '{"question": "Find me a movie"}',
            "version_options": [("3", "3 (served)"), ("4", "4")],
            "run": {
                "status": "ok",
                "latency_ms": 12.4,
                "trace_id": s.TRACE,
                "output": {"calls": [name_of(variant, "Movies_3_FindMovies")]},
            }
            if variant != "empty"
            else None,
        }

    return values


def scans(variant: str) -> Values:
    """Scans."""
    rows = [
        s.scan("running", name_of(variant, "Nightly scan")),
        s.scan(),
        s.scan("failed", "Hourly", error={"phase": "observe", "detail": "no"}),
        s.scan("cancelled"),
    ]
    return {
        "scans": s.listed([] if variant == "empty" else rows),
        "query": {},
        "shown_filters": {},
        "agents": [(s.AGENT, "BFCL tool router")],
    }


def scan_new(variant: str) -> Values:
    """The form that starts a scan."""
    missing = [
        {"is_there": n == 0, "title": title, "text": text, "href": "#", "verb": "Create"}
        for n, (title, text) in enumerate(
            [
                ("An agent", "What is improved."),
                ("An objective", "What counts as better."),
                ("A sample set", "Tasks with answers."),
            ]
        )
    ]
    options = [(s.AGENT, name_of(variant, "BFCL tool router"))]
    return {
        "missing": missing if variant == "empty" else [],
        "form": s.EMPTY_FORM,
        "agents": options,
        "objectives": options,
        "sample_sets": options,
        "query": {},
    }


def scan(status: str, tab: str) -> Callable[[str], Values]:
    """One scan, live or finished, on one of its tabs."""

    def values(variant: str) -> Values:
        full = variant != "empty"
        candidates = [
            {
                "config_hash": "ab12cd34ef",
                "operator": "add_discriminative_terms",
                "accepted": n % 3 == 0,
                "on_frontier": n == 0,
                "reject_reason": None if n % 3 == 0 else "not_better_on_batch",
                "mb_score": 0.7,
                "val_score": 0.74 if n % 3 == 0 else None,
                "edits": [{"pointer": "/tools/0/hints"}] * (n + 1),
            }
            for n in range(6)
        ]
        events = [
            {
                "seq": n,
                "type": "candidate.accepted",
                "phase": "generate",
                "level": "info",
                "text": name_of(variant, "validation 74.1 %, +1.2 pts"),
                "ts": s.ago(minutes=n),
            }
            for n in range(8, 0, -1)
        ]
        return {
            "scan": s.scan(status, name_of(variant, "Nightly scan")),
            "tab": tab,
            "counts": {"clusters": 20 if full else 0, "candidates": 61 if full else 0, "events": 140 if full else 0},
            "clusters": [
                s.cluster(name_of(variant, "missed call · movie·direct·watch → Movies_3_FindMovies")),
                s.cluster("false call · near·cheap", 0.12, severity="medium", is_pattern=True),
            ]
            if full
            else [],
            "candidates": s.listed(candidates) if full else None,
            "events": events if full else [],
        }

    return values


def changesets(variant: str) -> Values:
    """Change sets."""
    rows = [
        s.changeset(name_of(variant, "Raise recall for films and rides")),
        s.changeset("Tighten the refund prompt", "accepted"),
        s.changeset("Longer examples", "rejected", "inconclusive", delta=0.004),
    ]
    return {"changesets": s.listed([] if variant == "empty" else rows), "query": {}}


def changeset(variant: str) -> Values:
    """The review of a change set; the empty variant has no proof yet."""
    common: Values = {
        "can_decide": True,
        "may_validate": False,
        "may_roll_back": False,
        "blocked": "",
        "form": s.EMPTY_FORM,
        "plots": s.plots(),
    }
    if variant == "empty":
        return {
            **common,
            "change": s.changeset(
                verdict=None, clusters=[], regressions=[], limits="", holdout=None, metrics={}, alternatives=[]
            ),
            "may_validate": True,
        }
    if variant == "hostile":
        edits = [s.edit("/tools/0/hints", "a", s.HOSTILE, rationale=s.HOSTILE)]
        return {**common, "change": s.changeset(s.HOSTILE, edits=edits)}
    return {**common, "change": s.changeset()}


def decided(variant: str) -> Values:
    """A change set after the decision."""
    return {
        **changeset("full"),
        "can_decide": False,
        "may_roll_back": True,
        "change": s.changeset(
            status="accepted",
            decided_at=s.ago(hours=1),
            decided_by="Mara Lindt",
            decision_note=name_of(variant, "Checked the films by hand."),
        ),
    }
