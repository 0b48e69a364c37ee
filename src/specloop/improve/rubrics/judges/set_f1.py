"""Scores two lists as sets by F1: the harmonic mean of precision and recall. Two empty sets agree fully."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from specloop.improve.rubrics.judges.judge import Case, JudgeFailure, Score, output_of, reference_of
from specloop.kit.json import canonical


class SetF1Judge:
    """args: `field?`, `reference_field?`. Items may be any JSON value."""

    ref = "set_f1"
    version = "1"
    authority: Literal["reference", "rubric"] = "reference"

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """F1 in [0, 1]. Raises: JudgeFailure if either side is not a list."""
        expected, actual = _items(reference_of(case, args)), _items(output_of(case, args))
        if not expected and not actual:
            return Score(1.0)
        shared = len(expected & actual)
        value = 2 * shared / (len(expected) + len(actual))
        return Score(
            value, rationale="" if value == 1 else f"{shared} of {len(expected)} expected, {len(actual)} given"
        )


def _items(value: Any) -> frozenset[bytes]:
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise JudgeFailure("`set_f1` compares two lists")
    return frozenset(canonical(item) for item in cast("Iterable[Any]", value))


JUDGE = SetF1Judge()
