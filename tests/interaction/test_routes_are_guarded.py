"""Every route of the document × no token, a forged one, an expired one, another tenant's, a key without the scope."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from specloop.transport.routing import api_router
from tests.interaction.tenant import Tenant

PUBLIC = {
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/api/health"),
    ("GET", "/api/v1/auth/oauth/{provider}"),
    ("GET", "/api/v1/health"),
    ("POST", "/api/v1/auth/callback"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/register"),
    ("POST", "/api/v1/auth/reset-password"),
    ("POST", "/api/v1/device-login"),
    ("POST", "/api/v1/device-logout"),  # these two read the refresh token themselves
    ("POST", "/api/v1/device-refresh"),
    ("GET", "/api/v1/share/{share}"),  # unlisted sessions only
    ("GET", "/api/v1/share/{share}/markdown"),
}
KEY_SCOPES = {"read:agents", "write:traces"}
UNKNOWN_ID = "01900000-0000-7000-8000-000000000000"
METHODS = ("get", "post", "put", "patch", "delete")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(METHOD, path template, operation) of each operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def fill(path: str, workspace_id: str) -> str:
    """The path with an id for each parameter."""
    filled = path.replace("{workspace_id}", workspace_id)
    filled = filled.replace("{trace_id}", "0" * 31 + "1").replace("{version}", "1").replace("{provider}", "x")
    return re.sub(r"\{[^}]+\}", UNKNOWN_ID, filled)


@pytest.fixture
def document(server: str) -> dict[str, Any]:
    """The product's OpenAPI document."""
    return httpx.get(f"{server}/openapi.json", timeout=60).json()


def test_only_the_contracts_routes_are_public(document: dict[str, Any]) -> None:
    public = {(method, path) for method, path, operation in operations(document) if operation["security"] == []}
    assert public == PUBLIC


def test_a_route_without_a_guard_cannot_be_built() -> None:
    router = api_router()

    async def open_by_accident() -> dict[str, str]:
        return {}

    with pytest.raises(TypeError, match="no guard"):
        router.add_api_route("/leak", open_by_accident)


@pytest.mark.parametrize("token", ["", "not-a-token", "sk_live_0000", "eyJhbGciOiJub25lIn0.e30.", "expired"])
def test_no_route_answers_a_bad_credential(server: str, document: dict[str, Any], token: str) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=server, headers=headers, timeout=60) as client:
        for method, path, operation in operations(document):
            if operation["security"]:
                answer = client.request(method, fill(path, UNKNOWN_ID))
                assert answer.status_code == 401, (method, path, answer.status_code)


def test_another_tenants_workspace_does_not_exist(tenant: Tenant, other: Tenant, document: dict[str, Any]) -> None:
    for method, path, _ in operations(document):
        if "{workspace_id}" not in path:
            continue
        foreign = tenant.client.request(method, fill(path, other.workspace_id))
        unknown = tenant.client.request(method, fill(path, UNKNOWN_ID))
        assert (foreign.status_code, unknown.status_code) == (404, 404), (method, path, foreign.text)
        assert without_instance(foreign) == without_instance(unknown), (method, path)


def test_a_key_reaches_only_its_two_scopes(tenant: Tenant, document: dict[str, Any]) -> None:
    headers = {"authorization": f"Bearer {tenant.make_key()}"}
    for method, path, operation in operations(document):
        if operation["security"] == [] or KEY_SCOPES & set(operation.get("x-scopes", ())):
            continue
        answer = tenant.client.request(method, fill(path, tenant.workspace_id), headers=headers)
        assert answer.status_code == 403, (method, path, answer.status_code, answer.text)


def test_unknown_paths_ask_for_a_credential_first(server: str, tenant: Tenant) -> None:
    for path in ("/api/v1/nothing", "/api/nothing", "/api", "/v1/nothing", "/otel/v1/metrics"):
        assert httpx.get(f"{server}{path}", timeout=60).status_code == 401, path
        assert tenant.client.get(path).status_code == 404, path
    wrong_method = tenant.client.put("/api/v1/workspaces")
    assert wrong_method.status_code == 405
    assert "POST" in wrong_method.headers["allow"]


def without_instance(answer: httpx.Response) -> dict[str, Any]:
    """A problem without the request id."""
    return {name: value for name, value in answer.json().items() if name != "instance"}
