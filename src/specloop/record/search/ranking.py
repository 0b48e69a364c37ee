"""From keys of matched exchanges to an ordered list of sessions. Pure arithmetic on arrays; it knows no store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from specloop.record.search.keys import Keys, numbers_of

FUSION_CONSTANT: Final = 60.0
"""Of reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009)."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Matched exchanges of the sessions that were searched: sorted `keys`, the `sessions` (numbers) newest first."""

    keys: Keys
    sessions: Keys

    def keys_of(self, number: int) -> list[int]:
        """The matched exchanges of one session, in order."""
        owners = numbers_of(self.keys)
        low, high = np.searchsorted(owners, [number, number + 1])
        return self.keys[low:high].tolist()


def distinct_numbers(keys: Keys) -> Keys:
    """The sessions of sorted keys."""
    owners = numbers_of(keys)
    return owners[np.concatenate(([True], owners[1:] != owners[:-1]))] if owners.size else owners


def within(keys: Keys, newest_first: Keys) -> Matches:
    """The matches that lie in the sessions `newest_first`; nothing of any other session is left."""
    if not keys.size or not newest_first.size:
        return Matches(keys[:0], newest_first[:0])
    owners = numbers_of(keys)
    top = int(max(owners[-1], newest_first.max())) + 1
    allowed = np.zeros(top, np.bool_)
    allowed[newest_first] = True
    kept = allowed[owners]
    found = np.zeros(top, np.bool_)
    found[owners[kept]] = True
    return Matches(keys[kept], newest_first[found[newest_first]])


def by_score(matches: Matches, scores: Mapping[int, float]) -> tuple[Keys, NDArray[np.float64]]:
    """The sessions by their best exchange's score, equal ones newest first; and the scores in that order."""
    best = best_of_sessions(matches.sessions, scores)
    order = np.argsort(-best, kind="stable")
    return matches.sessions[order], best[order]


def best_of_sessions(sessions: Keys, scores: Mapping[int, float]) -> NDArray[np.float64]:
    """The best score in each session, 0 where none is known."""
    if not sessions.size or not scores:
        return np.zeros(sessions.size)
    keys = np.fromiter(scores.keys(), np.int64, len(scores))
    values = np.fromiter(scores.values(), np.float64, len(scores))
    owners = numbers_of(keys)
    best = np.zeros(int(max(owners.max(), sessions.max())) + 1)
    np.maximum.at(best, owners, values)
    return best[sessions]


def fuse(rankings: Sequence[tuple[float, Sequence[int]]]) -> dict[int, float]:
    """Reciprocal rank fusion of rankings with weights: sessions that several put high come first; best first."""
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for place, number in enumerate(ranking):
            scores[number] = scores.get(number, 0.0) + weight / (FUSION_CONSTANT + place + 1)
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
