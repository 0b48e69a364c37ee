"""What the operator does from the data folder's own machine: reset links, staff, closed accounts, the signing key."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.cli.command import Command
from tests.cli.conftest import Terminal
from tests.server import started_server

PASSWORD = "devpass-1"


def register(server: str, email: str) -> dict[str, str]:
    """A fresh user with an account of their own."""
    body = {"email": email, "password": PASSWORD, "tenant_name": "T"}
    made = httpx.post(f"{server}/api/v1/auth/register", json=body, timeout=60).raise_for_status().json()
    return {"authorization": f"Bearer {made['access_token']}"}


def log_in(server: str, email: str, password: str) -> int:
    """The status of a sign-in."""
    body = {"email": email, "password": password}
    return httpx.post(f"{server}/api/v1/auth/login", json=body, timeout=60).status_code


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Commands of somebody who is signed in nowhere."""
    home = tmp_path / "home"
    home.mkdir()
    return Command(home)


def test_the_operator_helps_users_while_the_server_runs(
    server: str, data: Path, terminal: Terminal, email: str
) -> None:
    headers = register(server, email)
    made = terminal("users", "reset-link", email, "--data", str(data), "--json")
    assert made.code == 0, made.err
    token = parse_qs(urlsplit(str(made.document["url"])).query)["token"][0]
    body = {"token": token, "new_password": "another-pass"}
    assert httpx.post(f"{server}/api/v1/auth/reset-password", json=body, timeout=60).status_code == 204
    assert log_in(server, email, "another-pass") == 200
    assert log_in(server, email, PASSWORD) == 401

    assert httpx.get(f"{server}/api/v1/auth/me", headers=headers, timeout=60).status_code == 401
    assert terminal("users", "make-staff", email, "--data", str(data)).code == 0
    entered = httpx.post(
        f"{server}/api/v1/auth/login", json={"email": email, "password": "another-pass"}, timeout=60
    ).json()
    me = httpx.get(
        f"{server}/api/v1/auth/me", headers={"authorization": f"Bearer {entered['access_token']}"}, timeout=60
    ).json()
    assert "read:operations" in str(me), me

    assert terminal("users", "reset-link", "nobody@test.com", "--data", str(data)).code == 4
    assert terminal("keys", "rotate-signing", "--data", str(data)).code != 0, "a server holds the folder"


def test_a_closed_account_opens_again(server: str, data: Path, terminal: Terminal, email: str) -> None:
    headers = register(server, email)
    account = httpx.get(f"{server}/api/v1/account", headers=headers, timeout=60).json()
    closed = httpx.post(
        f"{server}/api/v1/account/delete",
        headers=headers,
        json={"confirm": account["name"], "password": PASSWORD},
        timeout=60,
    )
    assert closed.status_code in {200, 202, 204}, closed.text
    assert log_in(server, email, PASSWORD) == 401
    assert terminal("accounts", "restore", account["id"], "--data", str(data)).code == 0
    assert log_in(server, email, PASSWORD) == 200


def test_the_next_start_signs_with_the_new_key_and_knows_the_old_one(tmp_path: Path, command: Command) -> None:
    data = tmp_path / "data"
    with started_server(data) as server:
        headers = register(server, "dev@test.com")
        before = httpx.get(f"{server}/.well-known/jwks.json", timeout=60).json()["keys"]
    rotated = command("keys", "rotate-signing", "--data", str(data), "--json")
    assert rotated.code == 0, rotated.err
    with started_server(data) as server:
        after = {key["kid"] for key in httpx.get(f"{server}/.well-known/jwks.json", timeout=60).json()["keys"]}
        assert after == {before[0]["kid"], rotated.document["kid"]}
        assert httpx.get(f"{server}/api/v1/auth/me", headers=headers, timeout=60).status_code == 200
