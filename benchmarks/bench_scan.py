"""Optimisation core: overhead per evaluation outside the agent, and B1 by seed. No database, no web.

Limits: overhead <= 0.2 ms per evaluation; B1 gains >= 7 points with p < 1e-4 within 30 s on two cores.
Run: python benchmarks/bench_scan.py [seed ...]
"""

import statistics
import sys
import time

from specloop.improve.evaluation.scorer import ObjectiveScorer
from specloop.improve.scans.problem import Budget
from specloop.improve.scans.search.engine import run_search
from specloop.improve.validation.validate import validate
from specloop.testing.datasets.b1 import B1, b1_scorer, build_b1

BUDGET = Budget(max_evaluations=20_000)


def scoring_overhead_ms(b1: B1, scorer: ObjectiveScorer) -> float:
    """Judging and composing one evaluation, without running the agent."""
    examples = b1.problem.train
    outputs = b1.problem.runtime.run_batch(b1.problem.base_config, [e.input for e in examples])
    times: list[float] = []
    for _ in range(5):
        start = time.perf_counter()
        for example, output in zip(examples, outputs, strict=True):
            scorer.score("", example, output)
        times.append((time.perf_counter() - start) / len(examples) * 1e3)
    return statistics.median(times)


def main(seeds: list[int]) -> None:
    """Print the table."""
    started = time.perf_counter()
    b1 = build_b1()
    # Features are computed once per input; that is the agent's own work.
    everything = [e.input for e in (*b1.problem.train, *b1.problem.val, *b1.holdout.examples)]
    b1.problem.runtime.run_batch(b1.problem.base_config, everything)
    print(f"load, split and index 1,933 samples: {time.perf_counter() - started:.2f} s   {dict(b1.leakage.counts)}")
    print(f"judge and compose: {scoring_overhead_ms(b1, b1_scorer()):.4f} ms per evaluation")
    print(
        "seed  baseline  best   delta   CI95             p        win/loss  verdict       edits  evals   wall   ms/eval"
    )
    for seed in seeds:
        start = time.perf_counter()
        result = run_search(b1.problem, BUDGET, seed)
        wall = time.perf_counter() - start
        if result.best is None or result.best_config is None:
            print(f"{seed:4}  no improvement after {result.evaluations} evaluations, {wall:.2f} s")
            continue
        r = validate(b1.problem.runtime, b1.problem.scorer, b1.problem.base_config, result.best_config, b1.holdout)
        print(
            f"{seed:4}  {r.baseline:8.1%}  {r.candidate:6.1%} {r.delta:+6.1%}  [{r.ci95.low:+.3f}, {r.ci95.high:+.3f}] "
            f"{r.mcnemar.p_value:7.0e}  {r.mcnemar.wins:3}/{r.mcnemar.losses:<4}  {r.verdict or '':12}  "
            f"{len(result.best.edits):5}  {result.evaluations:6}  {wall:5.2f} s  {wall / result.evaluations * 1e3:.3f}"
        )


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1, 2, 3])
