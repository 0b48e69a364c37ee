"""The loop as an outside client drives it: agent, samples, rubric, objective, scan, review, accept, call again."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from specloop.cli.output import part
from specloop.cli.session import Session
from specloop.testing.datasets.bfcl import Task, baseline_config

ITEMS_PER_REQUEST = 200
SAMPLE_SET = "BFCL live"
SETTLE_SECONDS = 1.0
MIN_EFFECT = 0.05
"""The holdout of about 600 samples shows a gain of five points with 80 % power; less would stay inconclusive."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the scan needs, and one sample to call the agent with."""

    agent_id: str
    sample_set_id: str
    objective_id: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the loop showed."""

    scan: dict[str, Any]
    changeset: dict[str, Any]
    clusters: list[dict[str, Any]]
    served_version_before: int
    served_version_after: int
    spans: int


def prepare(session: Session, tasks: Sequence[Task], tell: Callable[[str], None]) -> Prepared:
    """Make the agent and everything it is measured with.

    The sample set has the same name in every run: its division into train, val and holdout follows from it, so that the
    same seed gives the same result.
    """
    workspace = session.workspace
    name = f"Tool router {1 + sum(1 for _ in session.pages(f'{workspace}/agents'))}"
    agent = session.post(
        f"{workspace}/agents",
        {
            "name": name,
            "description": "Picks the function that answers a request, or none.",
            "runtime": {"kind": "embedded", "name": "tool-router"},
            "config": baseline_config(),
        },
    )
    tell(f"agent [bold]{name}[/] with version {agent['promoted_version']} promoted")
    samples = session.post(f"{workspace}/samples/sets", {"name": SAMPLE_SET})
    path = f"{workspace}/samples/sets/{samples['id']}"
    for chunk in _chunks(tasks, ITEMS_PER_REQUEST):
        session.post(f"{path}/items", {"items": [_item(task) for task in chunk]})
    divided = session.post(f"{path}/split", {})
    counts: dict[str, int] = divided["counts"]
    shown = ", ".join(f"{counts[part]} {part}" for part in ("train", "val", "holdout"))
    tell(f"{len(tasks)} samples of the Berkeley Function Calling Leaderboard: {shown}")
    objective = session.post(f"{workspace}/evaluations/objectives", _objective(session, name))
    tell("rubric with one code judge, objective: the right tool, or none where none fits")
    return Prepared(agent["id"], samples["id"], objective["id"], counts)


def start(session: Session, prepared: Prepared, *, seed: int, evaluations: int) -> dict[str, Any]:
    """Ask for the scan (202)."""
    return session.post(
        f"{session.workspace}/scans",
        {
            "agent_id": prepared.agent_id,
            "objective_id": prepared.objective_id,
            "sample_set_id": prepared.sample_set_id,
            "strategy": {"engine": "reflective", "minibatch": 60, "merge": True},
            "budget": {"max_evaluations": evaluations},
            "seed": seed,
        },
    )


def finish(session: Session, prepared: Prepared, scan: dict[str, Any]) -> Outcome:
    """Read what was found, accept it, and see that the next call is served by it."""
    workspace = session.workspace
    agent_path = f"{workspace}/agents/{prepared.agent_id}"
    clusters = list(session.pages(f"{workspace}/scans/{scan['id']}/clusters"))
    before = session.get(f"{agent_path}/config")["version"]
    changeset: dict[str, Any] = {}
    for changeset_id in part(scan, "results").get("changeset_ids", []):
        changeset = session.get(f"{workspace}/changesets/{changeset_id}")
        if changeset["verdict"] == "pass":
            session.post(f"{workspace}/changesets/{changeset_id}/accept", {"note": "accepted by the demo"})
    after = session.get(f"{agent_path}/config")["version"]
    session.post(f"{agent_path}/run", {"input": {"request": "What is the weather in Oslo?", "tools": _TOOLS}})
    return Outcome(scan, changeset, clusters, before, after, _count_spans(session))


def _count_spans(session: Session) -> int:
    """How many spans can be read, once no more are coming in."""
    seen = -1
    while True:
        spans: int = session.get(f"{session.workspace}/traces/stats")["spans"]
        if spans == seen:
            return spans
        seen = spans
        time.sleep(SETTLE_SECONDS)


_TOOLS: list[dict[str, Any]] = [
    {"name": "get_weather", "description": "Current weather of a city", "parameters": {"properties": {"city": {}}}}
]


def _objective(session: Session, name: str) -> dict[str, Any]:
    rubric = session.post(
        f"{session.workspace}/evaluations/rubrics",
        {
            "name": f"{name}: right tool",
            "dimensions": [
                {
                    "key": "right_tool",
                    "name": "Right tool",
                    "description": "The expected function was chosen, or none where none fits.",
                    "weight": 1,
                    "judge": {"kind": "code", "ref": "tool_call"},
                }
            ],
        },
    )
    terms = [{"rubric_id": rubric["id"], "weight": 1}]
    return {"name": f"{name}: accuracy", "terms": terms, "min_effect": MIN_EFFECT}


def _item(task: Task) -> dict[str, Any]:
    return {"input": task.input, "reference": task.reference, "metadata": {"key": task.key, **task.metadata}}


def _chunks(tasks: Iterable[Task], size: int) -> Iterable[list[Task]]:
    iterator = iter(tasks)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
