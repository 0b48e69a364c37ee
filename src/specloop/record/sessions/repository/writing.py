"""Writes sessions and what was derived from them, in as few statements as possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, Executable, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from specloop.db import batches
from specloop.db.batches import Write
from specloop.db.context import Context
from specloop.kit.ids import parse_uuid
from specloop.record.sessions.model import DocumentKind
from specloop.record.sessions.preparation import DerivedUsage, DerivedValue, PackedDocument
from specloop.record.sessions.repository.filters import owned
from specloop.record.sessions.tables import DOCUMENTS, SESSIONS, USAGE, VALUES, DocumentRow, SessionRow

_IDS_AT_ONCE = 500
# Built once: putting a statement together costs more than running it.
_ADD: Final[Mapping[str, Any]] = {
    name: make(SESSIONS).on_conflict_do_nothing().returning(SESSIONS.c.id)
    for name, make in (("postgresql", postgresql_insert), ("sqlite", sqlite_insert))
}
_OF_SESSION: Final[BindParameter[Any]] = bindparam("of_session")
_ADD_DOCUMENTS, _ADD_VALUES, _ADD_USAGE = insert(DOCUMENTS), insert(VALUES), insert(USAGE)
_OF_KIND: Final[BindParameter[Any]] = bindparam("of_kind")
_CLEAR_DOCUMENTS: Final = delete(DOCUMENTS).where(DOCUMENTS.c.session_id == _OF_SESSION, DOCUMENTS.c.kind == _OF_KIND)
_CLEAR_VALUES: Final = delete(VALUES).where(VALUES.c.session_id == _OF_SESSION)
_CLEAR_USAGE: Final = delete(USAGE).where(USAGE.c.session_id == _OF_SESSION)


async def execute_all(ctx: Context, writes: Iterable[Write]) -> None:
    """Run the writes in order, in one go."""
    await batches.execute_all(ctx.session, writes)


async def has_row(ctx: Context, project_row_id: str, session_id: str) -> bool:
    """Whether `session_id` is the row id of a session in the project."""
    row_id = parse_uuid(session_id)
    if row_id is None:
        return False
    query = select(SessionRow.id).where(SessionRow.id == row_id, SessionRow.project_id == project_row_id)
    return await ctx.session.scalar(query) is not None


async def find_for_change(ctx: Context, project_row_id: str, session_id: str) -> Mapping[str, Any] | None:
    """Every column of the session with this client id in the project, else with this row id.

    Nobody else can change it before the transaction ends.
    """
    for column, value in ((SessionRow.client_id, session_id), (SessionRow.id, parse_uuid(session_id))):
        if value is None:
            continue
        query = select(*SESSIONS.columns).where(SessionRow.project_id == project_row_id, column == value)
        row = (await ctx.session.execute(query.with_for_update())).mappings().first()
        if row is not None:
            return dict(row)
    return None


async def lock(ctx: Context, row_id: str) -> Mapping[str, Any] | None:
    """The columns of one of the caller's sessions by row id, locked like those of `find_for_change`."""
    query = select(*SESSIONS.columns).where(owned(ctx), SessionRow.id == row_id)
    row = (await ctx.session.execute(query.with_for_update())).mappings().first()
    return None if row is None else dict(row)


async def add(ctx: Context, values: Mapping[str, Any]) -> bool:
    """Insert the session; False when somebody else has just done so."""
    connection = await ctx.session.connection()
    return (await connection.execute(_ADD[ctx.uow.engine_name], dict(values))).first() is not None


