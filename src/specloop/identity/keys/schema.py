"""API keys on the wire (spectral.md §1.3 router 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from specloop.identity.keys.model import ApiKey, KeyStatus
from specloop.identity.keys.service import NewKey
from specloop.identity.scopes import KEY_SCOPES
from specloop.transport.schema import Input, Moment, Name, Output

GRACE_SECONDS_MAX = 30 * 24 * 3600


class KeyCreate(Input):
    """A new key; without `expires_at` it lives until revoked."""

    name: Name
    expires_at: AwareDatetime | None = None


class KeyRotate(Input):
    """How long the old secret stays valid, in seconds."""

    grace_s: Annotated[int, Field(ge=0, le=GRACE_SECONDS_MAX)] = 0


class KeyBody(Output):
    """A key without its secret."""

    key_id: str
    name: str
    prefix: str
    last4: str
    scopes: list[str]
    created_at: Moment
    created_by: str | None
    last_used_at: Moment | None
    expires_at: Moment | None
    revoked_at: Moment | None
    rotated_from: str | None
    status: KeyStatus


class NewKeyBody(KeyBody):
    """A key with its secret: the one answer that ever shows it; a replayed answer has null there."""

    key: str | None


def render_key(key: ApiKey, now: datetime) -> dict[str, Any]:
    """The members of `KeyBody`."""
    return {
        "key_id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "last4": key.last4,
        "scopes": sorted(KEY_SCOPES),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "last_used_at": key.last_used_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "rotated_from": key.rotated_from,
        "status": key.status_at(now),
    }


def render_new_key(fresh: NewKey, now: datetime) -> dict[str, Any]:
    """The members of `NewKeyBody`."""
    return {"key": fresh.secret, **render_key(fresh.key, now)}
