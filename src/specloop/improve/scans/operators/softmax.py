"""Sparse choice model: which of the offered answers, or none, is right (multinomial logit with an L1 penalty).

Plain numpy in a fixed order of additions, so that equal data give equal weights to the last bit. It must not know
tools or words: columns are columns.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Choices:
    """Sparse features of every offered answer, one row each, the rows of one case together.

    `rows`, `columns` and `values` list the entries other than 0; `starts` is the first row of every case, `right` is 1
    for the right answer's row. A case without one is a case where none fits; none always has the logit 0.
    """

    rows: Places
    columns: Places
    values: Floats
    starts: Places
    right: Floats
    width: int

    def support(self) -> Floats:
        """How much each column is used."""
        return np.asarray(np.bincount(self.columns, np.abs(self.values), self.width), dtype=np.float64)


def fit(choices: Choices, start: Floats, penalty: Floats, lowest: Floats, ridge: Floats, rounds: int = 200) -> Floats:
    """Coefficients of least penalised loss: log loss + Σ penalty·|u − start| + ½ Σ ridge·(u − start)².

    `lowest` bounds the coefficients from below. Accelerated proximal gradient with restarts (Beck & Teboulle 2009;
    O'Donoghue & Candès 2015), each column with its own step length from its row sums.
    """
    height = len(choices.right)
    case_of = np.repeat(np.arange(len(choices.starts)), np.diff(np.append(choices.starts, height)))
    size = np.abs(choices.values)
    row_sums = np.bincount(choices.rows, size, height)
    curvature = 0.5 * np.bincount(choices.columns, size * row_sums[choices.rows], choices.width) + ridge + 1e-9
    here, ahead, momentum = start.copy(), start.copy(), 1.0
    for _ in range(rounds):
        gradient = _gradient(choices, case_of, ahead) + ridge * (ahead - start)
        step = ahead - gradient / curvature - start
        step = np.sign(step) * np.maximum(np.abs(step) - penalty / curvature, 0.0)
        there = np.maximum(start + step, lowest)
        if float(np.sum((ahead - there) * (there - here))) > 0:
            momentum = 1.0
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = there + (momentum - 1) / following * (there - here)
        here, momentum = there, following
    return here


def _gradient(choices: Choices, case_of: Places, coefficients: Floats) -> Floats:
    logits = np.bincount(choices.rows, choices.values * coefficients[choices.columns], len(choices.right))
    highest = np.maximum(np.maximum.reduceat(logits, choices.starts), 0.0)
    shares = np.exp(logits - highest[case_of])
    totals = np.add.reduceat(shares, choices.starts) + np.exp(-highest)
    excess = shares / totals[case_of] - choices.right
    slope = np.bincount(choices.columns, choices.values * excess[choices.rows], choices.width)
    return np.asarray(slope, dtype=np.float64)


class ChoicesBuilder:
    """Collects cases row by row."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[int] = []
        self._columns: list[int] = []
        self._values: list[float] = []
        self._starts: list[int] = []
        self._right: list[float] = []

    def case(self, answers: Sequence[tuple[bool, Sequence[tuple[int, float]]]]) -> None:
        """Add a case: for every answer whether it is right, and its (column, value) entries. At least one answer."""
        self._starts.append(len(self._right))
        for is_right, entries in answers:
            for column, value in entries:
                self._rows.append(len(self._right))
                self._columns.append(column)
                self._values.append(value)
            self._right.append(float(is_right))

    def build(self) -> Choices:
        """What was collected."""
        return Choices(
            np.array(self._rows, dtype=np.intp),
            np.array(self._columns, dtype=np.intp),
            np.array(self._values, dtype=np.float64),
            np.array(self._starts, dtype=np.intp),
            np.array(self._right, dtype=np.float64),
            self._width,
        )
