"""Scans, candidates, evaluations and clusters on the wire (spectral.md §1.1, §1.3 routers 7 and 9)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from specloop.improve.scans.model import (
    BudgetWish,
    Cluster,
    ClusterMember,
    ClusterStatus,
    Engine,
    Scan,
    ScanEvent,
    ScanWish,
    SearchWish,
    StoredCandidate,
    Traces,
)
from specloop.improve.scans.service.curating import Curation
from specloop.improve.scans.service.reading import budget_of, usd
from specloop.transport.schema import Input, JSONObject, LongText, Moment, Name, Output

ID = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")]
Severity = Literal["low", "medium", "high", "critical"]


class SamplingBody(Input):
    """P parents × N mini-batches per round."""

    p: int = Field(default=1, ge=1, le=16)
    n: int = Field(default=1, ge=1, le=16)


class StrategyBody(Input):
    """How to search. `traces`: whose runs leave spans, those of baseline and winner (`key`), all accepted, or none."""

    engine: Engine = "reflective"
    sampling: SamplingBody = Field(default_factory=SamplingBody)
    merge: bool = True
    minibatch: int = Field(default=60, ge=1, le=1000)
    acceptance: Literal["strict"] = "strict"
    patience: int = Field(default=60, ge=1, le=10_000)
    traces: Traces = "key"


class BudgetBody(Input):
    """Hard limits; null is unlimited."""

    max_evaluations: int | None = Field(default=20_000, ge=1, le=10_000_000)
    max_micro_usd: int | None = Field(default=None, ge=0, le=2**53)
    max_wall_s: float | None = Field(default=None, gt=0, le=86_400)
    max_candidates: int | None = Field(default=None, ge=1, le=100_000)


class WindowBody(Input):
    """From which traces failures may come; kept with the scan."""

    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")


class ScanCreate(Input):
    """What to improve, by what measure, on which samples."""

    agent_id: ID
    objective_id: ID
    sample_set_id: ID
    sample_set_version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    name: Annotated[str, StringConstraints(max_length=100)] = ""
    strategy: StrategyBody = Field(default_factory=StrategyBody)
    budget: BudgetBody = Field(default_factory=BudgetBody)
    components: list[Name] | None = Field(default=None, min_length=1, max_length=200)
    window: WindowBody | None = None
    seed: int = Field(default=0, ge=0, le=2**53)
    dry_run: bool = False
    labels: JSONObject = Field(default_factory=dict[str, Any])

    def to_model(self) -> ScanWish:
        """The wish inside."""
        strategy = self.strategy
        return ScanWish(
            agent_id=self.agent_id.lower(),
            objective_id=self.objective_id.lower(),
            sample_set_id=self.sample_set_id.lower(),
            sample_set_version=self.sample_set_version,
            name=self.name,
            strategy=SearchWish(
                engine=strategy.engine,
                parents=strategy.sampling.p,
                batches=strategy.sampling.n,
                merge=strategy.merge,
                minibatch=strategy.minibatch,
                patience=strategy.patience,
                traces=strategy.traces,
            ),
            budget=BudgetWish(**self.budget.model_dump()),
            components=tuple(self.components) if self.components is not None else None,
            window=self.window.model_dump(mode="json", by_alias=True) if self.window is not None else {},
            seed=self.seed,
            dry_run=self.dry_run,
            labels=self.labels,
        )


class ScanUpdate(Input):
    """The only things of a scan that may change."""

    name: Annotated[str, StringConstraints(max_length=100)] | None = None
    labels: JSONObject | None = None


class Progress(Output):
    """Evaluations done, of the budget; `total` 0 is unlimited."""

    done: int
    total: int


class ScanOut(Output):
    """A scan."""

    id: str
    name: str
    agent_id: str
    agent_version: int
    sample_set_id: str
    objective_id: str
    status: str
    phase: str | None
    outcome: str | None
    pause_requested: bool
    attempt: int
    seed: int
    dry_run: bool
    retry_of: str | None
    created_at: Moment
    updated_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    created_by: str
    progress: Progress
    labels: dict[str, Any]
    strategy: dict[str, Any]
    budget: dict[str, Any]
    readiness: dict[str, Any]
    results: dict[str, Any] | None
    engine_versions: dict[str, Any]
    timings: dict[str, Any]
    draft_insight: dict[str, Any] | None
    error: dict[str, Any] | None

    @classmethod
    def of(cls, scan: Scan) -> ScanOut:
        """The wire form."""
        wish = scan.wish
        strategy = wish.strategy
        return cls(
            id=scan.id,
            name=scan.name,
            agent_id=scan.agent_id,
            agent_version=scan.agent_version,
            sample_set_id=scan.sample_set_id,
            objective_id=scan.objective_id,
            status=scan.status,
            phase=scan.phase,
            outcome=scan.outcome,
            pause_requested=scan.is_pause_requested,
            attempt=scan.attempt,
            seed=scan.seed,
            dry_run=wish.dry_run,
            retry_of=scan.retry_of,
            created_at=scan.created_at,
            updated_at=scan.updated_at,
            started_at=scan.started_at,
            finished_at=scan.finished_at,
            created_by=scan.created_by,
            progress=Progress(done=scan.progress_done, total=scan.progress_total),
            labels=scan.labels,
            strategy={
                "engine": strategy.engine,
                "sampling": {"p": strategy.parents, "n": strategy.batches},
                "merge": strategy.merge,
                "minibatch": strategy.minibatch,
                "acceptance": "strict",
                "patience": strategy.patience,
                "traces": strategy.traces,
            },
            budget=budget_of(scan),
            readiness=scan.readiness,
            results=scan.results or None,
            engine_versions=scan.engine_versions,
            timings=scan.timings,
            draft_insight=scan.draft_insight or None,
            error=scan.error or None,
        )


class EventOut(Output):
    """One event."""

    seq: int
    ts: Moment
    type: str
    phase: str | None
    level: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: ScanEvent) -> EventOut:
        """The wire form."""
        return cls.model_validate(event)


class CandidateOut(Output):
    """A config that the search tried."""

    id: str
    scan_id: str
    ordinal: int
    operator: str
    config_hash: str
    mb_score: float | None
    val_score: float | None
    on_frontier: bool
    accepted: bool
    reject_reason: str | None
    created_at: Moment
    parent_ids: list[str]
    edits: list[dict[str, Any]]
    objective_scores: dict[str, Any]

    @classmethod
    def of(cls, candidate: StoredCandidate) -> CandidateOut:
        """The wire form."""
        return cls.model_validate(candidate)


class CandidateDetail(CandidateOut):
    """A candidate with its component values and its val score by sample."""

    components: dict[str, Any]
    val_by_sample: dict[str, float]


class EvaluationOut(Output):
    """One candidate on one sample; `score` is null unless `outcome` is `scored`."""

    candidate_id: str
    sample_id: str
    split: str
    repeat: int
    outcome: str
    score: float | None
    rationale: str | None
    latency_ms: float | None
    tokens_in: int
    tokens_out: int
    micro_usd: int
    trace_id: str | None
    output: Any
    dimension_scores: dict[str, float | None]


class UsageOut(Output):
    """What one model was used for; `micro_usd` null means that no price is known."""

    provider: str | None = None
    model: str | None = None
    purpose: str | None = None
    phase: str | None = None
    calls: int
    tokens_in: int
    tokens_out: int
    cached_in: int
    micro_usd: int | None
    usd: str | None = None
    price_source: str


class CostOut(Output):
    """What a scan cost; the parts add up to the total."""

    total_micro_usd: int
    total_usd: str
    evaluations: int
    cache_hits: int
    local_cpu_ms: float
    by_model: list[UsageOut]
    by_phase: list[UsageOut]

    @classmethod
    def of(cls, cost: dict[str, Any]) -> CostOut:
        """The wire form."""
        for part in (*cost["by_model"], *cost["by_phase"]):
            part["usd"] = None if part["micro_usd"] is None else usd(part["micro_usd"])
        return cls.model_validate(cost)


class PreflightOut(Output):
    """Whether a scan could start now."""

    is_ready: bool
    mode: str
    counts: dict[str, int]
    power: dict[str, Any]
    blockers: list[str]
    warnings: list[str]


class ClusterOut(Output):
    """A group of failures that look alike."""

    id: str
    scan_id: str
    key: str
    parent_id: str | None
    kind: str
    name: str
    description: str
    size: int
    share: float
    severity: str
    status: str
    curated: bool
    created_at: Moment
    updated_at: Moment
    top_terms: list[str]
    exemplars: list[str]
    suggested_operators: list[str]

    @classmethod
    def of(cls, cluster: Cluster) -> ClusterOut:
        """The wire form."""
        names = ("top_terms", "exemplars", "suggested_operators")
        values: dict[str, Any] = {
            **{name: getattr(cluster, name) for name in cls.model_fields if hasattr(cluster, name)},
            **{name: cluster.body.get(name, []) for name in names},
            "curated": cluster.is_curated,
        }
        return cls.model_validate(values)


class MemberOut(Output):
    """One failing evaluation in a cluster."""

    id: str
    sample_id: str | None
    trace_id: str | None
    distance: float
    excerpt: str
    rationale: str

    @classmethod
    def of(cls, member: ClusterMember) -> MemberOut:
        """The wire form."""
        return cls.model_validate(member)


class ClusterUpdate(Input):
    """Curation of a cluster."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    description: LongText | None = None
    severity: Severity | None = None
    status: Literal["open", "confirmed", "dismissed", "resolved"] | None = None

    def to_model(self) -> Curation:
        """The curation inside."""
        status = ClusterStatus(self.status) if self.status is not None else None
        return Curation(self.name, self.description, self.severity, status)
