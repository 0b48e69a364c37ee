"""Every gate of spectral.md §2.5 passes on good evidence and stops what it is there to stop."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from specloop.improve.evaluation.model import Evaluation
from specloop.improve.objectives.composite import Constraint, Dimension, Objective, Rubric
from specloop.improve.validation.evidence import Evidence, Freshness
from specloop.improve.validation.gates import GateResult, gate_names, run_gates, verdict_of

OBJECTIVE = Objective((Rubric("r", (Dimension("d", hard_min=0.0),)),), min_effect=0.05)
N = 600


def evaluations(scores: list[float | None], latency_ms: float = 1.0) -> tuple[Evaluation, ...]:
    return tuple(
        Evaluation(
            str(i),
            "error" if score is None else "scored",
            score,
            {"r/d": score},
            authorities={} if score is None else {"reference": score},
            latency_ms=latency_ms,
        )
        for i, score in enumerate(scores)
    )


def paired(wins: int, losses: int, n: int = N) -> tuple[list[float | None], list[float | None]]:
    """Wins and losses spread evenly over the samples, as in a healthy set."""
    before = [*([0.0] * wins), *([1.0] * (n - wins))]
    after = [*([1.0] * wins), *([0.0] * losses), *([1.0] * (n - wins - losses))]
    order = np.random.default_rng(1).permutation(n)
    return [before[i] for i in order], [after[i] for i in order]


def evidence(wins: int = 80, losses: int = 20, n: int = N) -> Evidence:
    before, after = paired(wins, losses, n)
    return Evidence(OBJECTIVE, evaluations(before), evaluations(after), tuple(f"group-{i}" for i in range(n)))


def results(of: Evidence) -> dict[str, GateResult]:
    return {result.name: result for result in run_gates(of)}


def verdict(of: Evidence) -> str:
    return verdict_of(run_gates(of), of)


def losing_slice(of: Evidence) -> Evidence:
    pairs = [(b.score or 0.0, a.score or 0.0) for b, a in zip(of.baseline, of.candidate, strict=True)]
    losers = [i for i, (before, after) in enumerate(pairs) if after < before]
    same = [i for i, (before, after) in enumerate(pairs) if after == before]
    return replace(of, slices={"unlucky": tuple(losers + same[:40])})


def one_group(of: Evidence) -> Evidence:
    """All the gain comes from one group, and every other group loses a little."""
    groups = tuple(
        "lucky" if (a.score or 0) > (b.score or 0) else f"other-{i % 97}"
        for i, (b, a) in enumerate(zip(of.baseline, of.candidate, strict=True))
    )
    return replace(of, groups=groups)


def erring(of: Evidence) -> Evidence:
    scores: list[float | None] = [e.score for e in of.candidate]
    return replace(of, candidate=evaluations([None] * 20 + scores[20:]))


def slow(of: Evidence) -> Evidence:
    guarded = replace(OBJECTIVE, constraints=(Constraint("p95_latency_ms", "<=", 100),))
    return replace(of, objective=guarded, candidate=tuple(replace(e, latency_ms=500) for e in of.candidate))


BREAKERS: dict[str, Callable[[Evidence], Evidence]] = {
    "size": lambda _: evidence(30, 2, n=99),
    "freshness": lambda e: replace(e, freshness=Freshness(holdout_unburned=False)),
    "effect": lambda _: evidence(20, 2),
    "significance": lambda _: evidence(75, 60),
    "no-harm": lambda _: evidence(20, 40),
    "slices": losing_slice,
    "cost/latency/error": slow,
    "multiplicity": lambda e: replace(e, look=6, alpha=0.0),
    "robustness": one_group,
}


def test_there_are_the_nine_gates_of_the_contract() -> None:
    assert set(gate_names()) == set(BREAKERS)


def test_good_evidence_passes_every_gate() -> None:
    assert [r.name for r in run_gates(evidence()) if not r.passed] == []
    assert verdict(evidence()) == "pass"


@pytest.mark.parametrize("name", list(BREAKERS))
def test_each_gate_stops_what_it_must(name: str) -> None:
    broken = BREAKERS[name](evidence())
    assert not results(broken)[name].passed
    assert verdict(broken) != "pass"


@pytest.mark.parametrize(
    "freshness",
    [Freshness(base_versions_current=False), Freshness(duplicates_with_train=1)],
)
def test_stale_or_leaking_evidence_is_broken(freshness: Freshness) -> None:
    assert verdict(replace(evidence(), freshness=freshness)) == "fail"


def test_rising_errors_are_broken() -> None:
    assert verdict(erring(evidence())) == "fail"


def test_a_significantly_worse_candidate_fails_rather_than_being_undecided() -> None:
    assert verdict(evidence(20, 80)) == "fail"


def test_a_small_holdout_is_at_most_undecided_and_says_how_many_samples_are_missing() -> None:
    small = evidence(40, 2, n=99)
    assert verdict(small) == "inconclusive"
    assert "more samples" in results(small)["size"].detail


def test_graded_scores_use_the_bootstrap() -> None:
    random = np.random.default_rng(0)
    before = random.uniform(0.2, 0.6, N)
    gain = evaluations((before + 0.1).tolist())
    graded = replace(evidence(), baseline=evaluations(before.tolist()), candidate=gain)
    assert "bootstrap" in results(graded)["significance"].detail
    assert verdict(graded) == "pass"


def test_the_same_scores_on_both_sides_never_pass() -> None:
    same = evidence(0, 0)
    assert verdict(same) == "inconclusive"


def test_unscored_samples_are_left_out_of_the_pairs() -> None:
    assert erring(evidence()).n == N - 20
