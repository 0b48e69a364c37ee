"""Filters of lists as SQL, for every surface that lists, searches or counts sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from specloop.db.context import Context
from specloop.record.projects.tables import ProjectAliasRow, ProjectRow
from specloop.record.sessions.model import SessionFilters, ValueKind
from specloop.record.sessions.tables import SessionRow, ValueRow


def owned(ctx: Context) -> ColumnElement[bool]:
    """The caller's own sessions in its workspace; they are nobody else's (specstory.md §12, O6)."""
    return and_(SessionRow.workspace_id == ctx.workspace_id, SessionRow.owner_id == (ctx.principal.user_id or ""))


def matching(filters: SessionFilters) -> list[ColumnElement[bool]]:
    """The conditions on `SessionRow` that all must hold; ownership is not among them."""
    return [
        *_of_columns(filters),
        *_of_time(filters),
        *_of_values(filters),
        *([_in_projects(filters.project_ids)] if filters.project_ids else []),
    ]


def _of_columns(filters: SessionFilters) -> list[ColumnElement[bool]]:
    lists: tuple[tuple[Any, Sequence[str]], ...] = (
        (SessionRow.agent_name, filters.agents),
        (SessionRow.client_name, filters.client_names),
        (SessionRow.device_id, filters.device_ids),
        (SessionRow.machine_name, filters.machines),
    )
    conditions: list[ColumnElement[bool]] = [column.in_(values) for column, values in lists if values]
    if filters.has_error is not None:
        conditions.append(SessionRow.has_error == filters.has_error)
    if filters.is_resumable is not None:
        has_data = func.coalesce(SessionRow.data_size, 0) > 0
        conditions.append(has_data if filters.is_resumable else ~has_data)
    if filters.share_status is not None:
        conditions.append(SessionRow.share_status == filters.share_status.value)
    return conditions


def _of_time(filters: SessionFilters) -> list[ColumnElement[bool]]:
    """`since` and `until` ask for sessions whose interval overlaps the range (specstory.md §2.2)."""
    conditions: list[ColumnElement[bool]] = []
    if filters.since is not None:
        conditions.append(SessionRow.active_at >= filters.since)
    if filters.until is not None:
        conditions.append(func.coalesce(SessionRow.started_at, SessionRow.active_at) <= filters.until)
    if filters.created_since is not None:
        conditions.append(SessionRow.created_at >= filters.created_since)
    if filters.created_until is not None:
        conditions.append(SessionRow.created_at <= filters.created_until)
    return conditions


def _of_values(filters: SessionFilters) -> list[ColumnElement[bool]]:
    exact = (
        (ValueKind.MODEL, filters.models),
        (ValueKind.BRANCH, filters.branches),
        (ValueKind.TAG, filters.tags),
        (ValueKind.TOOL, filters.tools),
    )
    conditions = [_has_value(kind, ValueRow.value.in_(values)) for kind, values in exact if values]
    if filters.files:
        parts = or_(*(ValueRow.value.contains(part, autoescape=True) for part in filters.files))
        conditions.append(_has_value(ValueKind.FILE, parts))
    if filters.has_branches is not None:
        any_branch = exists().where(ValueRow.session_id == SessionRow.id, ValueRow.kind == ValueKind.BRANCH.value)
        conditions.append(any_branch if filters.has_branches else ~any_branch)
    return conditions


def _has_value(kind: ValueKind, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(ValueRow.session_id == SessionRow.id, ValueRow.kind == kind.value, condition)


def _in_projects(project_ids: Sequence[str]) -> ColumnElement[bool]:
    """Ids as in URLs. The owner is the session's, so that this needs no caller."""
    named, known_as = aliased(ProjectRow), aliased(ProjectAliasRow)  # the list itself may have joined projects
    by_name = select(named.id).where(
        named.workspace_id == SessionRow.workspace_id,
        named.owner_id == SessionRow.owner_id,
        or_(named.client_id.in_(project_ids), named.id.in_(project_ids)),
    )
    by_alias = select(known_as.project_id).where(
        known_as.workspace_id == SessionRow.workspace_id,
        known_as.owner_id == SessionRow.owner_id,
        known_as.alias.in_(project_ids),
    )
    return or_(SessionRow.project_id.in_(by_name), SessionRow.project_id.in_(by_alias))
