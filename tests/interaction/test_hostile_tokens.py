"""Access tokens that are almost right, made with everything an attacker may know, and some that only the server could
have made; and tokens of people who have left.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from specloop.kit import json
from tests.interaction.tenant import PASSWORD, Tenant

Document = dict[str, Any]


def encode(part: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def decode(part: str) -> Any:
    """The JSON of one part of a token."""
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def parts(token: str) -> tuple[Document, Document]:
    """Header and claims."""
    header, claims, _ = token.split(".")
    return decode(header), decode(claims)


def signed(header: Document, claims: Document, key: Ed25519PrivateKey) -> str:
    """A compact JWS with an EdDSA signature."""
    content = f"{encode(json.dumps(header))}.{encode(json.dumps(claims))}"
    return f"{content}.{encode(key.sign(content.encode()))}"


def keyed(header: Document, claims: Document, key: bytes, digest: str = "sha256") -> str:
    """A compact JWS with an HMAC."""
    content = f"{encode(json.dumps(header))}.{encode(json.dumps(claims))}"
    return f"{content}.{encode(hmac.digest(key, content.encode(), digest))}"


@pytest.fixture
def server_key(server: str, tmp_path_factory: pytest.TempPathFactory) -> Ed25519PrivateKey:
    """The server's own signing key, from its data folder: what nobody outside has."""
    port = server.rpartition(":")[2]
    for log in tmp_path_factory.getbasetemp().glob("server-*/server.log"):
        if f"127.0.0.1:{port} " in log.read_text("utf-8"):
            kept = json.loads((log.parent / "token-signing.json").read_bytes())
            secret = kept["d"]
            return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4)))
    raise AssertionError("no data folder for the server")


def status_of(server: str, token: str) -> int:
    """How the server answers the bearer of `token`."""
    return httpx.get(f"{server}/api/v1/auth/me", headers={"authorization": f"Bearer {token}"}, timeout=60).status_code


def test_the_tests_own_signature_is_right(server: str, tenant: Tenant, server_key: Ed25519PrivateKey) -> None:
    header, claims = parts(tenant.token)
    assert status_of(server, signed(header, claims, server_key)) == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "EdDSA"])
def test_a_token_without_a_signature_is_refused(server: str, tenant: Tenant, algorithm: str) -> None:
    header, claims = parts(tenant.token)
    content = f"{encode(json.dumps({**header, 'alg': algorithm}))}.{encode(json.dumps(claims))}"
    for token in (f"{content}.", content, f"{content}.{encode(b'')}", f"{content}.{encode(bytes(64))}"):
        assert status_of(server, token) == 401, token


def public_forms(server: str, key: Ed25519PrivateKey) -> Iterator[bytes]:
    """The public key in the forms that a confused verifier might take for a shared secret."""
    (document, *_) = httpx.get(f"{server}/.well-known/jwks.json", timeout=60).json()["keys"]
    public = key.public_key()
    yield json.dumps(document)
    yield document["x"].encode()
    yield public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    yield public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    yield b""


def test_the_public_key_is_no_shared_secret(server: str, tenant: Tenant, server_key: Ed25519PrivateKey) -> None:
    header, claims = parts(tenant.token)
    for key in public_forms(server, server_key):
        for algorithm, digest in (("HS256", "sha256"), ("HS512", "sha512"), ("EdDSA", "sha256")):
            assert status_of(server, keyed({**header, "alg": algorithm}, claims, key, digest)) == 401


HEADERS: list[Document] = [
    {"crit": ["exp"]},
    {"crit": ["b64"], "b64": False},
    {"crit": []},
    {"typ": "JWT"},
    {"alg": "Ed448"},
    {"jku": "http://127.0.0.1:1/keys.json"},
    {"x5u": "http://127.0.0.1:1/cert.pem"},
    {"zip": "DEF"},
    {"cty": "JWT"},
    {"kid": "../../../../dev/null"},
    {"kid": "' OR 1=1 --"},
    {"kid": "0" * 43},
    {"kid": ""},
    {"kid": None},
    {"kid": 7},
]


@pytest.mark.parametrize("change", HEADERS, ids=str)
def test_a_header_that_we_never_write_is_refused_although_the_signature_is_right(
    server: str, tenant: Tenant, server_key: Ed25519PrivateKey, change: Document
) -> None:
    header, claims = parts(tenant.token)
    assert status_of(server, signed({**header, **change}, claims, server_key)) == 401


