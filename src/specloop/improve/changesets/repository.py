"""All SQL of change sets. Every read starts from the caller's workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.improve.changesets.errors import ChangeSetNotFound
from specloop.improve.changesets.model import (
    EXPIRES_AFTER_DAYS,
    ChangeSet,
    Comment,
    Decision,
    Edit,
    EditOp,
    Event,
    Proposal,
    Risk,
    Status,
)
from specloop.improve.changesets.tables import (
    ChangeSetAgentRow,
    ChangeSetEventRow,
    ChangeSetRow,
    CommentRow,
    DecisionRow,
    EditRow,
)
from specloop.kit.ids import new_id

_SORTABLE = {
    "created_at": ChangeSetRow.created_at,
    "updated_at": ChangeSetRow.updated_at,
    "status": ChangeSetRow.status,
    "title": ChangeSetRow.title,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which change sets a list shows; None does not filter."""

    status: str | None = None
    agent_id: str | None = None
    scan_id: str | None = None
    verdict: str | None = None
    risk: str | None = None


async def insert_changeset(ctx: Context, proposal: Proposal) -> str:
    """A new row in `proposed` with its edits; returns its id."""
    now = ctx.clock.now()
    changeset_id = new_id()
    agent_ids = sorted({edit.agent_id for edit in proposal.edits})
    ctx.session.add(
        ChangeSetRow(
            id=changeset_id,
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            scan_id=proposal.scan_id,
            status=Status.PROPOSED.value,
            title=proposal.title,
            summary=proposal.summary,
            labels=proposal.labels,
            agent_ids=agent_ids,
            base_versions=proposal.base_versions,
            candidate_hashes=proposal.candidate_hashes,
            clusters_addressed=list(proposal.clusters_addressed),
            sample_set_version_id=proposal.sample_set_version_id,
            objective_version_id=proposal.objective_version_id,
            metrics=proposal.metrics,
            evidence=proposal.explanation,
            verdict_binding={},
            gates=[],
            risk=proposal.risk,
            risk_reasons=list(proposal.risk_reasons),
            autonomy_decision={},
            result_versions={},
            rollback_of=proposal.rollback_of,
            expires_at=now + timedelta(days=EXPIRES_AFTER_DAYS),
            created_at=now,
            updated_at=now,
            created_by=ctx.principal.actor_id,
        )
    )
    await ctx.session.flush()
    for agent_id in agent_ids:
        ctx.session.add(ChangeSetAgentRow(**_tenant(ctx), changeset_id=changeset_id, agent_id=agent_id))
    await insert_edits(ctx, changeset_id, proposal.edits)
    return changeset_id


async def insert_edits(ctx: Context, changeset_id: str, edits: Sequence[Edit]) -> None:
    """The edits in their order."""
    rows = [
        {
            **_tenant(ctx),
            "changeset_id": changeset_id,
            "ordinal": ordinal,
            "agent_id": edit.agent_id,
            "pointer": edit.pointer,
            "op": edit.op,
            "before": edit.before,
            "after": edit.after,
            "diff": edit.diff,
            "operator": edit.operator,
            "rationale": edit.rationale,
            "evidence": list(edit.evidence),
        }
        for ordinal, edit in enumerate(edits)
    ]
    await ctx.session.execute(insert(EditRow), rows)
    await ctx.session.flush()


async def replace_edits(ctx: Context, changeset_id: str, edits: Sequence[Edit]) -> None:
    """New edits of a proposal in place of the old ones."""
    await ctx.session.execute(
        delete(EditRow).where(EditRow.workspace_id == ctx.workspace_id, EditRow.changeset_id == changeset_id)
    )
    await insert_edits(ctx, changeset_id, edits)


async def row_of(ctx: Context, changeset_id: str) -> ChangeSetRow:
    """The row, locked for the rest of the transaction.

    Raises: ChangeSetNotFound.
    """
    row = await ctx.session.scalar(
        select(ChangeSetRow)
        .where(ChangeSetRow.workspace_id == ctx.workspace_id, ChangeSetRow.id == changeset_id)
        .with_for_update()
    )
    if row is None:
        raise ChangeSetNotFound
    return row


def status_of(row: ChangeSetRow, now: datetime) -> Status:
    """Where the change set stands; a proposal whose time has passed is expired before the hourly job says so."""
    status = Status(row.status)
    return Status.EXPIRED if status is Status.PROPOSED and row.expires_at <= now else status


