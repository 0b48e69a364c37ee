"""Signing in through a provider, against a real OpenID Connect provider on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from specloop.db.database import Database
from specloop.identity.oauth import ProviderConfig
from tests.identity.front.program import ORIGIN, Program, Visitor, running
from tests.identity.front.provider import CLIENT_ID, CLIENT_SECRET, OpenIDProvider, running_provider

START = "/api/v1/auth/oauth/acme"
CALLBACK = "/api/v1/auth/callback"
PAGE = f"{ORIGIN}/app/sign-in/callback"
ANN: dict[str, Any] = {"sub": "ann-1", "email": "ann@test.com", "email_verified": True, "name": "Ann"}


@pytest.fixture
async def provider() -> AsyncIterator[OpenIDProvider]:
    """The provider, which signs in Ann."""
    async with running_provider() as started:
        started.person = dict(ANN)
        yield started


@pytest.fixture
async def joined(provider: OpenIDProvider, database: Database, tmp_path: Path) -> AsyncIterator[Program]:
    """A server with that provider."""
    async with running(database, tmp_path, providers=(_config(provider),)) as program:
        yield program


def _config(provider: OpenIDProvider) -> ProviderConfig:
    return ProviderConfig("acme", CLIENT_ID, CLIENT_SECRET, provider.issuer, label="Acme SSO")


async def _start(program: Program, redirect_uri: str | None = None) -> dict[str, str]:
    query = f"?redirect_uri={quote(redirect_uri, safe='')}" if redirect_uri else ""
    answer = await program.client.get(START + query, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _visit(authorization_url: str) -> dict[str, str]:
    """What the provider sends back to our page: code and state."""
    async with httpx.AsyncClient(timeout=60) as browser:
        answer = await browser.get(authorization_url)
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def _finish(program: Program, returned: dict[str, str]) -> httpx.Response:
    return await program.client.post(CALLBACK, json={"provider": "acme", **returned})


async def _sign_in(program: Program) -> httpx.Response:
    return await _finish(program, await _visit((await _start(program))["authorization_url"]))


async def test_a_new_person_gets_an_account_and_a_known_one_comes_back(joined: Program) -> None:
    first = await _sign_in(joined)
    assert first.status_code == 200
    ann = Visitor(joined.client, first.json(), "ann@test.com")
    me = (await ann.get("/api/v1/auth/me")).json()
    assert (me["email"], me["name"], me["account"]["role"]) == ("ann@test.com", "Ann", "owner")
    second = await _sign_in(joined)
    assert second.json()["user_id"] == ann.user_id
    assert (await joined.sign_in("ann@test.com", "anything")).status_code == 401


async def test_a_known_person_comes_back_after_changing_the_address(joined: Program, provider: OpenIDProvider) -> None:
    first = await _sign_in(joined)
    provider.person["email"] = "new@test.com"
    assert (await _sign_in(joined)).json()["user_id"] == first.json()["user_id"]


async def test_a_browser_is_redirected_and_only_that_browser_can_finish(joined: Program) -> None:
    async with joined.browser() as browser, joined.browser() as thief:
        started = await browser.get(START)
        assert started.status_code == 302
        returned = await _visit(started.headers["location"])
        stolen = await thief.post(CALLBACK, json={"provider": "acme", **returned})
        assert stolen.status_code == 400
        started = await browser.get(START)
        returned = await _visit(started.headers["location"])
        assert (await browser.post(CALLBACK, json={"provider": "acme", **returned})).status_code == 200


async def test_a_state_is_good_once_even_when_two_try_at_once(joined: Program) -> None:
    returned = await _visit((await _start(joined))["authorization_url"])
    answers = await asyncio.gather(*(_finish(joined, returned) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


async def test_a_state_expires_after_ten_minutes(joined: Program) -> None:
    returned = await _visit((await _start(joined))["authorization_url"])
    joined.clock.advance(601)
    assert (await _finish(joined, returned)).status_code == 400


async def test_codes_of_another_attempt_are_refused_by_pkce(joined: Program) -> None:
    victim = await _visit((await _start(joined))["authorization_url"])
    attacker = await _start(joined)
    assert (await _finish(joined, {"code": victim["code"], "state": attacker["state"]})).status_code == 400


@pytest.mark.parametrize("returned", [{"code": "x", "state": "x"}, {"code": "x", "state": "0" * 43}])
async def test_made_up_states_are_refused(joined: Program, returned: dict[str, str]) -> None:
    assert (await _finish(joined, returned)).status_code == 400


async def test_unknown_providers_are_404(joined: Program) -> None:
    assert (await joined.client.get("/api/v1/auth/oauth/nobody")).status_code == 404
    body = {"provider": "nobody", "code": "x", "state": "x"}
    assert (await joined.client.post(CALLBACK, json=body)).status_code == 404


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/app/sign-in/callback",
        "http://127.0.0.1@evil.example/app/sign-in/callback",
        "http://127.0.0.1:8000@evil.example/app/sign-in/callback",
        "http://127.0.0.1:8000/app/sign-in/callback/../x",
        "http://127.0.0.1:8000/app/sign-in/../x",
        "http://127.0.0.1:8000/app/sign-in/callback/%2e%2e/x",
        "http://127.0.0.1:8000/app/sign-in/callback#x",
        "http://127.0.0.1:8000/app/sign-in/callback?next=x",
        "http://127.0.0.1:8000\\@evil.example/app/sign-in/callback",
        "http://127.0.0.1.evil.example/app/sign-in/callback",
        "https://127.0.0.1:8000/app/sign-in/callback",
        "http://localhost:8000/app/sign-in/callback",
        "//127.0.0.1:8000/app/sign-in/callback",
        "javascript:alert(1)",
        "http://127.0.0.1:99999/app/sign-in/callback",
        "http://127.0.0.1:8000/app/sign-in/callback\n",
    ],
)
async def test_foreign_redirect_addresses_are_refused(joined: Program, redirect_uri: str) -> None:
    answer = await joined.client.get(f"{START}?redirect_uri={quote(redirect_uri, safe='')}")
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_loopback_redirect_may_use_another_port(joined: Program) -> None:
    other = PAGE.replace(":8000", ":9123")
    started = await _start(joined, other)
    assert f"redirect_uri={quote(other, safe='')}" in started["authorization_url"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"exp": 1},
        {"exp": None},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
    ],
)
async def test_identity_tokens_that_are_not_for_us_are_refused(
    joined: Program, provider: OpenIDProvider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert (await _sign_in(joined)).status_code == 400


async def test_identity_tokens_of_another_key_are_refused(joined: Program, provider: OpenIDProvider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert (await _sign_in(joined)).status_code == 400


async def test_a_provider_may_rotate_its_keys(joined: Program, provider: OpenIDProvider) -> None:
    assert (await _sign_in(joined)).status_code == 200
    provider.key = RSAKey.generate_key(2048, {"kid": "two"})
    returned = await _visit((await _start(joined))["authorization_url"])

    async def is_accepted() -> bool:
        return (await _finish(joined, returned)).status_code == 200

    async with asyncio.timeout(60):
        while not await is_accepted():
            returned = await _visit((await _start(joined))["authorization_url"])


@pytest.mark.parametrize("change", [{"email_verified": False}, {"email_verified": None}, {"email": ""}, {"email": 7}])
async def test_an_address_that_nobody_vouches_for_opens_no_account(
    joined: Program, provider: OpenIDProvider, change: dict[str, Any]
) -> None:
    await joined.register("ann@test.com")
    provider.person.update(change)
    answer = await _sign_in(joined)
    assert answer.status_code == 400
    assert "access_token" not in answer.text


async def test_whoever_squatted_an_address_is_put_out_when_its_owner_comes(joined: Program) -> None:
    squatter = await joined.register("ann@test.com", "squatpass")
    answer = await _sign_in(joined)
    assert answer.json()["user_id"] == squatter.user_id
    assert (await squatter.get("/api/v1/auth/me")).status_code == 401
    assert (await joined.sign_in("ann@test.com", "squatpass")).status_code == 401


async def test_an_invited_user_keeps_the_password_when_signing_in_through_a_provider(joined: Program) -> None:
    owner = await joined.register("dev@test.com")
    ann = await joined.member(owner, "ann@test.com")
    assert (await _sign_in(joined)).json()["user_id"] == ann.user_id
    assert (await joined.sign_in("ann@test.com")).status_code == 200


async def test_on_a_closed_server_a_provider_lets_in_the_invited_only(
    provider: OpenIDProvider, database: Database, tmp_path: Path
) -> None:
    async with running(database, tmp_path, providers=(_config(provider),)) as opened:
        owner = await opened.register("dev@test.com")
    async with running(database, tmp_path, providers=(_config(provider),), is_registration_open=False) as closed:
        assert (await _sign_in(closed)).status_code == 403
        boss = Visitor(closed.client, owner.body, owner.email)
        await closed.invite(boss, "ann@test.com", observer=owner.workspace_id)
        answer = await _sign_in(closed)
        assert answer.status_code == 200
        assert answer.json()["account_id"] == owner.account_id
        assert answer.json()["workspace_id"] == owner.workspace_id


async def test_a_provider_that_is_down_is_503(joined: Program, database: Database, tmp_path: Path) -> None:
    dead = ProviderConfig("acme", CLIENT_ID, CLIENT_SECRET, "http://127.0.0.1:1")
    async with running(database, tmp_path, providers=(dead,)) as program:
        answer = await program.client.get(START)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
