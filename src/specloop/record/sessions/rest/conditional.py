"""Conditional reads of a session by its weak tag (specstory.md §3, RFC 9110 §13)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from specloop.db.context import Context
from specloop.record.sessions.model import Session
from specloop.record.sessions.service.reading import SessionReader

_TAG: Final = re.compile(r'\s*(?:W/)?"([^"]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Version:
    """The state in which a session is shown: its tag, and when that came to be."""

    tag: str
    changed_at: datetime

    @property
    def last_modified(self) -> datetime:
        """In whole seconds, as HTTP tells it: a weak validator, which the tag beside it is not (RFC 9110 §8.8.2.2)."""
        return self.changed_at.astimezone(UTC).replace(microsecond=0)


async def version_of(ctx: Context, reader: SessionReader, session: Session) -> Version:
    """The version of the session at this moment."""
    return Version(session.etag, await reader.changed_at(ctx, session))


def cache_headers(version: Version) -> dict[str, str]:
    """What every representation carries; one tag for all of them, so they differ by Accept."""
    return {
        "ETag": f'W/"{version.tag}"',
        "Last-Modified": format_datetime(version.last_modified, usegmt=True),
        "Vary": "Accept",
        "Cache-Control": "private, no-cache",
    }


def not_modified(request: Request, version: Version) -> Response | None:
    """304 when the caller has this version, else None. If-None-Match silences If-Modified-Since."""
    known = ",".join(request.headers.getlist("if-none-match")).strip()
    if known:
        is_same = known == "*" or version.tag in _tags(known)
    else:
        since = request.headers.get("if-modified-since")
        is_same = since is not None and is_unmodified_since(since, version)
    return Response(status_code=304, headers=cache_headers(version)) if is_same else None


def _tags(header: str) -> set[str]:
    """Weak comparison: the opaque parts. A tag without quotes counts too, as lists of the real service show them."""
    quoted = set(_TAG.findall(header))
    return quoted or {part.strip() for part in header.split(",")}


def is_unmodified_since(header: str, version: Version) -> bool:
    """Whether the version is no younger than the date; one that is none proves nothing."""
    try:
        moment = parsedate_to_datetime(header)
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return version.last_modified <= aware
    except (ValueError, TypeError, OverflowError):  # zones and years beyond all calendars
        return False
