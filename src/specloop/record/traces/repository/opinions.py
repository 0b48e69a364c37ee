"""Feedback and annotations in the state store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, delete, func, select, union
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from specloop.db.context import Context
from specloop.kit.ids import new_id
from specloop.record.traces.opinions import Annotation, Annotator, Feedback, FeedbackKind, Judgement, Opinion
from specloop.record.traces.tables import AnnotationRow, FeedbackRow

TRACES_MAX = 20_000
"""How many of the newest traces with opinions a filter looks at."""


async def put_feedback(
    ctx: Context, trace_id: str, opinion: Opinion, score: float | None, created_by: str
) -> tuple[Feedback, bool]:
    """Keep `opinion`; the same person's earlier one of this kind and name is replaced. True when it is new."""
    now = ctx.clock.now()
    new_row: dict[str, Any] = {
        "id": new_id(),
        "account_id": ctx.principal.account_id,
        "workspace_id": ctx.workspace_id,
        "trace_id": trace_id,
        "span_id": opinion.span_id,
        "user_ref": opinion.user_ref,
        "kind": opinion.kind.value,
        "name": opinion.name,
        "value": opinion.value,
        "score": score,
        "created_at": now,
        "updated_at": now,
        "created_by": created_by,
    }
    # One statement, so that two senders at the same time cannot both find nothing and then collide.
    statement: Any = _insert(ctx)(FeedbackRow).values(new_row)
    statement = statement.on_conflict_do_update(
        index_elements=["workspace_id", "trace_id", "span_id", "user_ref", "kind", "name"],
        set_={name: statement.excluded[name] for name in ("value", "score", "updated_at", "created_by")},
    )
    found = await ctx.session.scalars(statement.returning(FeedbackRow), execution_options={"populate_existing": True})
    row: FeedbackRow = found.one()
    return _feedback(row), row.id == new_row["id"]


async def list_feedback(ctx: Context, trace_ids: Sequence[str]) -> list[Feedback]:
    """All feedback on the traces, oldest first."""
    rows = await ctx.session.scalars(
        select(FeedbackRow)
        .where(FeedbackRow.workspace_id == ctx.workspace_id, FeedbackRow.trace_id.in_(trace_ids))
        .order_by(FeedbackRow.created_at, FeedbackRow.id)
    )
    return [_feedback(row) for row in rows]


async def delete_feedback(ctx: Context, trace_id: str, **chosen: str | None) -> int:
    """Forget the trace's feedback whose columns have the chosen values; how many there were."""
    conditions = [getattr(FeedbackRow, name) == value for name, value in chosen.items() if value is not None]
    result = await ctx.session.execute(delete(FeedbackRow).where(_of_trace(FeedbackRow, ctx, trace_id), *conditions))
    return cast("CursorResult[Any]", result).rowcount


async def add_annotation(ctx: Context, trace_id: str, judgement: Judgement, created_by: str) -> Annotation:
    """Keep `judgement`."""
    row = AnnotationRow(
        id=new_id(),
        account_id=ctx.principal.account_id,
        workspace_id=ctx.workspace_id,
        trace_id=trace_id,
        span_id=judgement.span_id,
        name=judgement.name,
        annotator=judgement.annotator.value,
        score=judgement.score,
        label=judgement.label,
        explanation=judgement.explanation,
        details=dict(judgement.details),
        created_at=ctx.clock.now(),
        created_by=created_by,
    )
    ctx.session.add(row)
    await ctx.session.flush()
    return _annotation(row)


async def list_annotations(ctx: Context, trace_id: str) -> list[Annotation]:
    """The stored annotations of the trace, oldest first."""
    rows = await ctx.session.scalars(
        select(AnnotationRow)
        .where(_of_trace(AnnotationRow, ctx, trace_id))
        .order_by(AnnotationRow.created_at, AnnotationRow.id)
    )
    return [_annotation(row) for row in rows]


async def delete_all(ctx: Context, trace_id: str) -> None:
    """Forget everything that was said about the trace."""
    for table in (FeedbackRow, AnnotationRow):
        await ctx.session.execute(delete(table).where(_of_trace(table, ctx, trace_id)))


async def traces_with_feedback(ctx: Context) -> list[str]:
    """The traces that have feedback, the newest feedback first."""
    query = (
        select(FeedbackRow.trace_id)
        .where(FeedbackRow.workspace_id == ctx.workspace_id)
        .group_by(FeedbackRow.trace_id)
        .order_by(func.max(FeedbackRow.created_at).desc())
    )
    return list(await ctx.session.scalars(query.limit(TRACES_MAX)))


async def traces_scored_below(ctx: Context, score: float) -> list[str]:
    """The traces whose lowest score, in feedback or annotations, is below `score`."""
    each: list[Select[Any]] = [
        select(table.trace_id).where(table.workspace_id == ctx.workspace_id, table.score < score)
        for table in (FeedbackRow, AnnotationRow)
    ]
    return list(await ctx.session.scalars(union(*each).limit(TRACES_MAX)))


def _insert(ctx: Context) -> Any:
    return postgresql_insert if ctx.uow.engine_name == "postgresql" else sqlite_insert


def _of_trace(table: type[FeedbackRow | AnnotationRow], ctx: Context, trace_id: str) -> ColumnElement[bool]:
    return (table.workspace_id == ctx.workspace_id) & (table.trace_id == trace_id)


def _feedback(row: FeedbackRow) -> Feedback:
    opinion = Opinion(FeedbackKind(row.kind), row.value, row.name, row.span_id, row.user_ref)
    return Feedback(row.id, row.trace_id, opinion, row.score, row.created_at, row.updated_at, row.created_by)


def _annotation(row: AnnotationRow) -> Annotation:
    judgement = Judgement(
        row.name, Annotator(row.annotator), row.score, row.label, row.explanation, row.span_id, row.details
    )
    return Annotation(row.id, row.trace_id, judgement, row.created_at, row.created_by)