async def find(ctx: Context, changeset_id: str) -> ChangeSet:
    """A change set with its edits.

    Raises: ChangeSetNotFound.
    """
    row = await ctx.session.scalar(
        select(ChangeSetRow).where(ChangeSetRow.workspace_id == ctx.workspace_id, ChangeSetRow.id == changeset_id)
    )
    if row is None:
        raise ChangeSetNotFound
    return _changeset(row, await edits_of(ctx, changeset_id), await _decisions_of(ctx, changeset_id))


async def edits_of(ctx: Context, changeset_id: str) -> tuple[Edit, ...]:
    """The edits in their order."""
    rows = await ctx.session.scalars(
        select(EditRow)
        .where(EditRow.workspace_id == ctx.workspace_id, EditRow.changeset_id == changeset_id)
        .order_by(EditRow.ordinal)
    )
    return tuple(_edit(row) for row in rows)


async def page_of(ctx: Context, wanted: Wanted, page: PageRequest) -> Page[ChangeSet]:
    """Change sets of the workspace without their edits."""
    query = select(ChangeSetRow).where(ChangeSetRow.workspace_id == ctx.workspace_id)
    for name in ("status", "scan_id", "verdict", "risk"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(ChangeSetRow, name) == value)
    if wanted.agent_id is not None:
        query = query.where(ChangeSetRow.id.in_(_ids_of_agent(ctx, wanted.agent_id)))
    rows = await paginate(
        ctx.session, query, page, sortable=_SORTABLE, default_sort="-created_at", tie_break=ChangeSetRow.id
    )
    return Page([_changeset(row, ()) for row in rows.results], rows.total, rows.limit, rows.offset)


def _ids_of_agent(ctx: Context, agent_id: str) -> Any:
    return select(ChangeSetAgentRow.changeset_id).where(
        ChangeSetAgentRow.workspace_id == ctx.workspace_id, ChangeSetAgentRow.agent_id == agent_id
    )


async def touching(ctx: Context, agent_ids: Sequence[str], *statuses: Status) -> list[ChangeSet]:
    """The change sets of these agents in these states with their edits, oldest decision first."""
    ids = select(ChangeSetAgentRow.changeset_id).where(
        ChangeSetAgentRow.workspace_id == ctx.workspace_id, ChangeSetAgentRow.agent_id.in_(agent_ids)
    )
    rows = await ctx.session.scalars(
        select(ChangeSetRow)
        .where(
            ChangeSetRow.workspace_id == ctx.workspace_id,
            ChangeSetRow.id.in_(ids),
            ChangeSetRow.status.in_([status.value for status in statuses]),
        )
        .order_by(ChangeSetRow.decided_at, ChangeSetRow.id)
    )
    return [_changeset(row, await edits_of(ctx, row.id)) for row in rows]


async def expired_ids(ctx: Context, now: datetime, limit: int = 500) -> list[str]:
    """Proposals of the workspace whose time has passed."""
    rows = await ctx.session.scalars(
        select(ChangeSetRow.id)
        .where(
            ChangeSetRow.workspace_id == ctx.workspace_id,
            ChangeSetRow.status == Status.PROPOSED.value,
            ChangeSetRow.expires_at <= now,
        )
        .limit(limit)
    )
    return list(rows)


async def workspaces_with_expired(session: AsyncSession, now: datetime) -> list[tuple[str, str]]:
    """(account, workspace) of every workspace with such proposals; for a unit that sees all workspaces."""
    rows = await session.execute(
        select(ChangeSetRow.account_id, ChangeSetRow.workspace_id)
        .where(ChangeSetRow.status == Status.PROPOSED.value, ChangeSetRow.expires_at <= now)
        .distinct()
    )
    return [(row[0], row[1]) for row in rows]


async def count_automatic(ctx: Context, since: datetime) -> int:
    """How many change sets the system accepted since then; rows are locked, so two workers cannot both be the last."""
    rows = await ctx.session.scalars(
        select(ChangeSetRow.id)
        .where(
            ChangeSetRow.workspace_id == ctx.workspace_id,
            ChangeSetRow.decided_by == "system",
            ChangeSetRow.decided_at >= since,
        )
        .with_for_update()
    )
    return len(rows.all())


async def add_event(ctx: Context, changeset_id: str, type_: str, data: dict[str, Any]) -> None:
    """The next event. The caller holds the change set's row."""
    seq = await ctx.session.scalar(
        select(func.max(ChangeSetEventRow.seq)).where(ChangeSetEventRow.changeset_id == changeset_id)
    )
    ctx.session.add(
        ChangeSetEventRow(
            **_tenant(ctx),
            id=new_id(),
            changeset_id=changeset_id,
            seq=(seq or 0) + 1,
            type=type_,
            actor=ctx.principal.actor_id,
            data=data,
            created_at=ctx.clock.now(),
        )
    )
    await ctx.session.flush()


