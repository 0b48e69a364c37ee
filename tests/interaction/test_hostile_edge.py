"""Requests that attack the way in: foreign hosts and pages, bodies that explode, credentials in the wrong place."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.interaction.tenant import Tenant

FOREIGN_HOSTS = ("evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80", "evil.test:8000", "169.254.169.254")
SURFACES = (
    ("GET", "/api/v1/auth/me"),
    ("GET", "/api/v1/health"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/otel/v1/traces"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/metrics"),
    ("GET", "/.well-known/jwks.json"),
)
MEBI = 1 << 20


def assert_dialect(answer: httpx.Response, path: str) -> None:
    """A refusal is spoken in the dialect of its path."""
    wanted = "application/problem+json" if path.startswith(("/api/", "/openapi", "/metrics", "/.well")) else None
    if path.startswith("/otel"):
        wanted = "application/x-protobuf"
    if wanted:
        assert answer.headers["content-type"].startswith(wanted), (path, answer.headers["content-type"])


@pytest.mark.parametrize(("method", "path"), SURFACES)
def test_a_name_that_was_bound_to_this_address_is_not_ours(tenant: Tenant, method: str, path: str) -> None:
    for host in FOREIGN_HOSTS:
        answer = tenant.client.request(method, path, headers={"host": host})
        assert answer.status_code == 421, (host, answer.status_code)
        assert_dialect(answer, path)


@pytest.mark.parametrize(("method", "path"), SURFACES)
def test_a_foreign_page_neither_changes_nor_reads(tenant: Tenant, method: str, path: str) -> None:
    for origin in ("https://evil.test", "null", "http://127.0.0.1.evil.test", "file://"):
        answer = tenant.client.request(method, path, headers={"origin": origin})
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-credentials" not in answer.headers
        if method == "POST":
            assert answer.status_code == 403, (origin, answer.status_code)
            assert_dialect(answer, path)


def resident_bytes(url: str) -> float:
    """The server's memory, as it says itself."""
    families = {
        family.name: family for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=60).text)
    }
    return families["process_resident_memory_bytes"].samples[0].value


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/otel/v1/traces", "application/x-protobuf"),
        ("/otel/v1/traces", "application/json"),
        ("/api/v1/workspaces", "application/json"),
        ("/api/v1/auth/login", "application/json"),
    ],
)
def test_a_gzip_bomb_is_refused_and_costs_little_memory(
    server: str, tenant: Tenant, path: str, media_type: str
) -> None:
    # 64 KiB for each 64 MiB of zeros, 16 times: 1 MiB on the wire, 1 GiB inflated.
    bomb = gzip.compress(bytes(64 * MEBI), 9) * 16
    before = resident_bytes(server)
    headers = {"content-encoding": "gzip", "content-type": media_type, "x-workspace-id": tenant.workspace_id}
    answer = tenant.client.post(path, content=bomb, headers=headers)
    assert answer.status_code == 413
    assert resident_bytes(server) - before < 192 * MEBI


def deep_texts() -> Iterator[bytes]:
    """JSON that opens 50,000 times, in several guises."""
    yield b"[" * 50_000
    yield b"[" * 50_000 + b"]" * 50_000
    yield b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    yield b'{"name":"x","config":' + b"[{}," * 50_000 + b"1" + b"]" * 50_000 + b"}"


@pytest.mark.parametrize("path", ["/api/v1/workspaces", "/api/v1/auth/login", "agents", "/otel/v1/traces"])
def test_deep_json_is_refused_and_the_server_lives(tenant: Tenant, path: str) -> None:
    full = path if path.startswith("/") else f"{tenant.path}/{path}"
    for body in deep_texts():
        headers = {"content-type": "application/json", "x-workspace-id": tenant.workspace_id}
        answer = tenant.client.post(full, content=body, headers=headers)
        assert answer.status_code == 400, answer.text[:200]
        assert len(answer.content) < 2000
    assert tenant.client.get("/api/v1/auth/me").status_code == 200


def test_a_credential_in_the_address_is_none(server: str, tenant: Tenant) -> None:
    key = tenant.make_key()
    with httpx.Client(base_url=server, timeout=60) as nobody:
        for name in ("access_token", "token", "key", "api_key", "apikey", "authorization", "bearer_token", "jwt"):
            for secret in (tenant.token, f"Bearer {tenant.token}", key):
                for path in ("/api/v1/auth/me", f"{tenant.path}/agents"):
                    assert nobody.get(path, params={name: secret}).status_code == 401, (name, path)


@pytest.mark.parametrize(
    "value",
    ["Basic {0}", "Bearer", "{0}", "Token {0}", "Bearer {0} {0}", "Bearer {0},Bearer {0}", "Bearer {0}x"],
)
def test_a_header_that_is_almost_right_is_wrong(server: str, tenant: Tenant, value: str) -> None:
    headers = {"authorization": value.format(tenant.token)}
    assert httpx.get(f"{server}/api/v1/auth/me", headers=headers, timeout=60).status_code == 401


def test_two_credentials_are_refused(server: str, tenant: Tenant, other: Tenant) -> None:
    pair = [("authorization", f"Bearer {tenant.token}"), ("authorization", f"Bearer {other.token}")]
    assert httpx.get(f"{server}/api/v1/auth/me", headers=pair, timeout=60).status_code in (400, 401)


def test_a_workspace_header_that_contradicts_the_path_is_refused(tenant: Tenant, other: Tenant) -> None:
    answer = tenant.client.get(f"{tenant.path}/agents", headers={"x-workspace-id": other.workspace_id})
    assert answer.status_code == 400, answer.text


def test_assuming_a_foreign_account_gives_nothing(tenant: Tenant, other: Tenant) -> None:
    headers: dict[str, Any] = {"x-assume-account": other.account_id}
    for path in ("/api/v1/account", "/api/v1/workspaces", f"{other.path}/agents"):
        answer = tenant.client.get(path, headers=headers)
        assert answer.status_code in (401, 403, 404), (path, answer.status_code)
