"""Scores the share of required texts that the output contains; `forbidden` texts bring the score to 0."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from specloop.improve.rubrics.judges.judge import Case, JudgeFailure, Score, output_of


class ContainsJudge:
    """args: `required?: [text]`, `forbidden?: [text]`, `case_sensitive?`, `field?`."""

    ref = "contains"
    version = "1"
    authority: Literal["reference", "rubric"] = "rubric"

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """Share in [0, 1]. Raises: JudgeFailure when neither list is given."""
        fold: Callable[[str], str] = str if args.get("case_sensitive") else str.casefold
        text = fold(str(output_of(case, args)))
        required = _texts(args, "required")
        forbidden = _texts(args, "forbidden")
        if not required and not forbidden:
            raise JudgeFailure("`contains` needs `required` or `forbidden`")
        if found := [t for t in forbidden if fold(t) in text]:
            return Score(0.0, rationale=f"forbidden: {', '.join(found)}")
        missing = [t for t in required if fold(t) not in text]
        share = 1.0 - len(missing) / len(required) if required else 1.0
        return Score(share, rationale=f"missing: {', '.join(missing)}" if missing else "")


def _texts(args: Mapping[str, Any], name: str) -> Sequence[str]:
    value: Any = args.get(name) or ()
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)


JUDGE = ContainsJudge()
