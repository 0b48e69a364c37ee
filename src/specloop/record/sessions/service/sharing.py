"""Sessions for those who know their link: a live view without raw data and without hidden exchanges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from specloop.db.context import Context
from specloop.record.sessions import transcript
from specloop.record.sessions.errors import NotShared
from specloop.record.sessions.model import DocumentKind, Exchange, Session, SharedSession
from specloop.record.sessions.preparation import OPENING_LENGTH
from specloop.record.sessions.repository import reading
from specloop.record.sessions.service.reading import SessionReader
from specloop.record.sessions.transcript import RenderOptions, Transcript

TITLE_LENGTH = 100
NEUTRAL_NAME: Final = "Shared session"


class SharedSessions:
    """What visitors see. They have no workspace: `ctx` must see all of them."""

    def __init__(self, reader: SessionReader) -> None:
        self._reader = reader

    async def find(self, ctx: Context, share_id: str) -> SharedSession:
        """The shared session with this client id or row id, without its hidden exchanges.

        Raises: NotShared.
        """
        session = await reading.find_shared(ctx, share_id)
        if session is None:
            raise NotShared
        return await self.as_shared(ctx, session)

    async def as_shared(self, ctx: Context, session: Session) -> SharedSession:
        """The session as visitors see it, or would see it; whether `ctx` may, the caller has checked."""
        exchanges = await reading.exchanges_of_session(ctx, session.id)
        visible = [one for one in exchanges if not one.is_hidden]
        seen = session if len(visible) == len(exchanges) else _retitled(session, visible)
        return SharedSession(seen, visible, len(exchanges))

    async def transcript(self, ctx: Context, shared: SharedSession) -> Transcript | None:
        """The visible exchanges with their messages; None when it is not certain which those are.

        Raises: DocumentCorrupt.
        """
        parsed = await self._reader.transcript(ctx, shared.session)
        if parsed.transcript is None or len(parsed.transcript.exchanges) != shared.total:
            return None
        kept = tuple(parsed.transcript.exchanges[one.order_number] for one in shared.exchanges)
        if [one.key for one in kept] != [one.key for one in shared.exchanges]:
            return None  # read from another document than the stored exchanges: a hidden one could slip through
        is_whole = len(kept) == shared.total
        return replace(parsed.transcript, exchanges=kept, title=parsed.transcript.title if is_whole else None)

    async def markdown(self, ctx: Context, shared: SharedSession) -> bytes:
        """The session as markdown: the stored bytes when nothing is hidden, else rendered from what is visible.

        Raises: DocumentCorrupt.
        """
        if len(shared.exchanges) == shared.total:
            return await self._reader.document(ctx, shared.session, DocumentKind.MARKDOWN) or b""
        visible = await self.transcript(ctx, shared)
        if visible is None:
            return "\n\n".join(one.text for one in shared.exchanges).encode()
        return transcript.render_markdown(visible, RenderOptions()).encode()


def _retitled(session: Session, visible: Sequence[Exchange]) -> Session:
    """The session with what was derived from all of it taken from its visible exchanges alone; the owner's title stays.

    Title, summary and name (a slug of the first prompt) tell what an exchange was about, and which one nobody knows:
    the first prompt may be a command, so that they speak of a later one.
    """
    opening = visible[0].text.strip() if visible else ""
    line = opening.partition("\n")[0].strip()
    title = line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 3].rstrip() + "..."
    return replace(
        session,
        name=NEUTRAL_NAME,
        slug=None,
        title=title or None,
        summary=None,
        opening=opening[:OPENING_LENGTH] or None,
    )
