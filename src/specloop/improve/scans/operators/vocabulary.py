"""Which words speak for which answer, counted over the train split alone (spectral.md §2.6.4)."""

import math
from collections import Counter
from collections.abc import Iterable


class Vocabulary:
    """Word counts by expected answer; "" is the answer `call nothing`."""

    def __init__(self, labelled: Iterable[tuple[frozenset[str], str]]) -> None:
        """`labelled` holds (words, expected answer) of every train sample that has a known answer."""
        self._words: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._labels: Counter[str] = Counter()
        for terms, label in labelled:
            self._labels[label] += 1
            self._words.update(terms)
            self._pairs.update((word, label) for word in terms)

    def support(self, word: str, label: str) -> int:
        """In how many train samples expecting `label` the word occurs."""
        return self._pairs[word, label]

    def log_odds(self, word: str, label: str) -> float:
        """Smoothed log odds ratio of the word under `label` against all other answers; above 0 speaks for it."""
        inside, outside = self._pairs[word, label], self._words[word] - self._pairs[word, label]
        n_inside = self._labels[label]
        n_outside = self._labels.total() - n_inside
        return _log_odds(inside, n_inside) - _log_odds(outside, n_outside)

    def telling(self, terms: frozenset[str], label: str, min_support: int = 2) -> list[tuple[float, str]]:
        """(log odds, word) of the words that speak for `label`, strongest first; ties in word order."""
        found = [(self.log_odds(w, label), w) for w in terms if self.support(w, label) >= min_support]
        return sorted(((odds, word) for odds, word in found if odds > 0), key=lambda pair: (-pair[0], pair[1]))


def _log_odds(count: int, total: int) -> float:
    return math.log((count + 0.5) / (total - count + 0.5))
