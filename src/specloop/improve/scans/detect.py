"""Names what went wrong in a failing evaluation: its kind and signature (spectral.md §2.2 phase 2).

Works from one evaluation's facts alone; it must not know clusters, candidates or storage.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from specloop.improve.evaluation.model import Evaluation, Example
from specloop.improve.scans.problem import Failure

KIND_PHRASES: Mapping[str, str] = {
    "missed_call": "No tool chosen although one fits",
    "false_call": "Tool chosen although none fits",
    "wrong_tool": "Wrong tool chosen",
    "schema_invalid": "Output breaks its schema",
    "retrieval_miss": "Needed document not retrieved",
    "unsupported_claim": "Claim without support",
    "loop": "Same step repeated",
    "timeout": "Run timed out",
    "tool_error": "A tool failed",
    "agent_error": "Run ended in an error",
    "judge_error": "Judge could not score",
    "slow": "Unusually slow",
    "costly": "Unusually many tokens",
    "low_score": "Scored below target",
}

# Runtimes report error classes as words; these belong to tools rather than to the agent itself.
_TOOL_ERRORS = ("tool", "function", "mcp")
_ANOMALY_Z = 4.0


def label_of(value: Any) -> str | None:
    """The tool named in a tool-shaped answer or reference: "" for none, None if the value has another shape."""
    if not isinstance(value, Mapping) or "tool" not in value:
        return None
    tool = cast("Mapping[str, Any]", value)["tool"]
    return "" if tool is None else str(tool)


def detect_failures(
    examples: Sequence[Example], evaluations: Sequence[Evaluation], texts: Sequence[str], target: float = 1.0
) -> list[Failure]:
    """The failures among evaluations of the same examples, anomalies of latency and tokens included."""
    anomalies = detect_anomalies(evaluations)
    rows = zip(examples, evaluations, texts, strict=True)
    found = (detect_failure(x, e, text, target, anomalies.get(x.id, "")) for x, e, text in rows)
    return [failure for failure in found if failure is not None]


def detect_failure(
    example: Example, evaluation: Evaluation, text: str, target: float = 1.0, anomaly: str = ""
) -> Failure | None:
    """The failure in an evaluation, or None if it met `target`, broke no `hard_min` and shows no `anomaly`.

    `text` describes the case.
    """
    if evaluation.outcome == "skipped":
        return None
    is_met = evaluation.score is not None and evaluation.score >= target and not evaluation.broken
    if is_met and not anomaly:
        return None
    kind = anomaly if is_met else _kind(example, evaluation)
    dimension = _worst_dimension(evaluation)
    chosen, expected = label_of(evaluation.output) or "", label_of(example.reference) or ""
    error = evaluation.error or ""
    return Failure(
        sample_id=example.id,
        kind=kind,
        signature=f"{kind}|{dimension}|{chosen}>{expected}|{error}",
        dimension=dimension,
        text=text,
        feedback=evaluation.rationale,
        chosen=chosen,
        expected=expected,
        error=error,
    )


def _kind(example: Example, evaluation: Evaluation) -> str:
    if evaluation.outcome == "timeout":
        return "timeout"
    if evaluation.error is not None:
        return "tool_error" if any(word in evaluation.error.lower() for word in _TOOL_ERRORS) else "agent_error"
    if evaluation.score is None:
        return "judge_error"
    chosen, expected = label_of(evaluation.output), label_of(example.reference)
    if chosen is not None and expected is not None and chosen != expected:
        return "missed_call" if not chosen else "false_call" if not expected else "wrong_tool"
    return "schema_invalid" if "schema" in _worst_dimension(evaluation) else "low_score"


def _worst_dimension(evaluation: Evaluation) -> str:
    """The broken dimension, else the lowest scored one; ties go to the first in name order."""
    if evaluation.broken:
        return evaluation.broken[0]
    scored = [(value, name) for name, value in evaluation.dimension_scores.items() if value is not None]
    return min(scored)[1] if scored else ""


def detect_anomalies(evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """Sample ids whose latency or tokens lie over 4 standard deviations above the mean, as `slow` or `costly`."""
    found = {e.sample_id: "costly" for e in _outliers(evaluations, [e.tokens_in + e.tokens_out for e in evaluations])}
    found.update((e.sample_id, "slow") for e in _outliers(evaluations, [e.latency_ms for e in evaluations]))
    return found


def _outliers(evaluations: Sequence[Evaluation], values: Sequence[float]) -> Iterable[Evaluation]:
    if len(values) < 2:
        return
    mean, deviation = statistics.fmean(values), statistics.pstdev(values)
    if deviation == 0 or math.isnan(deviation):
        return
    for evaluation, value in zip(evaluations, values, strict=True):
        if (value - mean) / deviation > _ANOMALY_Z:
            yield evaluation
