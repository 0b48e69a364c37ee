"""Re-fits weights, threshold, hints and reject words together on train, as one sparse choice model.

The search's small steps find such a joint optimum only with many more evaluations; this one needs none, since the
features of train samples are known. The few words that matter most are kept, so that the diff stays readable.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specloop.improve.scans.operators.operator import Labelled, Proposal, Reason, Situation, clamp
from specloop.improve.scans.operators.softmax import Choices, ChoicesBuilder, Floats, fit
from specloop.run.runtime import Component

_PENALTIES = (1.0, 1.5, 2.0)
_WORDS = (24, 36, 48)
# Once the words are chosen, their values need less of a penalty (relaxed lasso, Meinshausen 2007).
_LIGHT = (0.25, 0.1)
_MIN_HINT, _MIN_REJECT = 2, 3
_BAG = 0.9


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where weights, the threshold and words stand in the model. Hints are (tool, word)."""

    weights: Mapping[str, int]
    threshold: int
    hints: Mapping[tuple[str, str], int]
    reject: Mapping[str, int]

    @staticmethod
    def of(weights: Sequence[str], hints: Sequence[tuple[str, str]], reject: Sequence[str]) -> "_Columns":
        first = len(weights) + 1
        return _Columns(
            {name: i for i, name in enumerate(weights)},
            len(weights),
            {key: first + i for i, key in enumerate(hints)},
            {word: first + len(hints) + i for i, word in enumerate(reject)},
        )

    @property
    def width(self) -> int:
        return self.threshold + 1 + len(self.hints) + len(self.reject)

    def entries(self, sample: Labelled, tool: str) -> Iterator[tuple[int, float]]:
        """One answer's row. Words come in order: sums must not depend on how sets are laid out in memory."""
        features = sample.features[tool]
        yield from ((i, features.get(name, 0.0)) for name, i in self.weights.items() if features.get(name))
        yield self.threshold, -1.0
        for word in sorted(sample.terms):
            if (hint := self.hints.get((tool, word))) is not None:
                yield hint, 1.0
            if (reject := self.reject.get(word)) is not None:
                yield reject, -1.0


class JointRefit:
    """Fits P(tool or none | overlap, words) over train and turns the coefficients into a config."""

    name = "joint_refit"
    kinds = frozenset({"missed_call", "false_call", "wrong_tool"})
    roles = frozenset({"weights", "abstain_threshold", "hints", "reject"})

    def propose(self, situation: Situation) -> Proposal | None:
        """New values of all four parts; None without enough labelled train samples of both kinds.

        The batch is left out of the fit: the candidate is then tested on samples it has not seen.
        """
        rng = situation.rng
        in_batch = {record.sample_id for record in situation.records}
        samples = [s for s in situation.train if s.features and s.sample_id not in in_batch]
        samples = [s for s in samples if rng.random() < _BAG]
        penalty, words = rng.choice(_PENALTIES), rng.choice(_WORDS)
        words = min(words, situation.max_edits - len(situation.values[situation.roles["weights"].name] or ()) - 1)
        known = all(situation.base[situation.roles[role].name] is not None for role in ("weights", "abstain_threshold"))
        if not known or len({s.expected == "" for s in samples}) < 2:
            return None
        return _Refit(situation, samples).proposal(penalty, words)


