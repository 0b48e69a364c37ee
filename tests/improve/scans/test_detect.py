"""What went wrong in an evaluation, named from its facts alone (spectral.md §2.2 phase 2)."""

from typing import Any

import pytest

from specloop.improve.evaluation.model import Evaluation, Example
from specloop.improve.scans.detect import KIND_PHRASES, detect_failure, detect_failures


def evaluation(chosen: str | None, **values: Any) -> Evaluation:
    known: dict[str, Any] = {"outcome": "scored", "score": 0.0, "output": {"tool": chosen}, **values}
    return Evaluation("1", **known)


def kind(found: Evaluation, expected: str | None = "a") -> str:
    failure = detect_failure(Example("1", {}, {"tool": expected}), found, "text")
    return failure.kind if failure else ""


@pytest.mark.parametrize(
    ("found", "expected", "named"),
    [
        (evaluation(None), "a", "missed_call"),
        (evaluation("a"), None, "false_call"),
        (evaluation("b"), "a", "wrong_tool"),
        (evaluation("a", score=1.0), "a", ""),
        (evaluation("a", score=1.0, broken=("r/d",)), "a", "low_score"),
        (evaluation("a", outcome="timeout", score=None), "a", "timeout"),
        (evaluation("a", outcome="error", score=None, error="ToolTimeout"), "a", "tool_error"),
        (evaluation("a", outcome="error", score=None, error="ZeroDivisionError"), "a", "agent_error"),
        (evaluation("a", outcome="error", score=None), "a", "judge_error"),
        (evaluation("a", dimension_scores={"r/schema": 0.0}), "a", "schema_invalid"),
        (evaluation("a", score=0.5), "a", "low_score"),
        (evaluation("a", outcome="skipped", score=None), "a", ""),
    ],
)
def test_the_kind_follows_from_the_facts(found: Evaluation, expected: str | None, named: str) -> None:
    assert kind(found, expected) == named
    assert named in {"", *KIND_PHRASES}


def test_equal_failures_have_equal_signatures_and_others_do_not() -> None:
    example = Example("1", {}, {"tool": "a"})
    one, same, other = (detect_failure(example, evaluation(c), t) for c, t in (("b", "x"), ("b", "y"), (None, "x")))
    assert one
    assert same
    assert other
    assert one.signature == same.signature != other.signature


def test_an_outlier_in_latency_or_tokens_is_a_failure_although_it_is_right() -> None:
    examples = [Example(str(i), {}, {"tool": "a"}) for i in range(100)]
    usual: dict[str, Any] = {"outcome": "scored", "score": 1.0, "output": {"tool": "a"}}
    found = [Evaluation(e.id, **usual, latency_ms=10 + i % 3) for i, e in enumerate(examples)]
    found[7] = Evaluation("7", **usual, latency_ms=900.0)
    found[8] = Evaluation("8", **usual, latency_ms=10.0, tokens_out=5_000)
    failures = detect_failures(examples, found, [""] * 100)
    assert [(f.sample_id, f.kind) for f in failures] == [("7", "slow"), ("8", "costly")]
