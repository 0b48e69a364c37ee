"""Access tokens: signed JWTs of one hour that name a user and a session (RFC 9068, RFC 8725)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from joserfc import jws, jwt
from joserfc.errors import JoseError

from specloop.identity.tokens.errors import BadToken, TokenExpired, UnknownSigningKey
from specloop.identity.tokens.keyring import KeyRing
from specloop.identity.tokens.model import ACCESS_LIFETIME, Claims
from specloop.kit.ids import new_id

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
AUDIENCE = "specloop"
LENGTH_MAX = 2048
SKEW_SECONDS = 60
_HEADERS = frozenset({"alg", "kid", "typ"})


class AccessTokens:
    """Issues and verifies the access tokens of one issuer."""

    def __init__(self, ring: KeyRing, issuer: str) -> None:
        self.ring = ring
        self.issuer = issuer

    def issue(self, user_id: str, session_id: str, now: datetime) -> str:
        """A token that is good for an hour."""
        moment = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "jti": new_id(),
            "iat": moment,
            "exp": moment + int(ACCESS_LIFETIME.total_seconds()),
        }
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self.ring.kid}
        return jwt.encode(header, claims, self.ring.private, algorithms=[ALGORITHM])

    def verify(self, token: str, now: datetime) -> Claims:
        """What a token says, when its signature, type, issuer, audience and times are all right.

        Raises: BadToken; UnknownSigningKey when another process may have published the key since; TokenExpired.
        """
        if len(token) > LENGTH_MAX:
            raise BadToken
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
            key = self._key(header)
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError) as error:
            raise BadToken from error
        return self._checked(claims, now.timestamp())

    def _key(self, header: dict[str, Any]) -> Any:
        # A header that we never write (crit, jwk, jku, x5u, b64 …) is refused whatever it says (RFC 8725 §3.10).
        if header.keys() != _HEADERS or header["alg"] != ALGORITHM or header["typ"] != TYPE:
            raise BadToken
        key = self.ring.public(str(header["kid"]))
        if key is None:
            raise UnknownSigningKey
        return key

    def _checked(self, claims: dict[str, Any], now: float) -> Claims:
        expires_at, issued_at = claims.get("exp"), claims.get("iat")
        if not isinstance(expires_at, int) or not isinstance(issued_at, int) or issued_at > now + SKEW_SECONDS:
            raise BadToken
        if claims.get("iss") != self.issuer or claims.get("aud") != AUDIENCE:
            raise BadToken
        user_id, session_id = claims.get("sub"), claims.get("sid")
        if not isinstance(user_id, str) or not isinstance(session_id, str):
            raise BadToken
        if now >= expires_at:
            raise TokenExpired
        return Claims(user_id, session_id, cast("str", claims["aud"]), expires_at)
