"""The seam between the search and whatever proposes a change (spectral.md §2.4).

An operator sees one parent's values and the records of one mini-batch of train samples. It never sees val or holdout.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from specloop.improve.scans.operators.vocabulary import Vocabulary
from specloop.run.runtime import Component


@dataclass(frozen=True, slots=True)
class Record:
    """One evaluated train sample as operators see it. `kind` is empty when the sample passed.

    `top` and `top_score` are what the runtime would have answered without abstaining, if it says so.
    """

    sample_id: str
    kind: str
    terms: frozenset[str]
    chosen: str
    expected: str
    top: str
    top_score: float
    lead: float
    score: float
    cluster_key: str = ""
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A train sample with its known answer ("" is the answer `call nothing`), whatever a config makes of it.

    `features` is the runtime's account of what speaks for each possible answer; `is_failing` is the baseline's result.
    """

    sample_id: str
    terms: frozenset[str]
    features: Mapping[str, Mapping[str, float]]
    expected: str
    is_failing: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one value changed, and which train samples asked for it."""

    text: str
    sample_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """New values for some components, why, and which train samples asked for it.

    `reasons` speaks for single map entries that changed, keyed `component/entry`; the rest shares the rationale.
    """

    changes: Mapping[str, Any]
    rationale: str
    sample_ids: tuple[str, ...] = ()
    reasons: Mapping[str, Reason] = field(default_factory=dict[str, Reason])


@dataclass(frozen=True, slots=True)
class Situation:
    """What an operator may use.

    `probe` gives the mean score of changed values on other train samples than the batch and costs evaluations. `train`
    is every labelled train sample and `base` the values of the base config: both are free. The diff against the base
    has `edits` entries so far and may have `max_edits`.
    """

    values: Mapping[str, Any]
    base: Mapping[str, Any]
    components: Mapping[str, Component]
    records: tuple[Record, ...]
    vocabulary: Vocabulary
    rng: random.Random
    probe: Callable[[Mapping[str, Any]], float]
    train: Sequence[Labelled] = ()
    edits: int = 0
    max_edits: int = 60
    kind: str = ""
    roles: Mapping[str, Component] = field(default_factory=dict[str, Component])

    def failures(self, *kinds: str) -> list[Record]:
        """The failing records of some kinds (all failing ones without arguments), in batch order."""
        return [r for r in self.records if r.kind and (not kinds or r.kind in kinds)]


class Operator(Protocol):
    """Proposes a change for one kind of failure. Deterministic given the situation and its random numbers."""

    @property
    def name(self) -> str:
        """Stable name, shown with every edit."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """Failure kinds it can treat; empty means any."""
        ...

    @property
    def roles(self) -> frozenset[str]:
        """Component roles it needs; all must exist."""
        ...

    def propose(self, situation: Situation) -> Proposal | None:
        """A proposal, or None if this situation gives no ground for one."""
        ...


def clamp(component: Component, value: float) -> float:
    """A number within the component's bounds, rounded to 4 places so that equal values hash equally."""
    return round(min(max(value, component.minimum), component.maximum), 4)
