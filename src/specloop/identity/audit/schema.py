"""An audit event on the wire."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from specloop.identity.audit.model import AuditEvent
from specloop.kit.clock import format_time


class AuditEventBody(BaseModel):
    """One recorded act (spectral.md §1.3 router 2, `GET /audit`)."""

    id: str
    workspace_id: str | None
    actor_id: str
    actor_kind: str
    actor_name: str
    action: str
    target_type: str
    target_id: str
    detail: dict[str, Any]
    request_id: str
    client_ip: str
    at: str


def render_event(event: AuditEvent) -> dict[str, Any]:
    """The members of `AuditEventBody`."""
    body = asdict(event)
    del body["account_id"]
    return {**body, "at": format_time(event.at)}
