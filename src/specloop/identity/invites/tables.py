"""The table of invitations. Only the token's digest is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base


class InviteRow(Base):
    """One invitation; `workspaces` is a list of {id, role}."""

    __tablename__ = "invites"
    __table_args__ = (Index("ix_invites_account_email", "account_id", "email"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    account_role: Mapped[str] = mapped_column(String(20))
    workspaces: Mapped[list[Any]]
    status: Mapped[str] = mapped_column(String(20))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None] = mapped_column(ID)
