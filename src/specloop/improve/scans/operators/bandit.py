"""Chooses operators by Thompson sampling, with one memory per failure kind (spectral.md §2.3)."""

import random
from collections import Counter
from collections.abc import Sequence

from specloop.improve.scans.operators.operator import Operator, Record

_KEEP = 0.7


class Bandit:
    """Counts which operator's proposals were accepted for which kind. One more operator earns its share or fades."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._wins: Counter[tuple[str, str]] = Counter()
        self._losses: Counter[tuple[str, str]] = Counter()

    def order_kinds(self, records: Sequence[Record]) -> list[str]:
        """The failure kinds of the batch, most frequent first; some are left out at random, so that steps vary."""
        counts = Counter(r.kind for r in records if r.kind)
        kinds = sorted(counts, key=lambda kind: (-counts[kind], kind))
        kept = [kind for kind in kinds if self._rng.random() < _KEEP]
        return kept or kinds[:1]

    def rank(self, kind: str, operators: Sequence[Operator]) -> list[Operator]:
        """The operators that treat `kind`, by one draw each from their success posterior, best draw first."""
        drawn = [
            (self._rng.betavariate(1 + self._wins[kind, o.name], 1 + self._losses[kind, o.name]), o)
            for o in operators
            if not o.kinds or kind in o.kinds
        ]
        return [operator for _, operator in sorted(drawn, key=lambda pair: -pair[0])]

    def learn(self, kind: str, operator: str, accepted: bool) -> None:
        """Remember how a proposal ended."""
        (self._wins if accepted else self._losses)[kind, operator] += 1