class _Refit:
    """One fit. Words of the base config are where they are unless the data move them."""

    def __init__(self, situation: Situation, samples: Sequence[Labelled]) -> None:
        self._situation = situation
        self._samples = samples
        values = {role: situation.base[component.name] for role, component in situation.roles.items()}
        self._weights: dict[str, float] = dict(values["weights"])
        self._threshold = float(values["abstain_threshold"])
        self._hints: dict[str, float] = dict(values["hints"] or {})
        self._reject: dict[str, float] = dict(values["reject"] or {})

    def proposal(self, penalty: float, count: int) -> Proposal | None:
        """Fit with all words, keep the `count` that move most, fit those again."""
        scale = self._scale()
        wide = self._columns(*self._candidates())
        start, choices = self._start(wide, scale), self._choices(wide)
        found = self._fit(choices, wide, start, penalty, 0.0)
        moved = np.abs(found - start) * np.sqrt(choices.support())
        moved[: wide.threshold + 1] = 0.0
        kept = {int(i) for i in np.argsort(-moved, kind="stable")[:count] if moved[i] > 0}
        hints = [key for key, i in wide.hints.items() if i in kept]
        narrow = self._columns(hints, [word for word, i in wide.reject.items() if i in kept])
        start = self._start(narrow, scale)
        final = self._fit(self._choices(narrow), narrow, start, *_LIGHT)
        return self._as_proposal(narrow, start, final)

    def _candidates(self) -> tuple[list[tuple[str, str]], list[str]]:
        hints = Counter((s.expected, word) for s in self._samples if s.expected for word in s.terms)
        reject = Counter(word for s in self._samples for word in s.terms)
        return (
            sorted(key for key, n in hints.items() if n >= _MIN_HINT),
            sorted(word for word, n in reject.items() if n >= _MIN_REJECT),
        )

    def _columns(self, hints: Sequence[tuple[str, str]], reject: Sequence[str]) -> _Columns:
        return _Columns.of(sorted(self._weights), hints, reject)

    def _choices(self, columns: _Columns) -> Choices:
        builder = ChoicesBuilder(columns.width)
        for sample in self._samples:
            builder.case([(tool == sample.expected, list(columns.entries(sample, tool))) for tool in sample.features])
        return builder.build()

    def _scale(self) -> float:
        """Logits per unit of the runtime's score, found with the weights and the threshold alone."""
        columns = self._columns((), ())
        start = np.full(columns.width, 3.0)
        return self._scale_of(columns, self._fit(self._choices(columns), columns, start, 0.0, 0.0))

    def _scale_of(self, columns: _Columns, found: Floats) -> float:
        """The weights keep their sum, so that thresholds and words stay comparable with the base config."""
        return max(float(found[: columns.threshold].sum()) / (sum(self._weights.values()) or 1.0), 1e-6)

    def _start(self, columns: _Columns, scale: float) -> Floats:
        start = np.zeros(columns.width)
        for name, i in columns.weights.items():
            start[i] = scale * self._weights[name]
        start[columns.threshold] = scale * self._threshold
        for (tool, word), i in columns.hints.items():
            start[i] = scale * self._hints.get(f"{tool}:{word}", 0.0)
        for word, i in columns.reject.items():
            start[i] = scale * self._reject.get(word, 0.0)
        return start

    def _fit(self, choices: Choices, columns: _Columns, start: Floats, penalty: float, ridge: float) -> Floats:
        numbers = columns.threshold + 1
        penalties, ridges = np.full(columns.width, penalty), np.full(columns.width, ridge)
        penalties[:numbers] = ridges[:numbers] = 0.0
        lowest = np.full(columns.width, -np.inf)
        lowest[: numbers + len(columns.hints)] = 0.0
        return fit(choices, start, penalties, lowest, ridges)

    def _as_proposal(self, columns: _Columns, start: Floats, found: Floats) -> Proposal:
        roles = self._situation.roles
        scale = self._scale_of(columns, found)
        hints, reject = dict(self._hints), dict(self._reject)
        reasons: dict[str, Reason] = {}
        for (tool, word), i in columns.hints.items():
            if found[i] != start[i]:
                hints[f"{tool}:{word}"] = _round(roles["hints"], found[i] / scale)
                reasons[f"{roles['hints'].name}/{tool}:{word}"] = self._hint_reason(tool, word)
        for word, i in columns.reject.items():
            if found[i] != start[i]:
                reject[word] = _round(roles["reject"], found[i] / scale)
                reasons[f"{roles['reject'].name}/{word}"] = self._reject_reason(word)
        weights = {name: _round(roles["weights"], found[i] / scale) for name, i in columns.weights.items()}
        changes: dict[str, Any] = {
            roles["weights"].name: weights,
            roles["abstain_threshold"].name: _round(roles["abstain_threshold"], found[columns.threshold] / scale),
            roles["hints"].name: {key: value for key, value in hints.items() if value},
            roles["reject"].name: {key: value for key, value in reject.items() if value},
        }
        failing = tuple(r.sample_id for r in self._situation.failures(*JointRefit.kinds))
        return Proposal(changes, f"joint fit over {len(self._samples)} train samples", failing, reasons)

    def _hint_reason(self, tool: str, word: str) -> Reason:
        holding = [s for s in self._samples if word in s.terms and tool in s.features]
        right = [s for s in holding if s.expected == tool]
        text = f"“{word}” is in {len(holding)} train requests that offer {tool}; it is right in {len(right)} of them"
        return Reason(text, tuple(s.sample_id for s in right if s.is_failing))

    def _reject_reason(self, word: str) -> Reason:
        holding = [s for s in self._samples if word in s.terms]
        none = [s for s in holding if not s.expected]
        text = f"“{word}” is in {len(holding)} train requests; no tool fits {len(none)} of them"
        return Reason(text, tuple(s.sample_id for s in holding if s.is_failing))


def _round(component: Component, value: float) -> float:
    """Two places: more would be noise, and a weight that hardly moved is then no edit at all."""
    return round(clamp(component, float(value)), 2)


OPERATORS = (JointRefit(),)
