"""`specloop devices` beside a running server: codes with and without a sign-in, the list, revoking."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Terminal
from tests.server import free_port


def link(server: str, code: str) -> httpx.Response:
    """What `specstory login` sends."""
    body = {"device_code": code, "hostname": "laptop", "client": "specstory-cli"}
    return httpx.post(f"{server}/api/v1/device-login", json=body, timeout=30)


def test_the_operator_makes_a_code_while_the_server_runs(
    signed_in: Terminal, server: str, data: Path, email: str
) -> None:
    said = signed_in("devices", "code", "--email", email, "--data", str(data), "--json")
    assert said.code == 0, said.err
    assert set(said.document) == {"code", "expires_at"}
    assert re.fullmatch("[A-Za-z0-9]{6}", said.document["code"])
    linked = link(server, said.document["code"])
    assert linked.json()["user"] == {"email": email}
    refreshed = httpx.post(
        f"{server}/api/v1/device-refresh",
        headers={"Authorization": f"Bearer {linked.json()['refreshToken']}"},
        timeout=60,
    )
    assert refreshed.status_code == 200


def test_a_signed_in_user_makes_a_code_and_revokes_the_device(signed_in: Terminal, server: str) -> None:
    shown = signed_in("devices", "code")
    assert shown.code == 0, shown.err
    code = re.search("[A-Za-z0-9]{3}-[A-Za-z0-9]{3}", shown.out)
    assert code is not None
    assert link(server, code[0].replace("-", "")).status_code == 200
    (device,) = signed_in("devices", "list", "--json").document
    assert device["name"] == "laptop"
    assert "laptop" in signed_in("devices", "list").out
    assert signed_in("devices", "revoke", device["device_id"]).code == 0
    assert signed_in("devices", "list", "--json").document == []
    assert signed_in("devices", "revoke", device["device_id"]).code == 4


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--email", "nobody@test.com", "--data", "{data}"), 4),
        (("--data", "{data}"), 2),
        (("--email", "dev@test.com", "--data", "{data}/none"), 3),
        (("--data", "{data}", "--url", "http://127.0.0.1:1"), 2),
        (("--url", f"http://127.0.0.1:{free_port()}"), 3),
        (("--email", "else@test.com"), 3),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    signed_in: Terminal, data: Path, arguments: tuple[str, ...], code: int
) -> None:
    said = signed_in("devices", "code", *(one.replace("{data}", str(data)) for one in arguments), "--json")
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("specloop: ")
    assert said.err.count("\n") == 1
