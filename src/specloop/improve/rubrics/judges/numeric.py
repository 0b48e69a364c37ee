"""Scores 1 when a number is within an absolute or relative tolerance of the reference."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from specloop.improve.rubrics.judges.judge import Case, JudgeFailure, Score, output_of, reference_of


class NumericJudge:
    """args: `absolute?` (default 0), `relative?` (default 1e-9), `field?`, `reference_field?`."""

    ref = "numeric"
    version = "1"
    authority: Literal["reference", "rubric"] = "reference"

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """1.0 or 0.0; an output that is not a number scores 0. Raises: JudgeFailure if the reference is not one."""
        expected = _number(reference_of(case, args))
        if expected is None:
            raise JudgeFailure("the reference is not a finite number")
        actual = _number(output_of(case, args))
        if actual is None:
            return Score(0.0, rationale="the output is not a finite number")
        near = math.isclose(
            actual, expected, rel_tol=float(args.get("relative", 1e-9)), abs_tol=float(args.get("absolute", 0.0))
        )
        return Score(1.0) if near else Score(0.0, rationale=f"expected {expected}, got {actual}")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


JUDGE = NumericJudge()
