"""What it means to evaluate: a sample as evaluators see it, one evaluation of it, and the seam to whatever scores.

Search and validation share these; neither candidates nor scans are known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from specloop.improve.objectives.composite import Objective
from specloop.improve.rubrics.judges import Outcome
from specloop.run.runtime import JsonObject, Output


@dataclass(frozen=True, slots=True)
class Example:
    """A train or val sample as the search sees it. Holdout samples never become Examples of a search."""

    id: str
    input: JsonObject
    reference: Any = None
    metadata: JsonObject = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One candidate on one sample. `score` is None unless `outcome` is `scored` (spectral.md §1.4 invariant 7).

    `dimension_scores` is keyed `rubric/dimension`; `broken` lists dimensions under their `hard_min`.
    """

    sample_id: str
    outcome: Outcome
    score: float | None
    dimension_scores: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    broken: tuple[str, ...] = ()
    authorities: Mapping[str, float] = field(default_factory=dict[str, float])
    rationale: str = ""
    output: Any = None
    detail: JsonObject = field(default_factory=dict[str, Any])
    error: str | None = None
    latency_ms: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    micro_usd: int = 0


class Scorer(Protocol):
    """Turns an output into an Evaluation. `identity` changes whenever a score could (spectral.md §1.4 invariant 9)."""

    @property
    def identity(self) -> str:
        """Names the judges, their versions and the objective; part of every evaluation's cache key."""
        ...

    @property
    def objective(self) -> Objective:
        """The objective whose composite is the score."""
        ...

    @property
    def is_pure(self) -> bool:
        """Whether a score depends on sample and output alone, so that an equal output need not be scored again."""
        ...

    def score(self, config_hash: str, example: Example, output: Output) -> Evaluation:
        """Judge one output."""
        ...
