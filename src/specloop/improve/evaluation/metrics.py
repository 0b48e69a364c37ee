"""Aggregates of evaluations that an objective's constraints can name (spectral.md §1.1, Objective)."""

from collections.abc import Mapping, Sequence

import numpy as np

from specloop.improve.evaluation.model import Evaluation


def aggregate_metrics(evaluations: Sequence[Evaluation]) -> Mapping[str, float | None]:
    """`p95_latency_ms`, mean `cost_micro_usd` and `token_in`, `error_rate`, and `dimension:<key>` means."""
    n = len(evaluations)
    if n == 0:
        return {}
    metrics: dict[str, float | None] = {
        "p95_latency_ms": float(np.percentile([e.latency_ms for e in evaluations], 95)),
        "cost_micro_usd": sum(e.micro_usd for e in evaluations) / n,
        "token_in": sum(e.tokens_in for e in evaluations) / n,
        "error_rate": sum(e.score is None for e in evaluations) / n,
    }
    for name in sorted({name for e in evaluations for name in e.dimension_scores}):
        known = [value for e in evaluations if (value := e.dimension_scores.get(name)) is not None]
        metrics[f"dimension:{name.rpartition('/')[2]}"] = sum(known) / len(known) if known else None
    return metrics
