"""How large a recorded session may be, at the front door (specstory.md §1.2, limits; §9 item 4)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest

from tests.interaction.tenant import Tenant

MIB = 1024 * 1024
SESSION = "/api/v1/projects/p/sessions/s"
TOO_LARGE = {"success": False, "error": f"413 Failure - size limit exceeded for {SESSION}"}
PACKED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}


def put(tenant: Tenant, path: str, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    """A PUT with the tenant's token."""
    return tenant.client.put(path, content=content, headers={"Content-Type": "application/json", **headers})


def test_fifty_mebibytes_on_the_wire_are_the_limit(tenant: Tenant) -> None:
    answer = put(tenant, SESSION, iter([b" " * MIB] * 51))
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)


def test_a_bomb_is_stopped_while_it_inflates(tenant: Tenant) -> None:
    bomb = gzip.compress(b" " * (300 * MIB), 1)
    answer = put(tenant, SESSION, bomb, **PACKED)
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"{}" * 9000)[:-9], gzip.compress(b"{}") + b"rest"],
    ids=["no gzip", "cut off", "more behind"],
)
def test_a_broken_gzip_body_is_400_in_the_envelope(tenant: Tenant, content: bytes) -> None:
    answer = put(tenant, SESSION, content, **PACKED)
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize("path", ["/api/v1/projects/p", SESSION + "/raw", "/api/v1/projects", "/api/v1/workspaces"])
def test_no_other_route_takes_large_bodies(tenant: Tenant, path: str) -> None:
    assert put(tenant, path, b" " * (3 * MIB)).status_code == 413


def test_only_put_takes_large_sessions(tenant: Tenant) -> None:
    answer = tenant.client.patch(SESSION, content=b" " * (3 * MIB), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)


def test_a_preflight_of_a_listed_page_has_the_contracts_body(server: str) -> None:
    headers = {"Origin": server, "Access-Control-Request-Method": "PUT"}
    answer = httpx.options(f"{server}{SESSION}", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["access-control-allow-origin"] == server
    assert "PUT" in answer.headers["access-control-allow-methods"]
    foreign = httpx.options(f"{server}{SESSION}", headers={**headers, "Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert foreign.json()["success"] is False
    assert "access-control-allow-origin" not in foreign.headers
