"""What the gate lets in: forged tokens, cookies, keys, staff, and rate limits."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from specloop.identity import accounts
from specloop.identity.auth import CSRF
from specloop.identity.gate import Allowances
from specloop.identity.tokens import KeyRing
from specloop.kit import json
from specloop.kit.ids import new_id
from tests.identity.front.program import ORIGIN, Program, Visitor, running

ME = "/api/v1/auth/me"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    return json.loads(header), json.loads(claims)


def _signed(header: dict[str, Any], claims: dict[str, Any], key: Any, algorithm: str) -> str:
    return jwt.encode({**header, "alg": algorithm}, claims, key, algorithms=[algorithm])


def _unsigned(token: str, _ring: KeyRing) -> str:
    header, claims = _parts(token)
    return f"{_b64(json.dumps({**header, 'alg': 'none'}))}.{_b64(json.dumps(claims))}."


def _stripped(token: str, _ring: KeyRing) -> str:
    return token.rpartition(".")[0] + "."


def _hmac_with_public_key(token: str, ring: KeyRing) -> str:
    header, claims = _parts(token)
    body = f"{_b64(json.dumps({**header, 'alg': 'HS256'}))}.{_b64(json.dumps(claims))}"
    secret = base64.urlsafe_b64decode(ring.documents()[0]["x"] + "==")
    return f"{body}.{_b64(hmac.digest(secret, body.encode(), 'sha256'))}"


def _hmac_with_library(token: str, ring: KeyRing) -> str:
    return _signed(*_parts(token), OctKey.import_key(json.dumps(ring.documents()[0])), "HS256")


def _own_key(token: str, _ring: KeyRing) -> str:
    return _signed(*_parts(token), OKPKey.generate_key("Ed25519"), "EdDSA")


def _embedded_key(token: str, _ring: KeyRing) -> str:
    header, claims = _parts(token)
    key = OKPKey.generate_key("Ed25519")
    return _signed({**header, "jwk": key.as_dict(private=False)}, claims, key, "EdDSA")


def _rsa(token: str, _ring: KeyRing) -> str:
    return _signed(*_parts(token), RSAKey.generate_key(2048), "RS256")


def _changed(where: int, **changes: Any) -> Callable[[str, KeyRing], str]:
    """Properly signed by the server's own key, but with other members; None removes one."""

    def change(token: str, ring: KeyRing) -> str:
        parts = list(_parts(token))
        merged = {**parts[where], **changes}
        parts[where] = {name: value for name, value in merged.items() if value is not None}
        header, claims = parts
        signed = f"{_b64(json.dumps(header))}.{_b64(json.dumps(claims))}"
        secret = json.loads(ring.path.read_bytes())["d"]
        key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(secret + "=="))
        signature = key.sign(signed.encode())
        return f"{signed}.{_b64(signature)}"

    return change