async def change(ctx: Context, row_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of a session."""
    await ctx.session.execute(update(SESSIONS).where(SESSIONS.c.id == row_id).values(dict(values)))


async def digests(ctx: Context, row_id: str) -> dict[DocumentKind, str]:
    """The SHA-256 of each stored document."""
    query = select(DocumentRow.kind, DocumentRow.sha256).where(DocumentRow.session_id == row_id)
    return {DocumentKind(kind): digest for kind, digest in await ctx.session.execute(query)}


async def body(ctx: Context, row_id: str, kind: DocumentKind) -> bytes:
    """A stored document as it is at rest."""
    query = select(DocumentRow.body).where(DocumentRow.session_id == row_id, DocumentRow.kind == kind.value)
    return (await ctx.session.scalar(query)) or b""


def documents(
    ctx: Context, row_id: str, packed: Mapping[DocumentKind, PackedDocument], replaced: Iterable[DocumentKind] = ()
) -> list[Write]:
    """Store documents; `replaced` are those kinds among them of which an older one is there."""
    tenant = {**_tenant(ctx), "session_id": row_id}
    return [
        (_CLEAR_DOCUMENTS, [{"of_session": row_id, "of_kind": kind.value} for kind in replaced]),
        (
            _ADD_DOCUMENTS,
            [
                {**tenant, "kind": kind.value, "sha256": one.sha256, "size": one.size, "body": one.body}
                for kind, one in packed.items()
            ],
        ),
    ]


def values(ctx: Context, row_id: str, derived: Iterable[DerivedValue], *, is_new: bool) -> list[Write]:
    """Store what the session is filtered by, in place of what was there."""
    tenant = {**_tenant(ctx), "session_id": row_id}
    by_key = {(one.kind, one.value): one for one in derived}  # values that were cut may have become equal
    rows = [
        {**tenant, "kind": one.kind.value, "value": one.value, "count": one.count, "errors": one.errors}
        for one in by_key.values()
    ]
    return [*([] if is_new else [_of(_CLEAR_VALUES, row_id)]), (_ADD_VALUES, rows)]


def usage(ctx: Context, row_id: str, derived: Iterable[DerivedUsage], *, is_new: bool) -> list[Write]:
    """Store the tokens by day and model, in place of what was there."""
    tenant = {**_tenant(ctx), "session_id": row_id}
    rows = [
        {
            **tenant,
            "day": one.day,
            "model": one.model,
            "input_tokens": one.usage.input,
            "output_tokens": one.usage.output,
            "cache_read_tokens": one.usage.cache_read,
            "cache_write_tokens": one.usage.cache_write,
            "reasoning_tokens": one.usage.reasoning,
            "cost_usd": one.cost_usd,
        }
        for one in derived
    ]
    return [*([] if is_new else [_of(_CLEAR_USAGE, row_id)]), (_ADD_USAGE, rows)]


def _of(statement: Executable, row_id: str) -> Write:
    return statement, [{"of_session": row_id}]


async def lock_all(ctx: Context, row_ids: Sequence[str]) -> list[str]:
    """Those of the caller's sessions that are still there; nobody else can change them before the transaction ends."""
    found: list[str] = []
    for start in range(0, len(row_ids), _IDS_AT_ONCE):
        some = SessionRow.id.in_(row_ids[start : start + _IDS_AT_ONCE])
        query = select(SessionRow.id).where(owned(ctx), some).order_by(SessionRow.id).with_for_update()
        found += (await ctx.session.scalars(query)).all()
    return found


async def remove(ctx: Context, row_ids: Sequence[str]) -> None:
    """Delete sessions and, by the foreign keys, everything that belongs to them."""
    for start in range(0, len(row_ids), _IDS_AT_ONCE):
        some = SessionRow.id.in_(row_ids[start : start + _IDS_AT_ONCE])
        await ctx.session.execute(delete(SessionRow).where(owned(ctx), some))


async def ids_in_project(ctx: Context, project_row_id: str) -> list[str]:
    """The row ids of a project's sessions."""
    query = select(SessionRow.id).where(owned(ctx), SessionRow.project_id == project_row_id)
    return list((await ctx.session.scalars(query)).all())


async def rivals(ctx: Context, source_row_id: str, target_row_id: str) -> list[tuple[str, str, int, int]]:
    """Sessions that both projects have: (id in source, id in target, markdown size in source, in target)."""
    other = SESSIONS.alias()
    query = (
        select(SessionRow.id, other.c.id, SessionRow.markdown_size, other.c.markdown_size)
        .join(other, other.c.client_id == SessionRow.client_id)
        .where(owned(ctx), SessionRow.project_id == source_row_id, other.c.project_id == target_row_id)
    )
    return [(row[0], row[1], row[2], row[3]) for row in await ctx.session.execute(query)]


async def move_all(ctx: Context, source_row_id: str, target_row_id: str) -> None:
    """Hand every session of one project to another."""
    statement = update(SessionRow).where(owned(ctx), SessionRow.project_id == source_row_id)
    await ctx.session.execute(statement.values(project_id=target_row_id))


def _tenant(ctx: Context) -> dict[str, Any]:
    return {"account_id": ctx.principal.account_id, "workspace_id": ctx.workspace_id}
