"""The pages around recorders, without script: the code, the list of devices, personal keys."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from specloop.transport.dialects import Dialect, dialect_of
from tests.interaction.browsing import Browser, signed_in
from tests.interaction.tenant import Tenant
from tests.interaction.test_routes_are_guarded import fill, operations

CODE = re.compile(r"<code>([A-Za-z0-9]{3}-[A-Za-z0-9]{3})</code>")
KEY = re.compile(r"<code>(sf_[A-Za-z0-9_-]{43})</code>")
ENTITLEMENT = "/api/v1/billing/entitlement"
KEYS = "/app/account/personal-keys"


def code_on(browser: Browser) -> str:
    """The code that the page shows."""
    found = CODE.search(browser.see("/cli-login"))
    assert found is not None
    return found[1].replace("-", "")


def link(server: str, code: str) -> dict[str, str]:
    """The answer to `specstory login`."""
    body = {"device_code": code, "hostname": "<b>laptop</b>", "client": "specstory-cli"}
    answer = httpx.post(f"{server}/api/v1/device-login", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def access(server: str, refresh_token: str) -> httpx.Response:
    """The answer to a refresh."""
    return httpx.post(
        f"{server}/api/v1/device-refresh", headers={"Authorization": f"Bearer {refresh_token}"}, timeout=60
    )


def make_key(browser: Browser, may: str) -> str:
    """A new personal key's secret."""
    answer = browser.send(KEYS, browser.see(KEYS), name=f"for {may}", access=may, expires_in="")
    found = KEY.search(answer.text)
    assert found is not None, answer.text[:300]
    assert answer.headers["cache-control"] == "no-store"
    return found[1]


def test_a_visitor_who_is_signed_out_signs_in_first_and_then_sees_a_code(server: str, tenant: Tenant) -> None:
    stranger = httpx.get(f"{server}/cli-login", timeout=60)
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/login?next=%2Fcli-login")
    with signed_in(server, tenant.email, "/cli-login") as browser:
        page = browser.see("/cli-login")
        assert len(CODE.findall(page)) == 1
        assert f"SPECSTORY_CLOUD_URL={server}" in page
        assert "<script>" not in page
        assert " style=" not in page


def test_the_shown_code_links_a_device_that_the_list_shows_and_revokes(server: str, tenant: Tenant) -> None:
    with signed_in(server, tenant.email) as browser:
        assert "No devices yet" in browser.see("/app/account/devices")
        linked = link(server, code_on(browser))
        page = browser.see("/app/account/devices")
        assert "&lt;b&gt;laptop&lt;/b&gt;" in page
        action = re.search(r'action="(/app/account/devices/[^"]+/revoke)"', page)
        assert action is not None
        forged = browser.client.post(action[1], data={"csrf": "x"})
        assert forged.status_code == 403
        assert access(server, linked["refreshToken"]).status_code == 200
        assert browser.send(action[1], page).status_code == 303
        assert access(server, linked["refreshToken"]).status_code == 401
        assert "No devices yet" in browser.see("/app/account/devices")


def test_the_page_is_not_kept_by_caches_and_makes_a_code_for_each_look(server: str, tenant: Tenant) -> None:
    with signed_in(server, tenant.email) as browser:
        assert browser.client.get("/cli-login").headers["cache-control"] == "no-store"
        first, second = code_on(browser), code_on(browser)
        assert first != second
        link(server, first)
        link(server, second)


def test_a_personal_key_is_shown_once_reads_or_writes_and_ends(server: str, tenant: Tenant) -> None:
    with signed_in(server, tenant.email) as browser:
        reader, writer = make_key(browser, "read"), make_key(browser, "write")
        page = browser.see(KEYS)
        assert KEY.search(page) is None
        assert reader[:8] in page
        change: dict[str, Any] = {"json": {"install_state": "installed"}}
        for secret, status in ((reader, 403), (writer, 404)):
            headers = {"Authorization": f"Bearer {secret}"}
            read = httpx.get(f"{server}{ENTITLEMENT}", headers=headers, timeout=60)
            assert (read.status_code, read.headers["x-ratelimit-limit"]) == (200, "1000")
            assert httpx.head(f"{server}/api/v1/projects/p/x/y/z", headers=headers, timeout=60).status_code == 404
            written = httpx.patch(f"{server}/api/v1/lore/skills/x", headers=headers, **change)
            assert written.status_code == status
            assert isinstance(written.json()["error"], str)
        for action in re.findall(rf'action="({KEYS}/[^"]+/revoke)"', browser.see(KEYS)):
            assert browser.send(action, page).status_code == 303
        for secret in (reader, writer):
            headers = {"Authorization": f"Bearer {secret}"}
            assert httpx.get(f"{server}{ENTITLEMENT}", headers=headers, timeout=60).status_code == 401


def test_a_form_for_a_key_without_a_name_is_shown_again(server: str, tenant: Tenant) -> None:
    with signed_in(server, tenant.email) as browser:
        answer = browser.send(KEYS, browser.see(KEYS), name="", access="write", expires_in="30")
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text


@pytest.mark.parametrize("kind", ["device", "personal key"])
def test_record_credentials_open_the_record_stage_and_nothing_else(server: str, tenant: Tenant, kind: str) -> None:
    with signed_in(server, tenant.email) as browser:
        if kind == "device":
            token = access(server, link(server, code_on(browser))["refreshToken"]).json()["accessToken"]
        else:
            token = make_key(browser, "write")
    headers = {"Authorization": f"Bearer {token}"}
    document = httpx.get(f"{server}/openapi.json", timeout=60).json()
    with httpx.Client(base_url=server, headers=headers, timeout=60) as client:
        for method, path, operation in operations(document):
            if operation["security"] == []:
                continue
            status = client.request(method, fill(path, tenant.workspace_id)).status_code
            is_record = dialect_of(path) is Dialect.RECORD
            assert (status != 401) is is_record, (method, path, status)
        for unknown in ("/api/v1/flags", "/api/v1/teams/x"):
            assert client.get(unknown).status_code == 404
        for page in ("/app", "/cli-login", KEYS):
            assert client.get(page).status_code == 303