def test_a_key_that_comes_with_the_token_is_not_believed(server: str, tenant: Tenant) -> None:
    header, claims = parts(tenant.token)
    own = Ed25519PrivateKey.generate()
    x = encode(own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": x}
    thumbprint = encode(hashlib.sha256(json.dumps(dict(sorted(jwk.items())))).digest())
    for change in ({}, {"jwk": jwk}, {"jwk": jwk, "kid": thumbprint}, {"kid": thumbprint}):
        assert status_of(server, signed({**header, **change}, claims, own)) == 401


CLAIMS: list[Document] = [
    {"exp": 1},
    {"exp": "tomorrow"},
    {"exp": None},
    {"exp": True},
    {"iat": int(time.time()) + 86_400},
    {"aud": "another"},
    {"aud": ["specloop", "another"]},
    {"iss": "https://evil.test"},
    {"sid": "00112233445566778899aabbccddeeff"},
    {"sid": None},
    {"sub": None},
    {"sub": "01900000-0000-7000-8000-000000000000"},
]


@pytest.mark.parametrize("change", CLAIMS, ids=[f"{index}-{next(iter(one))}" for index, one in enumerate(CLAIMS)])
def test_claims_that_are_wrong_are_refused_although_the_signature_is_right(
    server: str, tenant: Tenant, server_key: Ed25519PrivateKey, change: Document
) -> None:
    header, claims = parts(tenant.token)
    assert status_of(server, signed(header, {**claims, **change}, server_key)) == 401


def test_a_session_cannot_be_given_to_another_user(
    server: str, tenant: Tenant, other: Tenant, server_key: Ed25519PrivateKey
) -> None:
    header, claims = parts(tenant.token)
    assert status_of(server, signed(header, {**claims, "sub": other.user_id}, server_key)) == 401


def test_junk_is_refused(server: str) -> None:
    for token in ("eyJ..", "eyJ.eyJ.eyJ", "eyJhbGciOiJFZERTQSJ9" * 500 + ".e30.AA", "sk_live_" + "a" * 5000):
        assert status_of(server, token) == 401


def test_signing_out_ends_both_tokens_at_once(server: str, tenant: Tenant) -> None:
    assert tenant.client.post("/api/v1/auth/logout").status_code == 204
    assert status_of(server, tenant.token) == 401
    renewed = httpx.post(f"{server}/api/v1/auth/login", json={"refresh_token": tenant.refresh_token}, timeout=60)
    assert renewed.status_code == 401


def test_a_refresh_token_that_is_used_twice_ends_the_session(server: str, tenant: Tenant) -> None:
    body = {"refresh_token": tenant.refresh_token}
    first = httpx.post(f"{server}/api/v1/auth/login", json=body, timeout=60)
    assert first.status_code == 200
    assert httpx.post(f"{server}/api/v1/auth/login", json=body, timeout=60).status_code == 401
    assert status_of(server, first.json()["access_token"]) == 401
    later = {"refresh_token": first.json()["refresh_token"]}
    assert httpx.post(f"{server}/api/v1/auth/login", json=later, timeout=60).status_code == 401


def test_a_removed_member_sees_nothing_any_more(server: str, tenant: Tenant) -> None:
    email = f"{secrets.token_hex(8)}@test.com"
    places = [{"id": tenant.workspace_id, "role": "admin"}]
    invitation = {"email": email, "account_role": "member", "workspaces": places}
    invited = tenant.client.post("/api/v1/account/invites", json=invitation)
    assert invited.status_code == 201, invited.text
    body = {"email": email, "password": PASSWORD, "invite_token": invited.json()["token"]}
    joined = httpx.post(f"{server}/api/v1/auth/register", json=body, timeout=60).json()
    headers = {"authorization": f"Bearer {joined['access_token']}"}
    with httpx.Client(base_url=server, headers=headers, timeout=60) as member:
        key = member.post(f"{tenant.path}/keys", json={"name": "left behind"})
        assert member.get(f"{tenant.path}/agents").status_code == 200
        left = tenant.client.delete(f"/api/v1/account/members/{joined['user_id']}")
        assert left.status_code == 204, left.text
        for path in (f"{tenant.path}/agents", "/api/v1/auth/me", "/api/v1/account", f"{tenant.path}/keys"):
            assert member.get(path).status_code in (401, 404), path
        assert key.status_code in (201, 403)


def test_a_revoked_key_ends_at_once(server: str, tenant: Tenant) -> None:
    made = tenant.client.post(f"{tenant.path}/keys", json={"name": "k"}).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    path = f"{server}{tenant.path}/agents"
    assert httpx.get(path, headers=headers, timeout=60).status_code == 200
    assert tenant.client.delete(f"{tenant.path}/keys/{made['key_id']}").status_code == 204
    assert httpx.get(path, headers=headers, timeout=60).status_code == 401


def test_the_signing_key_stays_in_its_folder(server: str, server_key: Ed25519PrivateKey, tenant: Tenant) -> None:
    secret = encode(server_key.private_bytes_raw())
    for path in ("/.well-known/jwks.json", "/openapi.json", "/metrics", "/static/../token-signing.json"):
        assert secret not in tenant.client.get(path).text, path
