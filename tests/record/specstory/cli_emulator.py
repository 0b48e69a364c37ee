"""SpecStory's command line as far as sync goes, byte for byte: headers, Go's JSON, gzip, skip rule, retries, cooldown.

Written from specstory.md §1.1, §1.2 and §5. Time is passed in where the client waits, so that no test has to.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.identity.devices.specstory_cli import MACHINE, USER_AGENT
from tests.record.specstory.go_decoding import DEVICE_LOGIN, DEVICE_REFRESH, SIZES, GoDecodeError, decode

PARALLEL = 10
REFRESH_COOLDOWN_SECONDS = 120.0
SIZES_ATTEMPTS = 3
EARLY = timedelta(minutes=5)
"""A token counts as expired this long before it is."""


@dataclass(frozen=True, slots=True)
class LocalSession:
    """What the client has on disk of one session."""

    session_id: str
    markdown: str
    raw: str
    session_data: str = ""
    name: str = "2026-08-07_13-21-06Z-fix-the-bug"
    agent: str = "Claude Code"
    title: str = "Fix the bug"


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The counters of "Cloud sync complete!"."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    errored: int = 0


@dataclass
class CLI:
    """One process of the command line with its auth file."""

    base: str
    project_id: str = "f60e-cdb1-6e5e-8e82"
    project_name: str = "widgets"
    refresh_token: str = ""
    access_token: str = ""
    access_expires: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    sent: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _failed_refresh_at: float | None = None

    def __post_init__(self) -> None:
        self._client = httpx.AsyncClient(base_url=self.base, timeout=60, limits=httpx.Limits(max_connections=PARALLEL))
        for name in ("accept", "accept-encoding", "connection", "user-agent"):
            self._client.headers.pop(name, None)
        self._refreshing = asyncio.Lock()

    async def __aenter__(self) -> CLI:
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self._client.aclose()

    # Signing in

    async def login(self, code: str) -> httpx.Response:
        """`specstory login`: the code without its dash for a refresh token, then at once an access token."""
        answer = await self._send("POST", "/api/v1/device-login", json={"device_code": code, **MACHINE})
        if answer.is_success:
            self.refresh_token = decode(answer.content, DEVICE_LOGIN)["refreshToken"]
            await self._bearer()
        return answer

    async def logout(self) -> None:
        """`specstory logout`: the answer does not matter."""
        await self._send("POST", "/api/v1/device-logout", headers={"Authorization": f"Bearer {self.refresh_token}"})
        self.refresh_token = self.access_token = ""

    async def _bearer(self) -> str:
        """`Bearer T`; refreshed lazily by one at a time, empty for two minutes after a failure."""
        async with self._refreshing:
            if datetime.now(UTC) < self.access_expires - EARLY:
                return f"Bearer {self.access_token}"
            failed = self._failed_refresh_at
            if failed is not None and self.monotonic() - failed < REFRESH_COOLDOWN_SECONDS:
                return "Bearer "
            headers = {"Authorization": f"Bearer {self.refresh_token}"}
            answer = await self._send("POST", "/api/v1/device-refresh", headers=headers)
            if not answer.is_success:
                self._failed_refresh_at = self.monotonic()
                return "Bearer "
            fresh = decode(answer.content, DEVICE_REFRESH)
            self.access_token, self.access_expires = fresh["accessToken"], fresh["expiresAt"]
            return f"Bearer {self.access_token}"

    # Syncing

    async def sync(self, sessions: Sequence[LocalSession]) -> SyncResult:
        """`specstory sync`: the sizes once, then what has grown, ten at a time."""
        sizes = await self._sizes()
        slots = asyncio.Semaphore(PARALLEL)

        async def one(session: LocalSession) -> str:
            async with slots:
                known = await self._head(session) if sizes is None else _known(sizes, session)
                return "skipped" if _is_covered(session, known) else await self._put(session)

        outcomes = await asyncio.gather(*(one(session) for session in sessions))
        return SyncResult(**{name: outcomes.count(name) for name in ("created", "updated", "skipped", "errored")})

    async def sync_one(self, session: LocalSession) -> str:
        """`specstory sync -s ID`: HEAD, then PUT if needed."""
        return "skipped" if _is_covered(session, await self._head(session)) else await self._put(session)

    async def put(self, session: LocalSession, *, compress: bool = True, **members: Any) -> httpx.Response:
        """The upload; `members` replace those of the body, None leaves one out."""
        body = {name: value for name, value in {**self._body(session), **members}.items() if value is not None}
        data = go_json(body)
        headers = {"Content-Type": "application/json", "Authorization": await self._bearer()}
        if compress:
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        return await self._send("PUT", self.path(session), content=data, headers=headers)

    async def head(self, session_id: str, **headers: str) -> httpx.Response:
        """HEAD, which has no Accept header."""
        return await self.ask("HEAD", f"/api/v1/projects/{self.project_id}/sessions/{session_id}", **headers)

    async def ask(self, method: str, path: str, *, body: Any = None, **headers: str) -> httpx.Response:
        """Any request in the client's name; header names have `_` for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {} if body is None else {"json": body}
        authorised = {"Authorization": await self._bearer(), **sent}
        return await self._send(method, path, headers=authorised, accept=None, **options)

    def path(self, session: LocalSession) -> str:
        """Ids are put together as they are, without escaping."""
        return f"/api/v1/projects/{self.project_id}/sessions/{session.session_id}"

    async def _sizes(self) -> dict[str, int] | None:
        path = f"/api/v1/projects/{self.project_id}/sessions/sizes"
        for attempt in range(SIZES_ATTEMPTS):
            if attempt:
                await self.pause(1.0)
            try:
                answer = await self._send("GET", path, headers={"Authorization": await self._bearer()}, accept=None)
                read = decode(answer.content, SIZES)
            except (httpx.HTTPError, GoDecodeError):
                continue
            if answer.status_code == 200 and read["success"]:
                return read["data"]["sessions"]
        return None

    async def _head(self, session: LocalSession) -> tuple[int, int] | None:
        answer = await self.head(session.session_id)
        if answer.status_code != 200:
            return None
        try:
            return int(answer.headers["X-Markdown-Size"]), int(answer.headers.get("X-Session-Data-Size", "0"))
        except (KeyError, ValueError):
            return None

    async def _put(self, session: LocalSession) -> str:
        try:
            answer = await self.put(session)
        except httpx.HTTPError:
            return "errored"
        if not answer.is_success:
            return "errored"
        return "created" if answer.status_code == 201 else "updated"

    def _body(self, session: LocalSession) -> dict[str, Any]:
        metadata = {
            "clientName": "specstory-cli",
            "clientVersion": "2.8.0",
            "agentName": session.agent,
            "deviceId": "0f" * 32,
            "machineName": "laptop",
            "title": session.title,
        }
        return {
            "projectId": self.project_id,
            "projectName": self.project_name,
            "name": session.name,
            "markdown": session.markdown,
            "rawData": session.raw,
            "sessionData": session.session_data or None,
            "metadata": metadata,
        }

    async def _send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: str | None = "application/json",
        **options: Any,
    ) -> httpx.Response:
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **(headers or {})}
        if accept is not None:
            sent["Accept"] = accept
        self.sent.append((method, path))
        return await self._client.send(self._client.build_request(method, path, headers=sent, **options))


def go_json(value: Any) -> bytes:
    """As Go's encoding/json writes it: `<`, `>`, `&` and the two line separators escaped, invalid text replaced."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for one in "<>&\u2028\u2029":
        text = text.replace(one, f"\\u{ord(one):04x}")
    return text.encode("utf-8", "replace")


def _known(sizes: Mapping[str, int], session: LocalSession) -> tuple[int, int] | None:
    if session.session_id not in sizes:
        return None
    return sizes[session.session_id], sizes.get(f"{session.session_id}:sessionData", 0)


def _is_covered(session: LocalSession, known: tuple[int, int] | None) -> bool:
    """The skip rule: not longer than what the server has, and the server has session data."""
    return known is not None and len(session.markdown.encode()) <= known[0] and known[1] > 0


def grown(session: LocalSession, text: str) -> LocalSession:
    """The session with more markdown."""
    return replace(session, markdown=session.markdown + text)
