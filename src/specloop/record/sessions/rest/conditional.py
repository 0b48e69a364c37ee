"""Conditional reads of a session by its weak tag (specstory.md §3, RFC 9110 §13)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from specloop.record.sessions.model import Session

_TAG: Final = re.compile(r'\s*(?:W/)?"([^"]*)"\s*(?:,|$)')


def cache_headers(session: Session) -> dict[str, str]:
    """What every representation carries; one tag for all of them, so they differ by Accept."""
    return {
        "ETag": f'W/"{session.etag}"',
        "Last-Modified": format_datetime(session.updated_at.astimezone(UTC).replace(microsecond=0), usegmt=True),
        "Vary": "Accept",
        "Cache-Control": "private, no-cache",
    }


def not_modified(request: Request, session: Session) -> Response | None:
    """304 when the caller has this version, else None. If-None-Match silences If-Modified-Since."""
    known = ",".join(request.headers.getlist("if-none-match")).strip()
    if known:
        is_same = known == "*" or session.etag in _tags(known)
    else:
        is_same = _is_unmodified_since(request.headers.get("if-modified-since"), session)
    return Response(status_code=304, headers=cache_headers(session)) if is_same else None


def _tags(header: str) -> set[str]:
    """Weak comparison: the opaque parts. A tag without quotes counts too, as lists of the real service show them."""
    quoted = set(_TAG.findall(header))
    return quoted or {part.strip() for part in header.split(",")}


def _is_unmodified_since(header: str | None, session: Session) -> bool:
    if header is None:
        return False
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return False
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return session.updated_at.replace(microsecond=0) <= aware
