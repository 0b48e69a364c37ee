"""SQL of sign-in attempts and external identities."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from specloop.db.context import Context
from specloop.identity.oauth.model import Attempt
from specloop.identity.oauth.tables import ExternalIdentityRow, OAuthAttemptRow


async def add_attempt(
    session: AsyncSession, state_digest: str, attempt: Attempt, now: datetime, expires_at: datetime
) -> None:
    """Write an attempt; expired ones are swept away."""
    await session.execute(delete(OAuthAttemptRow).where(OAuthAttemptRow.expires_at < now))
    values = {name: getattr(attempt, name) for name in Attempt.__slots__}
    await session.execute(
        insert(OAuthAttemptRow).values(**values, state_digest=state_digest, created_at=now, expires_at=expires_at)
    )


async def take_attempt(session: AsyncSession, state_digest: str, now: datetime) -> Attempt | None:
    """Remove and return an attempt that has not expired. Of two racing calls one gets it."""
    statement = (
        delete(OAuthAttemptRow)
        .where(OAuthAttemptRow.state_digest == state_digest)
        .returning(
            OAuthAttemptRow.provider,
            OAuthAttemptRow.code_verifier,
            OAuthAttemptRow.nonce,
            OAuthAttemptRow.redirect_uri,
            OAuthAttemptRow.browser_digest,
            OAuthAttemptRow.expires_at,
        )
    )
    row = (await session.execute(statement)).first()
    if row is None or row.expires_at <= now:
        return None
    return Attempt(row.provider, row.code_verifier, row.nonce, row.redirect_uri, row.browser_digest)


async def find_linked_user(ctx: Context, provider: str, subject: str) -> str | None:
    """The id of the user who signs in as that subject."""
    row = await ctx.session.get(ExternalIdentityRow, (provider, subject))
    return row.user_id if row else None


async def link(ctx: Context, provider: str, subject: str, user_id: str) -> None:
    """Let that subject sign in as the user from now on."""
    values = {"provider": provider, "subject": subject, "user_id": user_id, "created_at": ctx.clock.now()}
    await ctx.session.execute(insert(ExternalIdentityRow).values(values))


async def is_linked(ctx: Context, provider: str, user_id: str) -> bool:
    """Whether the user signs in through that provider already."""
    query = select(ExternalIdentityRow.subject).where(
        ExternalIdentityRow.provider == provider, ExternalIdentityRow.user_id == user_id
    )
    return await ctx.session.scalar(query.limit(1)) is not None