async def add_decision(ctx: Context, changeset_id: str, verb: str, reason: str, detail: dict[str, Any]) -> None:
    """A decision of the caller."""
    ctx.session.add(
        DecisionRow(
            **_tenant(ctx),
            id=new_id(),
            changeset_id=changeset_id,
            verb=verb,
            actor=ctx.principal.actor_id,
            reason=reason,
            detail=detail,
            created_at=ctx.clock.now(),
        )
    )
    await ctx.session.flush()


async def _decisions_of(ctx: Context, changeset_id: str) -> tuple[Decision, ...]:
    rows = await ctx.session.scalars(
        select(DecisionRow)
        .where(DecisionRow.workspace_id == ctx.workspace_id, DecisionRow.changeset_id == changeset_id)
        .order_by(DecisionRow.id)
    )
    return tuple(Decision(row.verb, row.actor, row.reason, row.detail, row.created_at) for row in rows)


async def page_of_events(ctx: Context, changeset_id: str, page: PageRequest) -> Page[Event]:
    """Events, oldest first."""
    rows = await paginate(
        ctx.session,
        select(ChangeSetEventRow).where(
            ChangeSetEventRow.workspace_id == ctx.workspace_id, ChangeSetEventRow.changeset_id == changeset_id
        ),
        page,
        sortable={"seq": ChangeSetEventRow.seq},
        default_sort="seq",
        tie_break=ChangeSetEventRow.id,
    )
    events = [Event(row.seq, row.type, row.actor, row.data, row.created_at) for row in rows.results]
    return Page(events, rows.total, rows.limit, rows.offset)


async def add_comment(ctx: Context, changeset_id: str, text: str) -> Comment:
    """A remark of the caller."""
    row = CommentRow(
        **_tenant(ctx),
        id=new_id(),
        changeset_id=changeset_id,
        author=ctx.principal.actor_id,
        text=text,
        created_at=ctx.clock.now(),
    )
    ctx.session.add(row)
    await ctx.session.flush()
    return Comment(row.id, row.author, row.text, row.created_at)


async def page_of_comments(ctx: Context, changeset_id: str, page: PageRequest) -> Page[Comment]:
    """Remarks, oldest first."""
    rows = await paginate(
        ctx.session,
        select(CommentRow).where(CommentRow.workspace_id == ctx.workspace_id, CommentRow.changeset_id == changeset_id),
        page,
        sortable={"created_at": CommentRow.created_at},
        default_sort="created_at",
        tie_break=CommentRow.id,
    )
    comments = [Comment(row.id, row.author, row.text, row.created_at) for row in rows.results]
    return Page(comments, rows.total, rows.limit, rows.offset)


def _tenant(ctx: Context) -> dict[str, str]:
    return {"account_id": ctx.principal.account_id, "workspace_id": ctx.workspace_id}


def _edit(row: EditRow) -> Edit:
    return Edit(
        agent_id=row.agent_id,
        pointer=row.pointer,
        op=cast(EditOp, row.op),
        before=row.before,
        after=row.after,
        diff=row.diff,
        operator=row.operator,
        rationale=row.rationale,
        evidence=tuple(row.evidence),
    )


def _changeset(row: ChangeSetRow, edits: tuple[Edit, ...], decisions: tuple[Decision, ...] = ()) -> ChangeSet:
    return ChangeSet(
        id=row.id,
        scan_id=row.scan_id,
        status=Status(row.status),
        title=row.title,
        summary=row.summary,
        labels=row.labels,
        agent_ids=tuple(row.agent_ids),
        base_versions=row.base_versions,
        candidate_hashes=row.candidate_hashes,
        clusters_addressed=tuple(row.clusters_addressed),
        sample_set_version_id=row.sample_set_version_id,
        objective_version_id=row.objective_version_id,
        metrics=row.metrics,
        explanation=row.evidence,
        verdict=row.verdict,
        verdict_binding=row.verdict_binding,
        gates=tuple(row.gates),
        risk=cast(Risk, row.risk),
        risk_reasons=tuple(row.risk_reasons),
        autonomy_decision=row.autonomy_decision,
        result_versions=row.result_versions,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        applied_by=row.applied_by,
        applied_at=row.applied_at,
        rollback_of=row.rollback_of,
        superseded_by=row.superseded_by,
        expires_at=row.expires_at,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        edits=edits,
        decisions=decisions,
    )
