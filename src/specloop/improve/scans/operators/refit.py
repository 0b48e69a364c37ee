"""Re-fits reject words and abstention threshold together on train outcomes, by logistic regression with an L1 penalty.

The penalty keeps most words at zero, so that the diff stays readable.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from specloop.improve.scans.operators.operator import Proposal, Record, Situation, clamp

_MIN_SUPPORT = 3
_PENALTIES = (0.25, 0.5, 1.0)
# Below this the fit hardly uses the runtime's own score, and the words would have to carry everything.
_MIN_SLOPE = 0.5
_NEGLIGIBLE = 0.02


class RejectRefit:
    """Fits P(no tool fits | words, score) over train and turns it into reject weights and a threshold."""

    name = "reject_refit"
    kinds = frozenset({"missed_call", "false_call"})
    roles = frozenset({"reject", "abstain_threshold"})

    def propose(self, situation: Situation) -> Proposal | None:
        """New reject weights on top of the present ones, with the threshold that goes with them; None without a fit."""
        reject, threshold = situation.roles["reject"], situation.roles["abstain_threshold"]
        # A call of the wrong tool is wrong at any threshold, so such records say nothing about abstaining.
        records = [r for r in situation.recall() if r.top and r.expected in ("", r.top)]
        penalty = situation.rng.choice(_PENALTIES)
        words = sorted({w for r in records for w in r.terms if situation.vocabulary.count(w) >= _MIN_SUPPORT})
        fitted = _fit(records, words, penalty)
        if fitted is None:
            return None
        weights, level = fitted
        entries: dict[str, float] = dict(situation.values[reject.name])
        touched: list[str] = []
        for word, weight in sorted(zip(words, weights, strict=True), key=lambda pair: (-abs(pair[1]), pair[0])):
            if abs(weight) < _NEGLIGIBLE or (word not in entries and len(entries) >= reject.max_entries):
                continue
            entries[word] = clamp(reject, entries.get(word, 0.0) + weight)
            touched.append(word)
        changes = {reject.name: entries, threshold.name: clamp(threshold, level)}
        failing = tuple(r.sample_id for r in situation.failures(*self.kinds))
        rationale = f"logistic fit over {len(records)} train samples, {len(touched)} words"
        return Proposal(changes, rationale, failing, {reject.name: tuple(touched)})


def _fit(records: Sequence[Record], words: Sequence[str], penalty: float) -> tuple[NDArray[np.float64], float] | None:
    """(weight per word, threshold) in units of the runtime's score."""
    none_fits = np.array([r.expected == "" for r in records], dtype=np.float64)
    if none_fits.size == 0 or none_fits.min() == none_fits.max():
        return None
    place = {word: column for column, word in enumerate(words)}
    # The score is scaled up so that the penalty, meant for the words, leaves it alone.
    features = np.zeros((len(records), len(words) + 1))
    features[:, -1] = [10.0 * r.top_score for r in records]
    for row, record in enumerate(records):
        features[row, [place[word] for word in record.terms if word in place]] = 1.0
    model = cast("Any", LogisticRegression)(l1_ratio=1.0, C=penalty, solver="liblinear", random_state=0, max_iter=200)
    model.fit(features, none_fits)
    coefficients: NDArray[np.float64] = np.asarray(model.coef_, dtype=np.float64)[0]
    slope = -10.0 * float(coefficients[-1])
    if slope < _MIN_SLOPE:
        return None
    return coefficients[:-1] / slope, float(model.intercept_[0]) / slope


OPERATORS = (RejectRefit(),)
