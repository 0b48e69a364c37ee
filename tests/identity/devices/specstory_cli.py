"""SpecStory's command line as far as sign-in goes: its headers, its decisions (specstory.md §1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from httpx import AsyncClient, Response

from specloop.kit.clock import parse_time
from tests.identity.front.program import Program, Visitor

USER_AGENT = "specstory-cli/2.8.0 SpecStory, Inc."
HEADERS = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip"}
MACHINE = {
    "hostname": "laptop",
    "username": "dev",
    "os": "linux",
    "os_version": "6.1",
    "os_display_name": "Linux",
    "architecture": "amd64",
    "client": "specstory-cli",
    "client_version": "2.8.0",
}


async def make_code(owner: Visitor) -> str:
    """A fresh code."""
    answer = await owner.post("/api/v1/auth/device-codes")
    assert answer.status_code == 201, answer.text
    return answer.json()["code"]


async def device_login(client: AsyncClient, code: Any, **more: Any) -> Response:
    """The request of `specstory login`."""
    body = {"device_code": code, **MACHINE, **more}
    return await client.post("/api/v1/device-login", json=body, headers=HEADERS)


async def device_refresh(client: AsyncClient, token: str) -> Response:
    """The request for an access token: no body."""
    return await client.post("/api/v1/device-refresh", headers={**HEADERS, "Authorization": f"Bearer {token}"})


async def device_logout(client: AsyncClient, token: str) -> Response:
    """The request of `specstory logout`."""
    return await client.post("/api/v1/device-logout", headers={**HEADERS, "Authorization": f"Bearer {token}"})


def asks_again(answer: Response) -> bool:
    """Whether the command line would ask for another code: it looks for two words in lower case."""
    text = answer.json()["error"]
    return answer.status_code == 401 and ("invalid" in text or "expired" in text)


def lifetime(body: dict[str, Any]) -> float:
    """Seconds from `createdAt` to `expiresAt`."""
    created: datetime = parse_time(body["createdAt"])
    return (parse_time(body["expiresAt"]) - created).total_seconds()


@dataclass(frozen=True, slots=True)
class Linked:
    """A signed-in command line."""

    client: AsyncClient
    refresh_token: str
    access_token: str

    async def send(self, method: str, path: str, **options: Any) -> Response:
        """A request with the access token."""
        headers = {**HEADERS, "Authorization": f"Bearer {self.access_token}"}
        return await self.client.request(method, path, headers=headers, **options)


async def linked(program: Program, owner: Visitor) -> Linked:
    """What `specstory login` does: a code for a refresh token, and that for an access token."""
    login = await device_login(program.client, await make_code(owner))
    assert login.status_code == 200, login.text
    refresh_token = login.json()["refreshToken"]
    fresh = await device_refresh(program.client, refresh_token)
    assert fresh.status_code == 200, fresh.text
    return Linked(program.client, refresh_token, fresh.json()["accessToken"])
