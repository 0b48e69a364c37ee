"""Scores 1 when the output equals the reference as JSON. `fold: true` ignores case and outer space in texts."""

from collections.abc import Mapping
from typing import Any, Literal

from specloop.improve.rubrics.judges.judge import Case, Score, output_of, reference_of


class ExactJudge:
    """args: `field?`, `reference_field?`, `fold?`."""

    ref = "exact"
    version = "1"
    authority: Literal["reference", "rubric"] = "reference"

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """1.0 or 0.0. Raises: JudgeFailure without a reference or the named member."""
        expected, actual = reference_of(case, args), output_of(case, args)
        if args.get("fold") and isinstance(expected, str) and isinstance(actual, str):
            expected, actual = expected.strip().casefold(), actual.strip().casefold()
        # True == 1 in Python but not in JSON.
        same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
        return Score(1.0) if same else Score(0.0, rationale=f"expected {expected!r}, got {actual!r}")


JUDGE = ExactJudge()
