"""Walks through all stored documents of all workspaces, a few at a time."""

from __future__ import annotations

from sqlalchemy import select, tuple_

from specloop.db.context import Context
from specloop.record.sessions.tables import DocumentRow

Place = tuple[str, str]
"""The session's row id and the document's kind."""


async def documents_after(ctx: Context, after: Place, limit: int) -> list[tuple[Place, str, bytes]]:
    """(place, SHA-256, body at rest) of the next documents by place; `ctx` sees all workspaces."""
    key = (DocumentRow.session_id, DocumentRow.kind)
    query = select(*key, DocumentRow.sha256, DocumentRow.body).where(tuple_(*key) > tuple_(*after))
    rows = await ctx.session.execute(query.order_by(*key).limit(limit))
    return [((session_id, kind), digest, body) for session_id, kind, digest, body in rows]
