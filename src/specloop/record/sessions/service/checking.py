"""Reads every stored document and compares it with its SHA-256; for `doctor` and after a restore."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from specloop.db.context import Context
from specloop.record.sessions.compression import verified
from specloop.record.sessions.repository import checking
from specloop.record.sessions.repository.checking import Place

DOCUMENTS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """How many documents there are, and which are not what was uploaded: (session's row id, kind)."""

    documents: int
    corrupt: Sequence[Place]


class DocumentCheck:
    """Looks at all workspaces: give it a unit of work that sees them."""

    async def check(self, ctx: Context) -> DocumentReport:
        """Read them all, about 300 MB a second; changes nothing."""
        count, corrupt, after = 0, list[Place](), ("", "")
        while found := await checking.documents_after(ctx, after, DOCUMENTS_AT_ONCE):
            corrupt += await asyncio.to_thread(_damaged, found)
            count += len(found)
            after = found[-1][0]
        return DocumentReport(count, corrupt)


def _damaged(documents: Sequence[tuple[Place, str, bytes]]) -> list[Place]:
    return [place for place, digest, body in documents if verified(body, digest) is None]
