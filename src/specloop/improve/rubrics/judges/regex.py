"""Scores 1 when the output matches a pattern; `absent: true` turns it round."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from specloop.improve.rubrics.judges.judge import Case, JudgeFailure, Score, output_of

# Patterns come from rubrics and texts from agents: the product of both bounds the time a search may take.
_TEXT_LIMIT = 20_000


class RegexJudge:
    """args: `pattern`, `full?` (whole text), `absent?`, `ignore_case?`, `field?`."""

    ref = "regex"
    version = "1"
    authority: Literal["reference", "rubric"] = "rubric"

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """1.0 or 0.0. Raises: JudgeFailure for a missing or invalid pattern."""
        pattern = _compiled(str(args.get("pattern", "")), bool(args.get("ignore_case")))
        text = str(output_of(case, args))[:_TEXT_LIMIT]
        matched = (pattern.fullmatch(text) if args.get("full") else pattern.search(text)) is not None
        wanted = not args.get("absent")
        return Score(1.0) if matched == wanted else Score(0.0, rationale=f"{pattern.pattern!r} matched: {matched}")


@lru_cache(maxsize=256)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    if not pattern:
        raise JudgeFailure("`regex` needs `pattern`")
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise JudgeFailure(f"the pattern is invalid: {error}") from None


JUDGE = RegexJudge()
