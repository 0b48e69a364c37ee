"""The cookies of the pages: their names, attributes and what they bind."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from specloop.identity.auth import CSRF, EntranceService, cookies
from specloop.kit.crypto import Pepper
from specloop.kit.ids import new_id
from tests.identity.front.program import PASSWORD, Program, Visitor


def _request(scheme: str, cookie: str = "") -> Request:
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]
    return Request(
        {"type": "http", "method": "GET", "scheme": scheme, "path": "/", "query_string": b"", "headers": headers}
    )


@pytest.mark.parametrize(("scheme", "prefix"), [("https", "__Host-"), ("http", "")])
async def test_a_page_signs_the_browser_in_with_cookies_that_the_gate_accepts(
    program: Program, owner: Visitor, scheme: str, prefix: str
) -> None:
    entrance: EntranceService = program.service(EntranceService)
    async with program.writing() as ctx:
        signed_in = await entrance.sign_in(ctx, owner.email, PASSWORD)
    response = Response()
    cookies.set_session(response, _request(scheme), signed_in.tokens)
    set_cookies = response.headers.getlist("set-cookie")
    assert {cookie.partition("=")[0] for cookie in set_cookies} == {
        f"{prefix}specloop_access",
        f"{prefix}specloop_refresh",
    }
    for cookie in set_cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert ("Secure" in cookie) == (scheme == "https")
    sent = "; ".join(cookie.partition(";")[0] for cookie in set_cookies)
    assert cookies.access_token_of(_request(scheme, sent)) == signed_in.tokens.access_token
    assert cookies.refresh_token_of(_request(scheme, sent)) == signed_in.tokens.refresh_token
    async with program.browser(base_url=f"{scheme}://127.0.0.1:8000") as browser:
        browser.headers["Cookie"] = sent
        assert (await browser.get("/api/v1/auth/me")).status_code == 200


def test_a_csrf_token_is_good_for_its_own_session_and_server_only() -> None:
    ours, theirs = CSRF(Pepper(b"a" * 32)), CSRF(Pepper(b"b" * 32))
    session_id = new_id()
    assert ours.is_valid(session_id, ours.token(session_id))
    assert not ours.is_valid(new_id(), ours.token(session_id))
    assert not ours.is_valid(session_id, theirs.token(session_id))
