"""Where nothing can improve, nothing may be shipped: coin judge (spectral.md §2.6.6) and A/A test (§2.6.5)."""

import hashlib
from dataclasses import replace

from specloop.improve.evaluation.model import Evaluation, Example
from specloop.improve.objectives.composite import Objective
from specloop.improve.scans.problem import Budget
from specloop.improve.scans.search.engine import run_search
from specloop.improve.validation.validate import validate
from specloop.run.runtime import Output
from specloop.testing.datasets.b1 import B1, b1_scorer

SEEDS = range(20)


class CoinScorer:
    """Scores 1 when a hash of config and sample falls below 0.65: a judge that only makes noise."""

    identity = "coin@1"
    is_pure = False

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def score(self, config_hash: str, example: Example, output: Output) -> Evaluation:
        digest = hashlib.blake2b(f"{config_hash}{example.id}".encode(), digest_size=8).digest()
        value = float(int.from_bytes(digest, "big") / 2**64 < 0.65)
        return Evaluation(
            example.id,
            "scored",
            value,
            {"routing/tool": value},
            authorities={"reference": value},
            output=output.value,
            detail=output.detail,
        )


class SameScorer(CoinScorer):
    """Scores every output the same: a judge for whom all candidates are the baseline."""

    identity = "same@1"

    def score(self, config_hash: str, example: Example, output: Output) -> Evaluation:
        del config_hash
        return Evaluation(example.id, "scored", 0.5, {"routing/tool": 0.5}, output=output.value, detail=output.detail)


def test_a_winner_that_is_the_baseline_makes_no_change_set(b1: B1) -> None:
    problem = replace(b1.problem, scorer=SameScorer(b1_scorer().objective))
    result = run_search(problem, Budget(max_evaluations=6_000), 1)
    assert result.outcome in ("no_improvement", "budget_exhausted")
    assert (result.best, result.best_config) == (None, None)


def test_an_agent_that_is_always_right_is_left_alone(b1: B1) -> None:
    inputs = [example.input for example in (*b1.problem.train, *b1.problem.val)]
    answers = iter(b1.problem.runtime.run_batch(b1.problem.base_config, inputs))
    train, val = (
        tuple(replace(example, reference=next(answers).value) for example in part)
        for part in (b1.problem.train, b1.problem.val)
    )
    result = run_search(replace(b1.problem, train=train, val=val), Budget(max_evaluations=6_000), 1)
    assert (result.outcome, result.best, result.clusters) == ("no_failures", None, ())


def test_a_coin_judge_ships_nothing_in_twenty_seeds(b1: B1) -> None:
    # Two points, as the contract measured it; the size gate alone would stop everything at that effect, so the other
    # gates are what is asked here.
    scorer = CoinScorer(replace(b1_scorer().objective, min_effect=0.02))
    problem = replace(b1.problem, scorer=scorer)
    val_gains: list[float] = []
    shipped: list[int] = []
    for seed in SEEDS:
        result = run_search(problem, Budget(max_evaluations=8_000), seed)
        if result.best is None or result.best_config is None or result.baseline is None:
            continue
        val_gains.append((result.best.val_score or 0.0) - (result.baseline.val_score or 0.0))
        report = validate(problem.runtime, scorer, problem.base_config, result.best_config, b1.holdout)
        gates = {gate.name: gate.passed for gate in report.gates}
        if gates["effect"] and gates["significance"]:
            shipped.append(seed)
        assert report.verdict != "pass"
    assert len(val_gains) >= 15, "the search must find apparent gains, or the test shows nothing"
    assert sum(val_gains) / len(val_gains) > 0.01
    assert shipped == []
