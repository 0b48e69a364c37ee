"""The plain values that the optimisation loop takes and gives back (spectral.md §1.1).

All are frozen and made of JSON-able parts, so that the persistence layer can map them to rows. Nothing here runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from specloop.improve.evaluation.model import Example, Scorer
from specloop.run.runtime import AgentRuntime, Component, JsonObject

ShouldStop: TypeAlias = Callable[[], bool]
ScanOutcome = Literal["changesets_proposed", "no_improvement", "no_failures", "budget_exhausted", "cancelled"]
EditOp = Literal["replace", "add", "remove"]
Severity = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True)
class ScanEvent:
    """A fact about a running search. `seq` is gap-free from 1; `type` is one of router 7's event types."""

    seq: int
    type: str
    phase: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Budget:
    """Hard limits of one scan (spectral.md §1.4 invariant 11). None means unlimited."""

    max_evaluations: int | None = 20_000
    max_wall_seconds: float | None = None
    max_candidates: int | None = None
    max_micro_usd: int | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """How to search: P parents × N mini-batches per round, merging, and when to give up.

    `diagnosis_share` is the part of the evaluation budget kept for the ablation of the winner. `max_edits` keeps
    change sets short enough to be read.
    """

    minibatch: int = 60
    parents: int = 1
    batches_per_parent: int = 1
    merge: bool = True
    max_merges: int = 5
    patience: int = 25
    diagnosis_share: float = 0.15
    target: float = 1.0
    max_edits: int = 60


@dataclass(frozen=True, slots=True)
class Edit:
    """One change against the base config. `pointer` is a JSON pointer; `diff` is unified and set for texts.

    `evidence` holds `cluster_id` and the ids of train samples that asked for it.
    """

    pointer: str
    op: EditOp
    before: Any
    after: Any
    diff: str = ""
    operator: str = ""
    rationale: str = ""
    evidence: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed config. `index` 0 is the baseline; rejected ones have no `val_score`."""

    index: int
    parent_ids: tuple[str, ...]
    operator: str
    edits: tuple[Edit, ...]
    config_hash: str
    components: Mapping[str, Any]
    mb_score: float | None = None
    val_score: float | None = None
    val_by_sample: Mapping[str, float] = field(default_factory=dict[str, float])
    objective_scores: Mapping[str, float] = field(default_factory=dict[str, float])
    on_frontier: bool = False
    accepted: bool = False
    reject_reason: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failing evaluation with its signature: what kind of failure, where, and which words were in play.

    `text` is what was asked, `feedback` what the judge said: they are kept apart, since a judge's phrases would
    otherwise become the pattern.
    """

    sample_id: str
    kind: str
    signature: str
    dimension: str
    text: str
    feedback: str = ""
    chosen: str = ""
    expected: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class FailureCluster:
    """A group of like failures (spectral.md §2.2.1). `key` is stable across scans; `parent_key` is its kind's."""

    key: str
    kind: str
    name: str
    description: str
    size: int
    share: float
    severity: Severity
    top_terms: tuple[str, ...]
    exemplars: tuple[str, ...]
    members: tuple[str, ...]
    distances: tuple[float, ...]
    centroid: tuple[float, ...]
    suggested_operators: tuple[str, ...]
    parent_key: str | None = None


@dataclass(frozen=True, slots=True)
class Regression:
    """A val sample that the winner scores lower than the baseline."""

    sample_id: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Ablation:
    """What an edit is worth: the change of the val score when it alone is taken back."""

    pointer: str
    delta_without: float
    kept: bool


@dataclass(frozen=True, slots=True)
class ClusterShare:
    """A cluster's share of the train failures before and after the change."""

    cluster_key: str
    share_before: float
    share_after: float
    fixed: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why the winner is better: shortest edits, their ablation, the clusters they address, and what got worse."""

    edits: tuple[Edit, ...]
    ablations: tuple[Ablation, ...]
    attribution: tuple[ClusterShare, ...]
    regressions: tuple[Regression, ...]
    val_before: float
    val_after: float
    kept_share: float


@dataclass(frozen=True, slots=True)
class SafetyFinding:
    """A static objection to an edit; `blocking` ones stop the change set."""

    check: str
    pointer: str
    detail: str
    blocking: bool = True


class Embedder(Protocol):
    """Maps texts to unit vectors of shape (texts, dimensions)."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Embed a whole collection at once; equal collections give equal vectors."""
        ...


@dataclass(frozen=True, slots=True)
class SearchProblem:
    """Everything a scan needs, frozen. It has no field for holdout samples (spectral.md §1.4 invariant 5)."""

    runtime: AgentRuntime
    base_config: JsonObject
    components: tuple[Component, ...]
    train: tuple[Example, ...]
    val: tuple[Example, ...]
    scorer: Scorer
    strategy: Strategy = field(default_factory=Strategy)
    embedder: Embedder | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The end of a scan: its best config with the proof gathered on train and val, or the reason there is none.

    `stopped_by` is budget, cancelled, perfect or patience. `best` is the winner after its diff was shortened.
    """

    outcome: ScanOutcome
    stopped_by: str
    baseline: Candidate | None
    best: Candidate | None
    best_config: JsonObject | None
    candidates: tuple[Candidate, ...]
    clusters: tuple[FailureCluster, ...]
    diagnosis: Diagnosis | None
    safety: tuple[SafetyFinding, ...]
    evaluations: int
    cache_hits: int
    micro_usd: int
    seed: int
    checkpoint: Mapping[str, Any]
