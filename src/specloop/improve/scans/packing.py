"""Evaluations of one candidate as parallel lists, and back: tens of thousands per scan must not be rows of their own.

Samples are named by their place in train + val, which never changes for a frozen version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from specloop.improve.evaluation.model import Evaluation

_OUTCOMES = {"scored": "s", "error": "e", "timeout": "t", "skipped": "k"}
_LETTERS = {letter: outcome for outcome, letter in _OUTCOMES.items()}


def pack(evaluations: Sequence[Evaluation], places: Mapping[str, int], *, is_full: bool) -> dict[str, Any]:
    """Parallel lists, ordered by place. `is_full` also keeps outputs, rationales and runtime figures."""
    rows = sorted(evaluations, key=lambda one: places[one.sample_id])
    names = sorted({name for one in rows for name in one.dimension_scores})
    packed: dict[str, Any] = {
        "places": [places[one.sample_id] for one in rows],
        "outcomes": "".join(_OUTCOMES[one.outcome] for one in rows),
        "scores": [one.score for one in rows],
        "dimensions": {name: [one.dimension_scores.get(name) for one in rows] for name in names},
    }
    if is_full:
        packed |= {
            "outputs": [one.output for one in rows],
            "rationales": [one.rationale for one in rows],
            "errors": [one.error for one in rows],
            "latency_ms": [one.latency_ms for one in rows],
            "tokens_in": [one.tokens_in for one in rows],
            "tokens_out": [one.tokens_out for one in rows],
            "micro_usd": [one.micro_usd for one in rows],
        }
    return packed


def unpack(packed: Mapping[str, Any], sample_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The evaluations with their sample ids, on the wire's names (spectral.md §1.1 Evaluation)."""
    for index, place in enumerate(packed["places"]):
        yield {
            "sample_id": sample_ids[place],
            "repeat": 0,
            "outcome": _LETTERS[packed["outcomes"][index]],
            "score": packed["scores"][index],
            "dimension_scores": {name: values[index] for name, values in packed["dimensions"].items()},
            "rationale": _at(packed, "rationales", index),
            "output": _at(packed, "outputs", index),
            "latency_ms": _at(packed, "latency_ms", index),
            "tokens_in": _at(packed, "tokens_in", index) or 0,
            "tokens_out": _at(packed, "tokens_out", index) or 0,
            "micro_usd": _at(packed, "micro_usd", index) or 0,
            "trace_id": _at(packed, "trace_ids", index),
        }


def _at(packed: Mapping[str, Any], name: str, index: int) -> Any:
    values: Sequence[Any] | None = packed.get(name)
    return None if values is None else values[index]
