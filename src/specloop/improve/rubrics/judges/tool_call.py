"""Scores a tool choice: the right tool, or rightly none. With `arguments: true` the arguments count as well.

An argument's reference is either its value or a list `{"any_of": [...]}` of accepted values.
"""

from collections.abc import Mapping
from typing import Any, Literal

from specloop.improve.rubrics.judges.judge import Case, JudgeFailure, Score, pick, reference_of


class ToolCallJudge:
    """args: `arguments?`. Output and reference are `{"tool": name or null, "arguments"?: {}}`."""

    ref = "tool_call"
    version = "1"
    authority: Literal["reference", "rubric"] = "reference"

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """1.0 or 0.0; with arguments the share of right ones when the tool is right. Raises: JudgeFailure."""
        reference = reference_of(case, args)
        expected, actual = pick(reference, "tool"), pick(case.output, "tool")
        if expected != actual:
            return Score(0.0, rationale=f"expected {expected or 'no tool'}, called {actual or 'none'}")
        if expected is None or not args.get("arguments"):
            return Score(1.0)
        return _argument_score(reference.get("arguments") or {}, case.output.get("arguments") or {})


def _argument_score(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Score:
    names = sorted(expected.keys() | actual.keys())
    if not names:
        return Score(1.0)
    wrong = [name for name in names if name not in expected or not _accepted(expected[name], actual.get(name))]
    return Score(1 - len(wrong) / len(names), rationale=f"wrong arguments: {', '.join(wrong)}" if wrong else "")


def _accepted(expected: Any, actual: Any) -> bool:
    if not isinstance(expected, Mapping) or "any_of" not in expected:
        return expected == actual
    choices: Any = expected["any_of"]  # pyright: ignore[reportUnknownVariableType]  # JSON
    if not isinstance(choices, list):
        raise JudgeFailure("`any_of` must be a list")
    return actual in choices


JUDGE = ToolCallJudge()
