"""Make change sets: from a scan, by hand; change and rebase them while they are proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.errors import BusinessRule, InvalidTransition, NotFound, ValidationFailed
from specloop.identity import audit, workspaces
from specloop.improve.changesets import policy, promotion, repository
from specloop.improve.changesets.errors import AutonomyForbids, NoEdits, RebaseConflict
from specloop.improve.changesets.model import (
    ChangeSet,
    Comment,
    Edit,
    EditOp,
    Event,
    Proposal,
    Risk,
    Status,
    allowed_moves,
    value_at,
)
from specloop.improve.changesets.tables import ChangeSetRow
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.samples.service import SampleService
from specloop.run import agents

LARGE_DIFF = 40


@dataclass(frozen=True, slots=True)
class WantedEdit:
    """An edit as a person writes it: what a place shall hold."""

    agent_id: str
    pointer: str
    op: EditOp
    after: Any = None
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class Manual:
    """A change set as a person writes it."""

    title: str
    edits: tuple[WantedEdit, ...]
    summary: str = ""
    labels: dict[str, Any] = field(default_factory=dict[str, Any])
    sample_set_id: str | None = None
    sample_set_version: int | None = None
    objective_id: str | None = None


class Proposals:
    """Change sets on their way in, and everything that may happen to one before it is decided."""

    def __init__(self, objectives: ObjectiveService, samples: SampleService) -> None:
        self._objectives = objectives
        self._samples = samples

    async def propose(self, ctx: Context, proposal: Proposal) -> ChangeSet:
        """Put a proposal up for decision.

        Raises: AutonomyForbids in `observe_only`; NoEdits.
        """
        if not proposal.edits:
            raise NoEdits
        mode = (await workspaces.current_active(ctx)).autonomy.mode
        if not policy.may_propose(mode):
            raise AutonomyForbids(f"nothing is proposed while the workspace is in mode '{mode}'")
        changeset_id = await repository.insert_changeset(ctx, proposal)
        data = {"edits": len(proposal.edits), "scan_id": proposal.scan_id}
        await repository.add_event(ctx, changeset_id, "changeset.proposed", data)
        await audit.record(ctx, "changeset.proposed", "changeset", changeset_id, data)
        return await repository.find(ctx, changeset_id)

    async def create(self, ctx: Context, manual: Manual) -> ChangeSet:
        """A change set made by hand, on the versions that are promoted now.

        Raises: ValidationFailed for a place or agent that does not exist; NoEdits; AutonomyForbids.
        """
        edits, bases, hashes = await self._on_current(ctx, manual.edits)
        set_version = objective_version = None
        if manual.sample_set_id is not None:
            set_version = (await self._samples.usable(ctx, manual.sample_set_id, manual.sample_set_version)).id
        if manual.objective_id is not None:
            objective_version = (await self._objectives.usable(ctx, manual.objective_id)).id
        return await self.propose(
            ctx,
            Proposal(
                title=manual.title,
                summary=manual.summary,
                edits=edits,
                base_versions=bases,
                candidate_hashes=hashes,
                sample_set_version_id=set_version,
                objective_version_id=objective_version,
                explanation={"headline": manual.title},
                labels=manual.labels,
                risk=risk_of(edits)[0],
                risk_reasons=risk_of(edits)[1],
            ),
        )

    async def _on_current(
        self, ctx: Context, wanted: Sequence[WantedEdit]
    ) -> tuple[tuple[Edit, ...], dict[str, int], dict[str, str]]:
        """The wanted edits against what the agents serve now, with base versions and candidate hashes by agent."""
        edits: list[Edit] = []
        bases: dict[str, int] = {}
        hashes: dict[str, str] = {}
        for agent_id in dict.fromkeys(edit.agent_id for edit in wanted):
            base = await _base(ctx, agent_id)
            config = base.config
            for index, one in enumerate(wanted):
                if one.agent_id == agent_id:
                    edit = _filled(one, index, config)
                    config = promotion.edited(config, [edit])
                    edits.append(edit)
            bases[agent_id], hashes[agent_id] = base.version, promotion.hash_of(config)
            if hashes[agent_id] == base.config_hash:
                raise NoEdits(f"the edits leave agent {agent_id} as it is")
        return tuple(edits), bases, hashes

    async def read(self, ctx: Context, changeset_id: str) -> ChangeSet:
        """A change set with its edits.

        Raises: ChangeSetNotFound.
        """
        return await repository.find(ctx, changeset_id)

    async def list(self, ctx: Context, wanted: repository.Wanted, page: PageRequest) -> Page[ChangeSet]:
        """Change sets without their edits."""
        return await repository.page_of(ctx, wanted, page)

    async def update(
        self,
        ctx: Context,
        changeset_id: str,
        title: str | None,
        labels: dict[str, Any] | None,
        wanted: tuple[WantedEdit, ...] | None,
    ) -> ChangeSet:
        """Retitle, relabel, or write new edits; new edits drop the verdict, for it was bound to the old ones.

        Raises: ChangeSetNotFound; InvalidTransition when edits change after `proposed`.
        """
        row = await repository.row_of(ctx, changeset_id)
        row.title = title if title is not None else row.title
        row.labels = labels if labels is not None else row.labels
        if wanted is not None:
            _check_proposed(ctx, row, "edited")
            edits, bases, hashes = await self._on_current(ctx, wanted)
            await self._rewrite(ctx, row, edits, bases, hashes)
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await repository.add_event(ctx, changeset_id, "changeset.updated", {"edits_changed": wanted is not None})
        await audit.record(ctx, "changeset.updated", "changeset", changeset_id, {"edits_changed": wanted is not None})
        return await repository.find(ctx, changeset_id)

    async def rebase(self, ctx: Context, changeset_id: str) -> ChangeSet:
        """The same edits on the versions that are promoted now; the verdict is dropped.

        Raises: ChangeSetNotFound; InvalidTransition; RebaseConflict naming the places that hold other values now.
        """
        row = await repository.row_of(ctx, changeset_id)
        _check_proposed(ctx, row, "rebased")
        edits = await repository.edits_of(ctx, changeset_id)
        conflicts: list[str] = []
        bases: dict[str, int] = {}
        hashes: dict[str, str] = {}
        for agent_id in row.agent_ids:
            own = [edit for edit in edits if edit.agent_id == agent_id]
            base = await promotion.promoted(ctx, agent_id)
            conflicts += [edit.pointer for edit in own if value_at(base.config, edit.pointer) != edit.before]
            if not conflicts:
                bases[agent_id] = base.version
                hashes[agent_id] = promotion.hash_of(promotion.edited(base.config, own))
        if conflicts:
            raise RebaseConflict(f"changed meanwhile: {', '.join(conflicts)}", conflicts=conflicts)
        await self._rewrite(ctx, row, edits, bases, hashes)
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await repository.add_event(ctx, changeset_id, "changeset.rebased", {"base_versions": bases})
        await audit.record(ctx, "changeset.rebased", "changeset", changeset_id, {"base_versions": bases})
        return await repository.find(ctx, changeset_id)

    async def _rewrite(
        self,
        ctx: Context,
        row: ChangeSetRow,
        edits: tuple[Edit, ...],
        bases: dict[str, int],
        hashes: dict[str, str],
    ) -> None:
        await repository.replace_edits(ctx, row.id, edits)
        row.base_versions, row.candidate_hashes = bases, hashes
        row.verdict, row.verdict_binding, row.gates = None, {}, []
        row.metrics = {name: value for name, value in row.metrics.items() if name != "holdout"}

    async def comment(self, ctx: Context, changeset_id: str, text: str) -> Comment:
        """Leave a remark.

        Raises: ChangeSetNotFound.
        """
        await repository.find(ctx, changeset_id)
        return await repository.add_comment(ctx, changeset_id, text)

    async def comments(self, ctx: Context, changeset_id: str, page: PageRequest) -> Page[Comment]:
        """Remarks, oldest first.

        Raises: ChangeSetNotFound.
        """
        await repository.find(ctx, changeset_id)
        return await repository.page_of_comments(ctx, changeset_id, page)

    async def events(self, ctx: Context, changeset_id: str, page: PageRequest) -> Page[Event]:
        """What happened, oldest first.

        Raises: ChangeSetNotFound.
        """
        await repository.find(ctx, changeset_id)
        return await repository.page_of_events(ctx, changeset_id, page)


def _check_proposed(ctx: Context, row: ChangeSetRow, wanted: str) -> None:
    status = repository.status_of(row, ctx.clock.now())
    if status is not Status.PROPOSED:
        raise InvalidTransition.of("the change set", status, wanted, allowed_moves(status))


async def _base(ctx: Context, agent_id: str) -> promotion.Base:
    try:
        return await promotion.promoted(ctx, agent_id)
    except NotFound:
        raise ValidationFailed.of(["body", "edits"], f"there is no agent {agent_id}") from None


def _filled(wanted: WantedEdit, index: int, config: dict[str, Any]) -> Edit:
    before = value_at(config, wanted.pointer)
    op: EditOp = "add" if wanted.op == "replace" and before is None else wanted.op
    if op == "remove" and before is None:
        raise ValidationFailed.of(["body", "edits", index, "pointer"], "there is nothing to remove at this place")
    after = None if op == "remove" else wanted.after
    edit = Edit(wanted.agent_id, wanted.pointer, op, before, after, _diff(before, after), "manual", wanted.rationale)
    try:
        promotion.edited(config, [edit])
    except BusinessRule as error:
        raise ValidationFailed.of(["body", "edits", index, "pointer"], error.detail) from None
    return replace(edit, before=None) if op == "add" else edit


def _diff(before: Any, after: Any) -> str:
    if isinstance(before, str) and isinstance(after, str):
        return agents.unified(before, after, "before", "after")
    return ""


def risk_of(edits: Sequence[Edit]) -> tuple[Risk, tuple[str, ...]]:
    """How much could go wrong by what is edited: texts and tools more than numbers, many edits more than few."""
    reasons: list[str] = []
    if any(edit.pointer.startswith("/tools") for edit in edits):
        reasons.append("tools change")
    if any(edit.pointer.startswith(("/prompt", "/few_shot")) for edit in edits):
        reasons.append("prompt texts change")
    if any(edit.pointer.startswith("/model") for edit in edits):
        reasons.append("the model changes")
    if len(edits) > LARGE_DIFF:
        reasons.append(f"{len(edits)} edits at once")
    level: Risk = "low" if not reasons else "medium" if len(reasons) == 1 else "high"
    return level, tuple(reasons)
