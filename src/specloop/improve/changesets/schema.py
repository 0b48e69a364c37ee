"""Change sets and their validation on the wire (spectral.md §1.1, §1.3 routers 8 and 11)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from specloop.improve.changesets.model import ChangeSet, Comment, Decision, EditOp, Event
from specloop.improve.changesets.service.explaining import edit_as_json, explain
from specloop.improve.changesets.service.proposing import Manual, WantedEdit
from specloop.improve.validation.model import ValidationRun
from specloop.transport.schema import Input, JSONObject, JSONValue, LongText, Moment, Output

ID = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Pointer = Annotated[str, StringConstraints(pattern=r"^(/[^\x00-\x1f]*)+$", max_length=500)]


class EditBody(Input):
    """What a place of an agent's config shall hold."""

    agent_id: ID
    pointer: Pointer
    op: EditOp = "replace"
    after: JSONValue = None
    rationale: LongText = ""


class ChangeSetCreate(Input):
    """A change set made by hand. To be validated it needs a sample set and an objective."""

    title: Title
    summary: LongText = ""
    labels: JSONObject = Field(default_factory=dict[str, Any])
    edits: list[EditBody] = Field(min_length=1, max_length=500)
    sample_set_id: ID | None = None
    sample_set_version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    objective_id: ID | None = None

    def to_model(self) -> Manual:
        """The change set inside."""
        return Manual(
            title=self.title,
            edits=wanted_edits(self.edits),
            summary=self.summary,
            labels=self.labels,
            sample_set_id=self.sample_set_id,
            sample_set_version=self.sample_set_version,
            objective_id=self.objective_id,
        )


def wanted_edits(edits: list[EditBody]) -> tuple[WantedEdit, ...]:
    """The edits inside."""
    return tuple(WantedEdit(e.agent_id.lower(), e.pointer, e.op, e.after, e.rationale) for e in edits)


class ChangeSetUpdate(Input):
    """New values; `edits` only while proposed, and they drop the verdict."""

    title: Title | None = None
    labels: JSONObject | None = None
    edits: list[EditBody] | None = Field(default=None, min_length=1, max_length=500)


class AcceptBody(Input):
    """`override` with a `reason` accepts without a passing verdict."""

    note: LongText = ""
    override: bool = False
    reason: LongText = ""


class ApplyBody(Input):
    """Which templates; all that are touched by default."""

    templates: list[ID] = Field(default_factory=list[str], max_length=100)


class RejectBody(Input):
    """Why not; `cluster_feedback` says what was wrong with the clusters behind it."""

    reason: LongText
    cluster_feedback: JSONObject = Field(default_factory=dict[str, Any])


class RollbackBody(Input):
    """Why; `cascade` also takes back later change sets on the same places."""

    reason: LongText
    cascade: bool = False


class CommentBody(Input):
    """A remark."""

    text: Annotated[LongText, StringConstraints(min_length=1)]


class ValidationBody(Input):
    """What to validate by; the objective of the change set by default."""

    objective_id: ID | None = None
    repeats: int = Field(default=1, ge=1, le=10)
    reason: LongText = ""


class ChangeSetSummary(Output):
    """A change set in a list."""

    id: str
    scan_id: str | None
    status: str
    title: str
    summary: str
    verdict: str | None
    risk: str
    created_at: Moment
    updated_at: Moment
    created_by: str
    decided_by: str | None
    decided_at: Moment | None
    applied_by: str | None
    applied_at: Moment | None
    rollback_of: str | None
    superseded_by: str | None
    expires_at: Moment
    agent_ids: list[str]
    labels: dict[str, Any]
    base_versions: dict[str, int]
    result_versions: dict[str, int]
    metrics: dict[str, Any]
    clusters_addressed: list[str]
    autonomy_decision: dict[str, Any]

    @classmethod
    def of(cls, changeset: ChangeSet) -> ChangeSetSummary:
        """The wire form."""
        return cls.model_validate(changeset)


class DecisionOut(Output):
    """Who decided what, and why."""

    verb: str
    actor: str
    reason: str
    created_at: Moment
    detail: dict[str, Any]

    @classmethod
    def of(cls, decision: Decision) -> DecisionOut:
        """The wire form."""
        return cls.model_validate(decision)


class ChangeSetOut(ChangeSetSummary):
    """A change set with its edits, gates and the explainability object."""

    candidate_hashes: dict[str, str]
    verdict_binding: dict[str, Any]
    gates: list[dict[str, Any]]
    decisions: list[DecisionOut]
    edits: list[dict[str, Any]]
    explainability: dict[str, Any]

    @classmethod
    def of(cls, changeset: ChangeSet) -> ChangeSetOut:
        """The wire form."""
        known = ChangeSetSummary.of(changeset).__dict__
        return cls(
            **known,
            candidate_hashes=changeset.candidate_hashes,
            verdict_binding=changeset.verdict_binding,
            gates=list(changeset.gates),
            decisions=[DecisionOut.of(decision) for decision in changeset.decisions],
            edits=[edit_as_json(edit) for edit in changeset.edits],
            explainability=explain(changeset),
        )


class DiffOut(Output):
    """The edits of a change set."""

    changeset_id: str
    edits: list[dict[str, Any]]


class EventOut(Output):
    """What happened to a change set."""

    seq: int
    type: str
    actor: str
    ts: Moment
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """The wire form."""
        return cls(seq=event.seq, type=event.type, actor=event.actor, ts=event.created_at, data=event.data)


class CommentOut(Output):
    """A remark."""

    id: str
    author: str
    text: str
    created_at: Moment

    @classmethod
    def of(cls, comment: Comment) -> CommentOut:
        """The wire form."""
        return cls.model_validate(comment)


class ValidationOut(Output):
    """A validation run: aggregates only, null until it has ended."""

    id: str
    changeset_id: str
    status: str
    verdict: str | None
    reason: str
    repeats: int
    created_at: Moment
    updated_at: Moment
    finished_at: Moment | None
    created_by: str
    n: int | None = None
    baseline: float | None = None
    candidate: float | None = None
    delta: float | None = None
    p_value: float | None = None
    ci95: list[float] | None = None
    mcnemar: dict[str, int] | None = None
    gates: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    by_dimension: dict[str, Any] | None = None
    by_slice: list[dict[str, Any]] | None = None
    guardrails: list[dict[str, Any]] | None = None
    holdout: dict[str, Any] | None = None
    binding: dict[str, Any]
    error: dict[str, Any] | None = None

    @classmethod
    def of(cls, run: ValidationRun) -> ValidationOut:
        """The wire form."""
        shown = {name: value for name, value in run.result.items() if name in cls.model_fields}
        return cls(
            id=run.id,
            changeset_id=run.changeset_id,
            status=run.status,
            verdict=run.verdict,
            reason=run.reason,
            repeats=run.repeats,
            created_at=run.created_at,
            updated_at=run.updated_at,
            finished_at=run.finished_at,
            created_by=run.created_by,
            binding=run.binding,
            error=run.error or None,
            **shown,
        )
