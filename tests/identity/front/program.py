"""The real application around identity, spoken to over HTTP: real stores, real gate, real error renderers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from httpx import ASGITransport, AsyncClient, Response

from specloop.app.http import Parts, build_app
from specloop.db.blobs import BlobStore
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity.assembly import Ground, Identity, IdentityOptions, build_identity
from specloop.identity.keys import KeyService
from specloop.identity.keys.rest import router as keys_router
from specloop.identity.workspaces.rest import routers as workspace_routers
from specloop.kit.context import ANONYMOUS, RequestInfo
from specloop.kit.crypto import Pepper
from specloop.testing.clock import FakeClock
from specloop.transport.limits import open_limiter
from specloop.transport.routing import Door

ORIGIN = "http://127.0.0.1:8000"
PASSWORD = "devpass"


@dataclass
class Visitor:
    """Somebody with a token."""

    client: AsyncClient
    body: dict[str, Any]
    email: str
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def user_id(self) -> str:
        return self.body["user_id"]

    @property
    def account_id(self) -> str:
        return self.body["account_id"]

    @property
    def workspace_id(self) -> str:
        return self.body["workspace_id"]

    @property
    def token(self) -> str:
        return self.body["access_token"]

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Send a request with the bearer token."""
        sent = {"Authorization": f"Bearer {self.token}", **self.headers, **headers}
        return await self.client.request(method, path, json=body, headers=sent)

    async def get(self, path: str, **headers: str) -> Response:
        return await self.ask("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Response:
        return await self.ask("POST", path, body, **headers)

    async def patch(self, path: str, body: Any = None, **headers: str) -> Response:
        return await self.ask("PATCH", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> Response:
        return await self.ask("DELETE", path, **headers)


@dataclass
class Program:
    """A running program."""

    database: Database
    identity: Identity
    ground: Ground
    clock: FakeClock
    app: FastAPI
    client: AsyncClient

    def browser(self, address: str = "127.0.0.1", base_url: str = ORIGIN) -> AsyncClient:
        """Another client of the same server, at its own address and with its own cookies."""
        transport = ASGITransport(self.app, client=(address, 40_000), raise_app_exceptions=False)
        return AsyncClient(transport=transport, base_url=base_url)

    async def register(self, email: str, password: str = PASSWORD, **more: Any) -> Visitor:
        """A new user with an account."""
        body = {"email": email, "password": password, "tenant_name": "Acme", **more}
        answer = await self.client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return Visitor(self.client, answer.json(), email)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Response:
        return await self.client.post("/api/v1/auth/login", json={"email": email, "password": password})

    async def visitor(self, email: str, password: str = PASSWORD) -> Visitor:
        """A known user, signed in afresh."""
        answer = await self.sign_in(email, password)
        assert answer.status_code == 200, answer.text
        return Visitor(self.client, answer.json(), email)

    async def invite(self, owner: Visitor, email: str, role: str = "member", **places: str) -> str:
        """The token of a new invitation; `places` are role=workspace id."""
        body = {
            "email": email,
            "account_role": role,
            "workspaces": [{"id": place, "role": place_role} for place_role, place in places.items()],
        }
        answer = await owner.post("/api/v1/account/invites", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]

    async def member(self, owner: Visitor, email: str, role: str = "member", **places: str) -> Visitor:
        """A new user who joined the owner's account through an invitation."""
        token = await self.invite(owner, email, role, **places)
        return await self.register(email, invite_token=token)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Context]:
        """A unit of the program itself, such as a command line opens."""
        async with self.database.writing(ALL_WORKSPACES) as unit:
            yield Context(ANONYMOUS, unit, self.clock, RequestInfo())

    def service(self, kind: type[Any]) -> Any:
        return self.identity.services[kind]


@asynccontextmanager
async def running(
    database: Database, folder: Path, *, routers: Sequence[APIRouter] = (), **options: Any
) -> AsyncGenerator[Program]:
    """The program over `database` with more `routers`; options override `IdentityOptions`."""
    clock = FakeClock()
    pepper = Pepper(b"p" * 32)
    ground = Ground(
        database=database,
        clock=clock,
        pepper=pepper,
        limiter=open_limiter("", clock),
        blobs=BlobStore.open(f"file://{folder}/blobs"),
        keys=KeyService(pepper),
    )
    chosen = IdentityOptions(folder=folder, public_url=ORIGIN, is_registration_open=True, password_memory_kib=64)
    identity = await build_identity(ground, replace(chosen, **options))
    app = build_app(
        Parts(
            door=Door(database, identity.gate, clock),
            services=identity.services,
            routers=(*identity.routers, *workspace_routers, keys_router, *routers),
        )
    )
    transport = ASGITransport(app, raise_app_exceptions=False)
    try:
        async with AsyncClient(transport=transport, base_url=ORIGIN) as client:
            yield Program(database, identity, ground, clock, app, client)
    finally:
        identity.close()
