"""The whole program in this process, with its clock in the test's hand, and people who use its front door."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from specloop.db.uow import ALL_WORKSPACES
from specloop.identity.workspaces.keeping import Keeping
from specloop.main import Program, running
from specloop.record.sessions.compression import unpack
from specloop.settings import Settings
from specloop.testing.clock import FakeClock
from specloop.transport.net import ListenAddress
from tests.record.specstory.cli_emulator import LocalSession

DAY = 86_400
WAIT_SECONDS_MAX = 60.0
FTS = {"fts_words", "fts_prefixes"}


@dataclass
class House:
    """A running program."""

    program: Program
    clock: FakeClock
    client: AsyncClient
    folder: Path

    async def register(self) -> Person:
        """A new account."""
        email = f"{secrets.token_hex(6)}@test.com"
        body = {"email": email, "password": "devpass", "tenant_name": "Test"}
        answer = await self.client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return Person(self, answer.json(), email)

    @property
    def keeping(self) -> Keeping:
        """What the nightly job calls."""
        return self.program.assembly.get(Keeping)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def count(self, table: str, **where: str) -> int:
        """The rows of a table with these values, in all workspaces."""
        conditions = " AND ".join(f"{name} = :{name}" for name in where) or "1 = 1"
        async with self.program.ground.database.reading(ALL_WORKSPACES) as unit:
            query = text(f"SELECT count(*) FROM {table} WHERE {conditions}")
            return await unit.session.scalar(query, where) or 0

    async def traces_of(self, workspace_id: str) -> set[str]:
        """The ids of all traces that the telemetry store has of a workspace."""
        rows = await self.program.ground.telemetry.query(
            "SELECT DISTINCT lower(hex(trace_id)) AS id FROM spans WHERE workspace_id = {workspace_id:UUID}",
            workspace_id=workspace_id,
        )
        return {row["id"] for row in rows}

    async def places_of(self, *needles: bytes) -> set[str]:
        """Where in the state store, down to virtual tables and what is compressed, one of the needles stands."""
        async with self.program.ground.database.reading(ALL_WORKSPACES) as unit:
            connection = await unit.session.connection()
            names = await connection.run_sync(_table_names)
            found: set[str] = set()
            for name in names:
                if name in FTS:
                    continue  # keep no rows; their words are looked at below, and their pages are tables of their own
                rows = await connection.execute(text(f'SELECT * FROM "{name}"'))
                if any(_holds(value, needles) for row in rows for value in row):
                    found.add(name)
            for name in FTS & set(names):
                found |= {name for word in await connection.run_sync(_words, name) if _holds(word, needles)}
            return found

    def files_with(self, *needles: bytes) -> set[str]:
        """The files below the data folder, without the telemetry store, in which one of the needles stands."""
        paths = [path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".log"]
        return {
            str(path.relative_to(self.folder))
            for path in paths
            if any(needle in path.read_bytes() for needle in needles)
        }


def _table_names(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


def _words(connection: Connection, table: str) -> list[str]:
    """Every word that the index knows (https://sqlite.org/fts5.html#the_fts5vocab_virtual_table_module)."""
    connection.execute(text("DROP TABLE IF EXISTS temp.words_of"))
    connection.execute(text(f"CREATE VIRTUAL TABLE temp.words_of USING fts5vocab('main', '{table}', 'row')"))
    return list(connection.execute(text("SELECT term FROM temp.words_of")).scalars())


def _holds(value: object, needles: tuple[bytes, ...]) -> bool:
    if isinstance(value, memoryview):
        value = value.tobytes()
    if isinstance(value, bytes):
        try:
            plain = unpack(value)
        except ValueError:
            plain = b""
        return any(needle in value or needle in plain for needle in needles)
    return any(needle in str(value).encode() for needle in needles)


@dataclass
class Person:
    """An owner with an account and its first workspace."""

    house: House
    body: dict[str, Any]
    email: str

    @property
    def account_id(self) -> str:
        """The account."""
        return self.body["account_id"]

    @property
    def workspace_id(self) -> str:
        """The first workspace, where sessions go."""
        return self.body["workspace_id"]

    @property
    def path(self) -> str:
        """The prefix of the workspace's routes."""
        return f"/api/v1/workspaces/{self.workspace_id}"

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Response:
        """Send a request that must be answered with `status`."""
        sent = {"Authorization": f"Bearer {self.body['access_token']}", **headers}
        answer = await self.house.client.request(method, path, json=body, headers=sent)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer

    async def sign_in(self) -> None:
        """Again, after the clock went on."""
        answer = await self.house.client.post("/api/v1/auth/login", json={"email": self.email, "password": "devpass"})
        assert answer.status_code == 200, answer.text
        self.body.update(answer.json())

    async def upload(self, session: LocalSession, project: str = "widgets", **metadata: Any) -> None:
        """Upload a session."""
        body = {
            "projectName": project,
            "name": session.name,
            "markdown": session.markdown,
            "rawData": session.raw,
            "sessionData": session.session_data or None,
            "metadata": {"agentName": session.agent, **metadata},
        }
        path = f"/api/v1/projects/{project}/sessions/{session.session_id}"
        sent = {"Authorization": f"Bearer {self.body['access_token']}"}
        answer = await self.house.client.put(path, json=body, headers=sent)
        assert answer.status_code in {200, 201}, answer.text

    async def key(self, workspace_id: str = "") -> str:
        """A new key of the workspace."""
        path = f"/api/v1/workspaces/{workspace_id or self.workspace_id}/keys"
        return (await self.ask("POST", path, {"name": secrets.token_hex(4)}, 201)).json()["key"]

    async def send_trace(self, key: str, trace_id: str, *, days_old: float = 0, word: str = "", spans: int = 2) -> None:
        """Send a trace that ended some days ago and wait until it can be read."""
        end = int((self.house.clock.now().timestamp() - days_old * DAY) * 1e9)
        rows = [
            {
                "traceId": trace_id,
                "spanId": secrets.token_hex(8),
                "name": f"step {number} {word}",
                "startTimeUnixNano": str(end - 1_000_000),
                "endTimeUnixNano": str(end),
                "attributes": [{"key": "input.value", "value": {"stringValue": f"asked {word}"}}],
            }
            for number in range(spans)
        ]
        body: dict[str, Any] = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": rows}]}]}
        answer = await self.house.client.post("/otel/v1/traces", json=body, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        assert "partialSuccess" not in answer.json(), answer.text


@asynccontextmanager
async def open_house(state_url: str, telemetry_url: str, folder: Path) -> AsyncGenerator[House]:
    """The program on these stores."""
    clock = FakeClock(datetime.now(UTC))
    settings = Settings.model_validate(
        {
            "data": folder,
            "state_url": state_url,
            "telemetry_url": telemetry_url,
            "registrations_per_hour": 1_000_000,
            "rate_user_per_minute": 1_000_000,
        }
    )
    address = ListenAddress("127.0.0.1", 8000)
    async with running(settings, base64.b64encode(secrets.token_bytes(24)), [address], clock) as program:
        transport = ASGITransport(program.app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", timeout=60) as client:
            yield House(program, clock, client, folder)
