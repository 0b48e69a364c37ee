"""What a candidate takes from single groups of samples while it gains on the whole. It must not know the holdout.

The `slices` gate asks the same of the holdout (spectral.md §2.5); asking early keeps a search from wasting its winner.
"""

from collections.abc import Mapping, Sequence

from specloop.improve.evaluation.model import Example

_SLICE_MIN = 30
# A gain elsewhere must be worth twice what a slice loses: the gate on slices is a veto, not a trade.
_WEIGHT = 2.0


def slice_penalty(examples: Sequence[Example], before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Twice the mean loss of the worst group of 30 or more samples with a common metadata value; 0 if none loses.

    `before` and `after` are scores by sample id. Every loss counts, however small: these samples are too few to tell a
    tolerable loss from the beginning of a large one.
    """
    deltas: dict[tuple[str, str], list[float]] = {}
    for example in examples:
        if example.id in before and example.id in after:
            for name, value in example.metadata.items():
                deltas.setdefault((name, str(value)), []).append(after[example.id] - before[example.id])
    return _WEIGHT * max(
        (-sum(d) / len(d) for d in deltas.values() if len(d) >= _SLICE_MIN and sum(d) < 0), default=0.0
    )
