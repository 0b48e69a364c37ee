"""Scores how much of two texts is the same, as the ratio of matching parts (`difflib`), after folding white space."""

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any, Literal

from specloop.improve.rubrics.judges.judge import Case, JudgeFailure, Score, output_of, reference_of

# The comparison is quadratic: longer texts are judged by their beginnings.
_TEXT_LIMIT = 4_000


class EditSimilarityJudge:
    """args: `field?`, `reference_field?`, `case_sensitive?`."""

    ref = "edit_similarity"
    version = "1"
    authority: Literal["reference", "rubric"] = "reference"

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """Ratio in [0, 1]. Raises: JudgeFailure if the reference is not a text."""
        expected, actual = reference_of(case, args), output_of(case, args)
        if not isinstance(expected, str):
            raise JudgeFailure("`edit_similarity` compares texts and the reference is none")
        exact = bool(args.get("case_sensitive"))
        ratio = SequenceMatcher(None, _fold(expected, exact), _fold(str(actual), exact), autojunk=False).ratio()
        return Score(ratio)


def _fold(text: str, exact: bool) -> str:
    folded = " ".join(text.split())[:_TEXT_LIMIT]
    return folded if exact else folded.casefold()


JUDGE = EditSimilarityJudge()
