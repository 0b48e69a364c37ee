"""SQL of sessions, refresh tokens, one-time tokens and public signing keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.tokens.model import Purpose, Session
from specloop.identity.tokens.tables import OneTimeTokenRow, RefreshTokenRow, SessionRow, SigningKeyRow


async def publish_key(ctx: Context, kid: str, document: dict[str, Any]) -> None:
    """Add a public key unless it is there."""
    if await ctx.session.get(SigningKeyRow, kid) is None:
        values = {"kid": kid, "public_jwk": document, "created_at": ctx.clock.now()}
        await ctx.session.execute(insert(SigningKeyRow).values(values))


async def retire_key(ctx: Context, kid: str) -> None:
    """Mark that nothing is signed with the key any more."""
    await ctx.session.execute(update(SigningKeyRow).where(SigningKeyRow.kid == kid).values(retired_at=ctx.clock.now()))


async def public_keys(ctx: Context, retired_after: datetime) -> dict[str, dict[str, Any]]:
    """The public keys by id that are in use or were retired after that moment."""
    query = select(SigningKeyRow.kid, SigningKeyRow.public_jwk).where(
        or_(SigningKeyRow.retired_at.is_(None), SigningKeyRow.retired_at > retired_after)
    )
    rows = await ctx.session.execute(query)
    return {row.kid: row.public_jwk for row in rows}


async def add_session(ctx: Context, session: Session) -> None:
    """Write a new session."""
    values = {name: getattr(session, name) for name in Session.__slots__}
    await ctx.session.execute(insert(SessionRow).values(values))


async def find_session(ctx: Context, session_id: str) -> Session | None:
    """The session of that id, revoked or not."""
    row = await ctx.session.get(SessionRow, session_id, populate_existing=True)
    return _session(row) if row else None


async def list_live_sessions(ctx: Context, user_id: str, page: PageRequest) -> Page[Session]:
    """The user's sessions that still let in, most recently used first."""
    query = select(SessionRow).where(
        SessionRow.user_id == user_id, SessionRow.revoked_at.is_(None), SessionRow.expires_at > ctx.clock.now()
    )
    sortable = {"created_at": SessionRow.created_at, "last_used_at": SessionRow.last_used_at}
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="-last_used_at", tie_break=SessionRow.id.desc()
    )
    return Page([_session(row) for row in found.results], found.total, found.limit, found.offset)


async def prolong_session(ctx: Context, session_id: str, expires_at: datetime) -> None:
    """Note that the session was used, and until when it now lives."""
    await ctx.session.execute(
        update(SessionRow)
        .where(SessionRow.id == session_id)
        .values(last_used_at=ctx.clock.now(), expires_at=expires_at)
        .execution_options(synchronize_session=False)
    )


async def revoke_sessions(
    ctx: Context, because: str, *, session_id: str | None = None, user_id: str | None = None, keep: str | None = None
) -> int:
    """End one session, or all of a user's but `keep`; returns how many were live."""
    statement = update(SessionRow).where(SessionRow.revoked_at.is_(None))
    if session_id is not None:
        statement = statement.where(SessionRow.id == session_id)
    if user_id is not None:
        statement = statement.where(SessionRow.user_id == user_id)
    if keep is not None:
        statement = statement.where(SessionRow.id != keep)
    result = await ctx.session.execute(
        statement.values(revoked_at=ctx.clock.now(), revoked_because=because)
        .returning(SessionRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(result.all())


async def add_refresh_token(ctx: Context, digest: str, session_id: str, expires_at: datetime) -> None:
    """Write the digest of a fresh refresh token."""
    values = {"digest": digest, "session_id": session_id, "created_at": ctx.clock.now(), "expires_at": expires_at}
    await ctx.session.execute(insert(RefreshTokenRow).values(values))


async def use_refresh_token(ctx: Context, digest: str) -> bool:
    """Mark a token as exchanged; False when somebody else did before. Of two racing calls one wins."""
    result = await ctx.session.execute(
        update(RefreshTokenRow)
        .where(RefreshTokenRow.digest == digest, RefreshTokenRow.used_at.is_(None))
        .values(used_at=ctx.clock.now())
        .returning(RefreshTokenRow.digest)
        .execution_options(synchronize_session=False)
    )
    return result.first() is not None


async def refresh_token_session(ctx: Context, digest: str) -> tuple[Session, datetime] | None:
    """The session of a refresh token and when the token expires."""
    query = (
        select(SessionRow, RefreshTokenRow.expires_at)
        .join(RefreshTokenRow, RefreshTokenRow.session_id == SessionRow.id)
        .where(RefreshTokenRow.digest == digest)
    )
    row = (await ctx.session.execute(query)).first()
    return None if row is None else (_session(row[0]), row[1])


async def add_one_time_token(
    ctx: Context, digest: str, purpose: Purpose, user_id: str | None, expires_at: datetime
) -> None:
    """Write the digest of a one-time token; expired ones are swept away."""
    now = ctx.clock.now()
    await ctx.session.execute(delete(OneTimeTokenRow).where(OneTimeTokenRow.expires_at < now))
    values: dict[str, Any] = {
        "digest": digest,
        "purpose": purpose,
        "user_id": user_id,
        "created_at": now,
        "expires_at": expires_at,
    }
    await ctx.session.execute(insert(OneTimeTokenRow).values(values))


async def drop_one_time_tokens(ctx: Context, purpose: Purpose, user_id: str | None) -> None:
    """Delete the unused tokens of a purpose, of one user or of nobody in particular."""
    owned = OneTimeTokenRow.user_id.is_(None) if user_id is None else OneTimeTokenRow.user_id == user_id
    await ctx.session.execute(delete(OneTimeTokenRow).where(OneTimeTokenRow.purpose == purpose, owned))


async def is_one_time_token_good(ctx: Context, digest: str, purpose: Purpose) -> bool:
    """Whether the token could be spent now."""
    query = select(OneTimeTokenRow.digest).where(
        OneTimeTokenRow.digest == digest,
        OneTimeTokenRow.purpose == purpose,
        OneTimeTokenRow.used_at.is_(None),
        OneTimeTokenRow.expires_at > ctx.clock.now(),
    )
    return await ctx.session.scalar(query) is not None


async def use_one_time_token(ctx: Context, digest: str, purpose: Purpose) -> tuple[bool, str | None]:
    """Spend a token: (was it good, whose was it). Of two racing calls one gets True."""
    result = await ctx.session.execute(
        update(OneTimeTokenRow)
        .where(
            OneTimeTokenRow.digest == digest,
            OneTimeTokenRow.purpose == purpose,
            OneTimeTokenRow.used_at.is_(None),
            OneTimeTokenRow.expires_at > ctx.clock.now(),
        )
        .values(used_at=ctx.clock.now())
        .returning(OneTimeTokenRow.user_id)
        .execution_options(synchronize_session=False)
    )
    row = result.first()
    return (row is not None, row[0] if row is not None else None)


def _session(row: SessionRow) -> Session:
    return Session(**{name: getattr(row, name) for name in Session.__slots__})
