"""Judges outputs by a rubric and composes the objective's score. It must not know candidates or budgets."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from specloop.improve.evaluation.model import Evaluation, Example
from specloop.improve.objectives.composite import Objective, compose
from specloop.improve.rubrics.judges import Case, Judge, Outcome, judge_case
from specloop.kit.json import canonical_hash
from specloop.run.runtime import Output


@dataclass(frozen=True, slots=True)
class JudgedDimension:
    """A dimension `rubric/dimension` with the judge that scores it."""

    name: str
    judge: Judge
    args: Mapping[str, Any]


class ObjectiveScorer:
    """Scores by an objective whose dimensions are judged one by one."""

    is_pure = True

    def __init__(self, objective: Objective, judges: tuple[JudgedDimension, ...]) -> None:
        """`judges` covers every dimension of the objective's rubrics. Raises: ValueError if one has no judge."""
        missing = {f"{r.key}/{d.key}" for r in objective.rubrics for d in r.dimensions} - {j.name for j in judges}
        if missing:
            raise ValueError(f"no judge for {', '.join(sorted(missing))}")
        self.objective = objective
        self._judges = judges
        self.identity = canonical_hash(
            {"objective": asdict(objective), "judges": [[j.name, j.judge.ref, j.judge.version, j.args] for j in judges]}
        )

    def score(self, config_hash: str, example: Example, output: Output) -> Evaluation:
        """Judge every dimension; a failed run or judge gives `outcome: error` and no score."""
        del config_hash
        if output.error is not None:
            return failed_run(example, output)
        case = Case(example.input, output.value, example.reference)
        findings = [(j.name, judge_case(j.judge, case, j.args)) for j in self._judges]
        scores = {name: finding.value for name, finding in findings}
        composite = compose(self.objective, scores)
        failures: list[Outcome] = [f.outcome for _, f in findings if f.outcome != "scored"]
        return Evaluation(
            sample_id=example.id,
            outcome="scored" if composite.score is not None else (*failures, "error")[0],
            score=composite.score,
            dimension_scores=scores,
            broken=composite.broken,
            authorities=composite.authorities,
            rationale="; ".join(f.rationale for _, f in findings if f.rationale),
            output=output.value,
            detail=output.detail,
            latency_ms=output.latency_ms,
            tokens_in=output.tokens_in,
            tokens_out=output.tokens_out,
            micro_usd=output.micro_usd,
        )


def failed_run(example: Example, output: Output) -> Evaluation:
    """The evaluation of a run that did not end in an answer: `timeout` or `error`, and never a score."""
    return Evaluation(
        sample_id=example.id,
        outcome="timeout" if output.error == "timeout" else "error",
        score=None,
        rationale=output.error or "",
        detail=output.detail,
        error=output.error,
        latency_ms=output.latency_ms,
        tokens_in=output.tokens_in,
        tokens_out=output.tokens_out,
        micro_usd=output.micro_usd,
    )
