"""What a use case is given: who asks, the open transaction, the time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncSession

from specloop.db.uow import UnitOfWork
from specloop.errors import NotFound
from specloop.kit.clock import Clock, SystemClock
from specloop.kit.context import Principal, RequestInfo


@dataclass(frozen=True, slots=True)
class Context:
    """The first argument of every service and repository function."""

    principal: Principal
    uow: UnitOfWork
    clock: Clock = field(default_factory=SystemClock)
    request: RequestInfo = field(default_factory=RequestInfo)

    @property
    def session(self) -> AsyncSession:
        """The session of the open transaction."""
        return self.uow.session

    @property
    def workspace_id(self) -> str:
        """The workspace the caller stands in.

        Raises: NotFound when the caller has chosen none.
        """
        if self.principal.workspace_id is None:
            raise NotFound("Workspace not found")
        return self.principal.workspace_id

    def acting_as(self, principal: Principal) -> Context:
        """The same transaction for another principal."""
        return replace(self, principal=principal)
