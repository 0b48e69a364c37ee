"""A tenant as a client sees it: a registered owner, the first workspace, and requests in its name."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

PASSWORD = "devpass"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An owner's client; `path` is the workspace's prefix."""

    client: httpx.Client
    email: str
    token: str
    refresh_token: str
    user_id: str
    account_id: str
    workspace_id: str

    @property
    def path(self) -> str:
        """The prefix of the workspace's routes."""
        return f"/api/v1/workspaces/{self.workspace_id}"

    def make_key(self, name: str = "key") -> str:
        """A new key's secret."""
        answer = self.client.post(f"{self.path}/keys", json={"name": name})
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        """The JSON of a POST below the workspace that must answer `status`."""
        answer = self.client.post(f"{self.path}{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@contextmanager
def register(url: str, email: str) -> Generator[Tenant]:
    """A new account."""
    with httpx.Client(base_url=url, timeout=60) as client:
        body = {"email": email, "password": PASSWORD, "tenant_name": "Test"}
        answer = client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        client.headers["authorization"] = f"Bearer {made['access_token']}"
        yield Tenant(
            client,
            email,
            made["access_token"],
            made["refresh_token"],
            made["user_id"],
            made["account_id"],
            made["workspace_id"],
        )
