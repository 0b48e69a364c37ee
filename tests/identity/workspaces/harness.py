"""A small program around routers: real stores, real guards and errors, and a gate that believes a header.

`Authorization: Bearer <name>` names one of the people that the test made, so that tests of these routers need no
sign-in; who may see what still comes from the tables.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import insert
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from specloop.app.errors import render, translate
from specloop.db import replies
from specloop.db.base import Base
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import NotFound, SpecloopError, Unauthenticated
from specloop.identity import workspaces
from specloop.identity.accounts.tables import AccountMemberRow, AccountRow, UserRow
from specloop.identity.keys import KeyService
from specloop.identity.scopes import AccountRole, WorkspaceRole, account_scopes, workspace_scopes
from specloop.identity.workspaces import repository
from specloop.kit.clock import Clock, SystemClock
from specloop.kit.context import CredentialKind, Principal
from specloop.kit.crypto import Pepper
from specloop.kit.ids import new_id
from specloop.transport.guard import Admission
from specloop.transport.routing import Door

assert replies  # its table takes part in `create_all`


class Gate:
    """Resolves names to principals, and `sk_live_…` through the key service."""

    def __init__(self, database: Database, clock: Clock, keys: KeyService) -> None:
        self.people: dict[str, Principal] = {}
        self._database = database
        self._clock = clock
        self._keys = keys

    async def authenticate(self, connection: HTTPConnection, audiences: frozenset[str] = frozenset()) -> Principal:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if token in self.people:
            return self.people[token]
        async with self._database.reading(ALL_WORKSPACES) as unit:
            found = await self._keys.resolve(Context(SOMEBODY, unit, self._clock), token)
        if found is None:
            raise Unauthenticated
        return found

    async def enter(self, principal: Principal, workspace_id: str) -> Principal:
        if principal.kind is CredentialKind.API_KEY:
            if principal.workspace_id != workspace_id:
                raise NotFound("Workspace not found")
            return principal
        async with self._database.reading(ALL_WORKSPACES) as unit:
            ctx = Context(principal, unit, self._clock)
            workspace = await workspaces.find(ctx, workspace_id)
            role = await workspaces.role_of(ctx, workspace_id, principal.user_id or "")
        if workspace is None or workspace.account_id != principal.account_id:
            raise NotFound("Workspace not found")
        scopes = workspace_scopes(AccountRole(principal.account_role or "member"), role)
        if not scopes:
            raise NotFound("Workspace not found")
        return replace(principal, workspace_id=workspace_id, scopes=scopes)

    async def enter_default(self, principal: Principal) -> Principal:
        raise AssertionError(f"no route of workspaces enters a default one for {principal.name}")

    async def admit(self, principal: Principal, client_ip: str, budget: object = None) -> Admission:
        del principal, client_ip
        return Admission(600, 599, 60)


SOMEBODY = Principal(account_id="", kind=CredentialKind.SYSTEM)


@dataclass
class World:
    """One running program and the people in it."""

    database: Database
    clock: Clock
    gate: Gate
    keys: KeyService
    app: FastAPI
    http: AsyncClient
    account_id: str = ""
    workspace_id: str = ""
    ids: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def base(self) -> str:
        """The path of the first workspace."""
        return f"/api/v1/workspaces/{self.workspace_id}"

    async def call(self, who: str, method: str, path: str, **options: Any) -> Response:
        """One request as `who`; a path without a leading slash is below the first workspace."""
        headers = {"Authorization": f"Bearer {who}", **options.pop("headers", {})}
        target = path if path.startswith("/") else f"{self.base}/{path}".rstrip("/")
        return await self.http.request(method, target, headers=headers, **options)

    @asynccontextmanager
    async def writing(self, who: str = "owner", workspace_id: str | None = None) -> AsyncGenerator[Context]:
        """A unit of work as `who` inside the first workspace (or another)."""
        inside = workspace_id or self.workspace_id
        principal = await self.gate.enter(self.gate.people[who], inside)
        async with self.database.writing(inside) as unit:
            yield Context(principal, unit, self.clock)

    async def add_account(self) -> str:
        """A further account."""
        account_id = new_id()
        now = self.clock.now()
        async with self.database.writing(ALL_WORKSPACES) as unit:
            await unit.session.execute(
                insert(AccountRow).values(
                    id=account_id, name="Acme", plan="self-hosted", settings={}, is_system=False, status="active",
                    version=1, created_at=now, updated_at=now,
                )
            )  # fmt: skip
        return account_id

    async def add_person(
        self, name: str, account_role: AccountRole = AccountRole.MEMBER, role: WorkspaceRole | None = None,
        account_id: str | None = None,
    ) -> str:  # fmt: skip
        """A user who may now act as `name`, with a place in the first workspace if a role is given."""
        user_id, account, now = new_id(), account_id or self.account_id, self.clock.now()
        principal = Principal(
            account, CredentialKind.SESSION, user_id, None, account_scopes(account_role), account_role, name=name
        )
        async with self.database.writing(ALL_WORKSPACES) as unit:
            await unit.session.execute(
                insert(UserRow).values(
                    id=user_id, account_id=account, email=f"{name}@test.com", name=name, timezone="UTC",
                    password_hash=None, status="active", version=1, created_at=now, updated_at=now,
                )
            )  # fmt: skip
            await unit.session.execute(
                insert(AccountMemberRow).values(
                    account_id=account, user_id=user_id, role=account_role, operations_scopes=[], joined_at=now
                )
            )
            if role is not None:
                ctx = Context(principal, unit, self.clock)
                workspace = await repository.get(ctx, self.workspace_id)
                assert workspace is not None
                await repository.add_member(ctx, workspace, user_id, role)
        self.gate.people[name] = principal
        self.ids[name] = user_id
        return user_id

    async def first_workspace(self, who: str) -> str:
        """What registration makes."""
        principal = self.gate.people[who]
        async with self.database.writing(ALL_WORKSPACES) as unit:
            ctx = Context(SOMEBODY, unit, self.clock)
            made = await workspaces.create_first(ctx, principal.account_id, principal.user_id or "", f"{who}'s")
        return made.id


@asynccontextmanager
async def running_world(
    database: Database,
    routers: Iterable[APIRouter],
    services: dict[type, Any] | None = None,
    clock: Clock | None = None,
) -> AsyncGenerator[World]:
    """A program with an owner, an admin, a contributor and an observer in one workspace, and a stranger in another."""
    clock = clock or SystemClock()
    async with database.writer_engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    keys = KeyService(Pepper(b"pepper"))
    gate = Gate(database, clock, keys)
    app = _app(routers)
    app.state.door = Door(database, gate, clock)
    app.state.services = {KeyService: keys, **(services or {})}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as http:
        world = World(database, clock, gate, keys, app, http)
        world.account_id = await world.add_account()
        await world.add_person("owner", AccountRole.OWNER)
        world.workspace_id = await world.first_workspace("owner")
        for role in WorkspaceRole:
            await world.add_person(role.value, role=role)
        await world.add_person("stranger", AccountRole.OWNER, account_id=await world.add_account())
        yield world


def _app(routers: Iterable[APIRouter]) -> FastAPI:
    app = FastAPI()
    for router in routers:
        app.include_router(router)

    async def on_error(request: Request, error: Exception) -> Any:
        return render(translate(error), request)

    for kind in (SpecloopError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, on_error)
    return app
