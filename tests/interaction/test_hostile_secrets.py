"""What the server lets out: sign-in that tells nothing about users, crashes that tell nothing about the inside, and a
log that holds no secret.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.interaction.tenant import PASSWORD, Tenant, register
from tests.server import started_server

INSIDE = ("Traceback", "sqlite", "sqlalchemy", "asyncpg", "File ", ".py", "SELECT", "no such table", "api_keys")


def without_request(answer: httpx.Response) -> dict[str, Any]:
    """A problem without the request's own id."""
    return {name: value for name, value in answer.json().items() if name != "instance"}


def test_an_unknown_user_and_a_wrong_password_are_answered_alike(server: str, tenant: Tenant) -> None:
    bodies = [
        {"email": tenant.email, "password": "wrong password"},
        {"email": f"{secrets.token_hex(8)}@test.com", "password": "wrong password"},
        {"email": f"{secrets.token_hex(8)}@test.com", "password": "w" * 200},
        {"email": tenant.email, "password": "w" * 200},
    ]
    answers = [httpx.post(f"{server}/api/v1/auth/login", json=body, timeout=60) for body in bodies]
    assert {answer.status_code for answer in answers} == {401}
    assert all(without_request(answer) == without_request(answers[0]) for answer in answers)
    assert {tuple(sorted(answer.headers)) for answer in answers} == {tuple(sorted(answers[0].headers))}


def test_a_reset_tells_nothing_about_users(server: str, tenant: Tenant) -> None:
    known = httpx.post(f"{server}/api/v1/auth/reset-password", json={"email": tenant.email}, timeout=60)
    unknown = httpx.post(f"{server}/api/v1/auth/reset-password", json={"email": "nobody@test.com"}, timeout=60)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")


def test_a_password_that_is_too_long_is_refused_before_it_is_hashed(server: str, tenant: Tenant) -> None:
    # A hash of any length of password is refused by its length alone: no place in the hashing queue is taken, so a
    # thousand of them at once are answered while one real sign-in still gets its turn.
    with httpx.Client(base_url=server, timeout=60) as client:
        for length in (129, 1_000, 100_000, 1_000_000):
            body = {"email": f"{secrets.token_hex(8)}@test.com", "password": "p" * length, "tenant_name": "T"}
            refused = client.post("/api/v1/auth/register", json=body)
            assert refused.status_code == 422, length
            assert "p" * 129 not in refused.text
        changed = tenant.client.post("/api/v1/auth/me/password", json={"current": PASSWORD, "new": "p" * 129})
        assert changed.status_code == 422
        signed_in = client.post("/api/v1/auth/login", json={"email": tenant.email, "password": PASSWORD})
        assert signed_in.status_code == 200


def test_what_was_sent_is_not_sent_back(server: str) -> None:
    body = {"email": "no address", "password": "hunter2secret", "tenant_name": "T"}
    answer = httpx.post(f"{server}/api/v1/auth/register", json=body, timeout=60)
    assert answer.status_code == 422
    assert "hunter2secret" not in answer.text


class Loose:
    """A server of this file's own that logs everything, with its folder within reach."""

    def __init__(self, url: str, data: Path) -> None:
        self.url = url
        self.data = data

    @property
    def log(self) -> str:
        """Everything it printed."""
        return (self.data / "server.log").read_text("utf-8")


@pytest.fixture
def loose(tmp_path: Path) -> Iterator[Loose]:
    """Started at the most talkative level."""
    data = tmp_path / "data"
    with started_server(data, SPECLOOP_LOG_LEVEL="debug", SPECLOOP_METRICS_TOKEN="metrics-hunter2") as url:
        yield Loose(url, data)


def test_the_log_holds_no_secret_and_a_crash_tells_only_its_incident(loose: Loose) -> None:
    with register(loose.url, "owner@test.com") as tenant:
        spilled = use_every_secret(tenant, loose.url)
        break_store(loose.data)
        crashed = tenant.client.get(f"{tenant.path}/keys")
        assert crashed.status_code == 500
        incident = crashed.json()["incident_id"]
        assert not [word for word in INSIDE if word in crashed.text], crashed.text
        assert incident in loose.log, "the operator finds it"
        assert "no such table" in loose.log
    for name, secret in spilled.items():
        assert secret not in loose.log, name


def use_every_secret(tenant: Tenant, url: str) -> dict[str, str]:
    """Send each kind of secret where it belongs and where it does not; what must not be in the log."""
    key = tenant.make_key()
    invited = tenant.client.post("/api/v1/account/invites", json={"email": "guest@test.com"}).json()["token"]
    renewed = httpx.post(f"{url}/api/v1/auth/login", json={"refresh_token": tenant.refresh_token}, timeout=60).json()
    spilled = {
        "password": "correct-horse-hunter2",
        "wrong password": "wrong-hunter2-password",
        "access token": tenant.token,
        "renewed token": renewed["access_token"],
        "refresh token": tenant.refresh_token,
        "new refresh token": renewed["refresh_token"],
        "key": key,
        "invitation": invited,
        "metrics token": "metrics-hunter2",
    }
    account = {"email": "guest@test.com", "password": spilled["password"], "invite_token": invited}
    assert httpx.post(f"{url}/api/v1/auth/register", json=account, timeout=60).status_code == 201
    wrong = {"email": "guest@test.com", "password": spilled["wrong password"]}
    assert httpx.post(f"{url}/api/v1/auth/login", json=wrong, timeout=60).status_code == 401
    for secret in spilled.values():
        headers = {"authorization": f"Bearer {secret}", "x-request-id": "r", "cookie": f"__Host-session={secret}"}
        for path in ("/api/v1/auth/me", "/metrics", f"/api/v1/workspaces/{tenant.workspace_id}/agents"):
            httpx.get(f"{url}{path}", headers=headers, params={"token": secret}, timeout=60)
        httpx.post(f"{url}/otel/v1/traces", content=secret, headers=headers, timeout=60)
        httpx.get(f"{url}/app/setup", params={"token": secret}, timeout=60)
    return spilled


def break_store(data: Path) -> None:
    """Take a table away, so that something happens which nobody expects."""
    with sqlite3.connect(data / "state.db", timeout=30) as store:
        store.execute("ALTER TABLE api_keys RENAME TO gone")
