"""Judges score one dimension of one output. Code judges are one small file each and register themselves."""

from specloop.improve.rubrics.judges.judge import Case, Judge, JudgeFailure, Outcome, Score, judge_case
from specloop.improve.rubrics.judges.registry import UnknownJudge, judge_for, judge_refs

__all__ = [
    "Case",
    "Judge",
    "JudgeFailure",
    "Outcome",
    "Score",
    "UnknownJudge",
    "judge_case",
    "judge_for",
    "judge_refs",
]
