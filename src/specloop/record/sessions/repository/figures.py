"""Sums over the caller's sessions: by project, day, model, agent and tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, distinct, func, select

from specloop.db.context import Context
from specloop.record.projects.tables import ProjectRow
from specloop.record.sessions.model import SessionFilters, ToolUse, UsageSum, ValueKind
from specloop.record.sessions.repository.filters import matching, owned
from specloop.record.sessions.tables import USAGE, SessionRow, UsageRow, ValueRow

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


async def by_project(ctx: Context) -> dict[str, dict[str, Any]]:
    """Project row id → the figures of `ProjectSummary` by name."""
    query = select(
        SessionRow.project_id,
        func.count().label("session_count"),
        func.count(func.nullif(func.coalesce(SessionRow.data_size, 0), 0)).label("resumable_count"),
        func.sum(SessionRow.markdown_size).label("markdown_size"),
        func.sum(SessionRow.raw_size).label("raw_size"),
        func.max(SessionRow.updated_at).label("last_activity"),
    )
    rows = await ctx.session.execute(query.where(owned(ctx)).group_by(SessionRow.project_id))
    found: dict[str, dict[str, Any]] = {}
    for row in rows.mappings():
        values = dict(row)
        project_id = str(values.pop("project_id"))
        sums = {"markdown_size": int(values["markdown_size"]), "raw_size": int(values["raw_size"])}
        found[project_id] = {**values, **sums}
    return found


async def usage(ctx: Context, filters: SessionFilters, *, by: ColumnElement[str] | None) -> list[UsageSum]:
    """Tokens and cost per value of `by` (a column of usage, session or project), or in all."""
    key = [] if by is None else [by]
    sums = [func.coalesce(func.sum(USAGE.c[name]), 0) for name in _TOKENS]
    known = func.count(UsageRow.cost_usd)
    query = _usage_of(
        select(
            *key,
            func.count(distinct(SessionRow.id)),
            *sums,
            func.sum(UsageRow.cost_usd),
            func.count(UsageRow.session_id) - known,
        ),
        ctx,
        filters,
    )
    if by is not None:
        query = query.group_by(by).order_by(by)
    rows = await ctx.session.execute(query)
    return [_sum(list(row), has_key=by is not None) for row in rows]


def _usage_of(query: Select[Any], ctx: Context, filters: SessionFilters) -> Select[Any]:
    return (
        query.select_from(SessionRow)
        .join(ProjectRow, ProjectRow.id == SessionRow.project_id)
        .outerjoin(UsageRow, UsageRow.session_id == SessionRow.id)
        .where(owned(ctx), *matching(filters))
    )


def _sum(row: list[Any], *, has_key: bool) -> UsageSum:
    key = row.pop(0) if has_key else ""
    sessions, *tokens, cost, unpriced = row
    counted = dict(zip(_TOKENS, (int(one) for one in tokens), strict=True))
    return UsageSum(key or "", int(sessions), **counted, cost_usd=cost, unpriced=int(unpriced))


async def tools(ctx: Context, filters: SessionFilters) -> list[ToolUse]:
    """Calls and failures per tool, most used first."""
    calls = func.sum(ValueRow.count)
    query = (
        select(ValueRow.value, func.count(distinct(ValueRow.session_id)), calls, func.sum(ValueRow.errors))
        .join(SessionRow, SessionRow.id == ValueRow.session_id)
        .where(owned(ctx), ValueRow.kind == ValueKind.TOOL.value, *matching(filters))
        .group_by(ValueRow.value)
        .order_by(calls.desc(), ValueRow.value)
    )
    return [ToolUse(name, int(n), int(c), int(e)) for name, n, c, e in await ctx.session.execute(query)]


async def starts(ctx: Context, filters: SessionFilters) -> Sequence[tuple[Any, str]]:
    """(moment of the last activity, project client id) of every matching session."""
    query = (
        select(func.coalesce(SessionRow.started_at, SessionRow.created_at), ProjectRow.client_id)
        .join(ProjectRow, ProjectRow.id == SessionRow.project_id)
        .where(owned(ctx), *matching(filters))
    )
    return [(row[0], row[1]) for row in await ctx.session.execute(query)]