FORGERIES: dict[str, Callable[[str, KeyRing], str]] = {
    "alg none": _unsigned,
    "no signature": _stripped,
    "hmac keyed with the public key": _hmac_with_public_key,
    "hmac keyed with the public document": _hmac_with_library,
    "another key under our kid": _own_key,
    "a key that it brings itself": _embedded_key,
    "rsa": _rsa,
    "unknown crit": _changed(0, crit=["exp"], exp=1),
    "unencoded payload": _changed(0, b64=False, crit=["b64"]),
    "key address": _changed(0, jku="https://evil.example/jwks"),
    "unknown kid": _changed(0, kid="nobody"),
    "kid of another type": _changed(0, kid=7),
    "no kid": _changed(0, kid=None),
    "identity token type": _changed(0, typ="JWT"),
    "no type": _changed(0, typ=None),
    "other audience": _changed(1, aud="https://else.example"),
    "several audiences": _changed(1, aud=["specloop", "other"]),
    "other issuer": _changed(1, iss="evil"),
    "no end": _changed(1, exp=None),
    "end as text": _changed(1, exp="9999999999"),
    "from the future": _changed(1, iat=4_000_000_000),
    "over": _changed(1, exp=1),
    "other session": _changed(1, sid=new_id()),
    "no session": _changed(1, sid=None),
    "no user": _changed(1, sub=None),
    "other user": _changed(1, sub=new_id()),
    "claims are a list": lambda token, _ring: f"{token.split('.')[0]}.{_b64(b'[]')}.{token.split('.')[2]}",
    "garbage": lambda _token, _ring: "eyJ.e30.x",
    "not text": lambda _token, _ring: "eyJ\u00e9.e30.x",
    "huge": lambda token, _ring: token + "A" * 100_000,
    "encrypted": lambda token, _ring: "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..a.b.c",
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_forged_tokens_are_refused(program: Program, owner: Visitor, forgery: str) -> None:
    ring: KeyRing = program.service(KeyRing)
    token = FORGERIES[forgery](owner.token, ring)
    answer = await program.client.get(ME, headers={b"Authorization": b"Bearer " + token.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/unauthenticated")


async def test_an_honest_change_of_nothing_is_accepted(program: Program, owner: Visitor) -> None:
    token = _changed(1)(owner.token, program.service(KeyRing))
    assert (await program.client.get(ME, headers={"Authorization": f"Bearer {token}"})).status_code == 200


async def test_the_public_keys_verify_our_tokens_and_hold_nothing_private(program: Program, owner: Visitor) -> None:
    answer = await program.client.get("/.well-known/jwks.json")
    (document,) = answer.json()["keys"]
    assert set(document) == {"kty", "crv", "x", "kid", "use", "alg"}
    claims = jwt.decode(owner.token, OKPKey.import_key(document), algorithms=["EdDSA"]).claims
    assert (claims["sub"], claims["aud"], claims["exp"] - claims["iat"]) == (owner.user_id, "specloop", 3600)


async def test_tokens_outlive_a_restart_and_a_rotation_but_not_their_hour(
    program: Program, owner: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ring: KeyRing = program.service(KeyRing)
    async with program.writing() as ctx:
        await ring.rotate(ctx)
    fresh = await program.visitor("dev@test.com")
    assert (await owner.get(ME)).status_code == 200
    assert (await fresh.get(ME)).status_code == 200
    assert len((await program.client.get("/.well-known/jwks.json")).json()["keys"]) == 2
    async with running(program.database, tmp_path_factory.mktemp("second")) as second:
        header = {"Authorization": f"Bearer {fresh.token}"}
        assert (await second.client.get(ME, headers=header)).status_code == 200
        late = await second.register("late@test.com")
        program.clock.advance(3)
        assert (await program.client.get(ME, headers={"Authorization": f"Bearer {late.token}"})).status_code == 200
    program.clock.advance(3600)
    assert (await owner.get(ME)).status_code == 401
    assert ring.kid != _parts(owner.token)[0]["kid"]


async def test_the_private_key_is_readable_by_the_owner_of_the_process_only(program: Program) -> None:
    assert program.service(KeyRing).path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic ZGV2OmRldnBhc3M=",
        "Token {token}",
        "{token}",
        "Bearer {token} {token}",
        "Bearer x",
    ],
)
async def test_other_authorization_headers_are_401(program: Program, owner: Visitor, header: str) -> None:
    sent = header.replace("{token}", owner.token)
    assert (await program.client.get(ME, headers={"Authorization": sent})).status_code == 401


async def test_the_scheme_may_have_any_case(program: Program, owner: Visitor) -> None:
    assert (await program.client.get(ME, headers={"Authorization": f"bearer {owner.token}"})).status_code == 200


@pytest.mark.parametrize("name", ["access_token", "token", "api_key", "key", "authorization"])
async def test_a_token_in_the_query_string_is_never_accepted(program: Program, owner: Visitor, name: str) -> None:
    assert (await program.client.get(f"{ME}?{name}={owner.token}")).status_code == 401


async def test_two_authorization_headers_are_refused(program: Program, owner: Visitor) -> None:
    headers = [("Authorization", f"Bearer {owner.token}"), ("Authorization", "Bearer x")]
    assert (await program.client.get(ME, headers=headers)).status_code == 401


def _cookie(program: Program, owner: Visitor, name: str = "access_token", url: str = ORIGIN) -> Any:
    client = program.browser(base_url=url)
    client.headers["Cookie"] = f"{name}={owner.token}"
    return client


@pytest.mark.parametrize(
    ("name", "url", "code"),
    [
        ("access_token", ORIGIN, 200),
        ("specloop_access", ORIGIN, 200),
        ("__Host-specloop_access", "https://127.0.0.1:8000", 200),
        ("specloop_access", "https://127.0.0.1:8000", 401),
        ("other", ORIGIN, 401),
    ],
)
async def test_a_cookie_signs_in(program: Program, owner: Visitor, name: str, url: str, code: int) -> None:
    async with _cookie(program, owner, name, url) as browser:
        assert (await browser.get(ME)).status_code == code


async def test_a_change_by_cookie_must_come_from_our_own_page(program: Program, owner: Visitor) -> None:
    session_id = _parts(owner.token)[1]["sid"]
    csrf: CSRF = program.service(CSRF)
    other = await program.visitor("dev@test.com")
    wrong = csrf.token(_parts(other.token)[1]["sid"])
    logout = "/api/v1/auth/logout"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with _cookie(program, owner) as browser:
        for headers in (
            form,
            {"Content-Type": "text/plain"},
            {},
            {**form, "X-CSRF-Token": wrong},
            {**form, "X-CSRF-Token": ""},
            {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"},
            {**form, "Origin": "https://evil.example"},
            {**form, "Origin": "null"},
            {**form, "Origin": "http://127.0.0.1:9999"},
        ):
            answer = await browser.post(logout, headers=headers)
            assert answer.status_code == 403, headers
        patched = await browser.patch(ME, json={"name": "Dev"})
        assert patched.status_code == 200
        token = {"X-CSRF-Token": csrf.token(session_id)}
        assert (await browser.patch(ME, json={"name": "Dev2"}, headers=token)).status_code == 200
        assert (await browser.post(logout, headers=token)).status_code == 204


async def test_signing_out_clears_the_cookies(program: Program, owner: Visitor) -> None:
    answer = await owner.post("/api/v1/auth/logout")
    cleared = answer.headers.get_list("set-cookie")
    assert len(cleared) == 2
    assert all("Max-Age=0" in cookie and "HttpOnly" in cookie for cookie in cleared)


async def _key(owner: Visitor) -> str:
    answer = await owner.post(f"/api/v1/workspaces/{owner.workspace_id}/keys", {"name": "ci"})
    assert answer.status_code == 201
    return answer.json()["key"]


async def test_a_key_is_no_user(program: Program, owner: Visitor) -> None:
    headers = {"Authorization": f"Bearer {await _key(owner)}"}
    for method, path in (
        ("GET", ME),
        ("GET", "/api/v1/account"),
        ("POST", "/api/v1/auth/logout"),
        ("GET", "/api/v1/auth/sessions"),
        ("GET", f"/api/v1/workspaces/{owner.workspace_id}"),
    ):
        assert (await program.client.request(method, path, headers=headers)).status_code == 403, path
    eve = await program.register("eve@test.com")
    foreign = await program.client.get(f"/api/v1/workspaces/{eve.workspace_id}", headers=headers)
    assert foreign.status_code == 404


async def test_a_key_in_a_cookie_or_with_a_broken_checksum_is_refused(program: Program, owner: Visitor) -> None:
    key = await _key(owner)
    place = f"/api/v1/workspaces/{owner.workspace_id}"
    for broken in (key[:-1], key + "A", "sk_live_" + "0" * 49, key.upper()):
        answer = await program.client.get(place, headers={"Authorization": f"Bearer {broken}"})
        assert answer.status_code == 401


async def test_invisible_workspaces_and_missing_ones_look_the_same(program: Program, owner: Visitor) -> None:
    eve = await program.register("eve@test.com")
    answers = [
        await eve.get(f"/api/v1/workspaces/{workspace_id}") for workspace_id in (owner.workspace_id, new_id(), "nope")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_only_staff_assume_accounts_and_each_time_is_audited(program: Program, owner: Visitor) -> None:
    refused = await owner.get("/api/v1/account", **{"X-Assume-Account": owner.account_id})
    assert refused.status_code == 403
    staff = await program.register("staff@test.com")
    async with program.writing() as ctx:
        user = await accounts.find_user(ctx, staff.user_id)
        assert user is not None
        await accounts.make_staff(ctx, user, frozenset({"read:operations"}))
    place = f"/api/v1/workspaces/{owner.workspace_id}"
    assert (await staff.get(place)).status_code == 404
    assumed = {"X-Assume-Account": owner.account_id}
    assert (await staff.get(place, **assumed)).status_code == 200
    assert (await staff.get("/api/v1/account", **assumed)).json()["id"] == owner.account_id
    assert (await staff.get("/api/v1/account")).json()["id"] == staff.account_id
    assert (await staff.get("/api/v1/account", **{"X-Assume-Account": new_id()})).status_code == 404
    assert (await staff.get("/api/v1/account", **{"X-Assume-Account": "x"})).status_code == 400
    log = (await owner.get("/api/v1/account/audit?action=account.assumed")).json()
    assert log["pagination"]["total"] == 2
    assert {event["actor_id"] for event in log["results"]} == {staff.user_id}
    assert {event["detail"]["path"] for event in log["results"]} == {"/api/v1/account", place}


async def test_users_and_keys_have_their_own_limits(
    program: Program, owner: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    key = await _key(owner)
    async with running(
        program.database,
        tmp_path_factory.mktemp("tight"),
        allowances=Allowances(user_per_minute=3, key_per_minute=2),
    ) as tight:
        visitor = Visitor(tight.client, owner.body, owner.email)
        answers = [await visitor.get(ME) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"3"}
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
        headers = {"Authorization": f"Bearer {key}"}
        codes = [(await tight.client.get("/api/nothing", headers=headers)).status_code for _ in range(3)]
        assert codes == [404, 404, 429]
        tight.clock.advance(61)
        assert (await visitor.get(ME)).status_code == 200
