"""The table of webhooks. The signing secret is not in it: it is derived from the server's key and the salt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, WorkspaceScoped


class WebhookRow(WorkspaceScoped, Base):
    """One address that wants a workspace's events."""

    __tablename__ = "workspace_webhooks"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(String(2000))
    events: Mapped[list[Any]]
    salt: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20))
    last_event_id: Mapped[str] = mapped_column(ID, default="")
    last_sent_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(ID)
