"""The cookies of the pages, and the token that proves that a change came from our own page.

On TLS the names carry `__Host-`: such a cookie is bound to this very host and was set over TLS (RFC 6265bis §4.1.3).
Plain names are for HTTP, which is served on loopback only.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from specloop.identity.tokens import TokenPair
from specloop.kit.crypto import Pepper, constant_time_equal

ACCESS = "specloop_access"
REFRESH = "specloop_refresh"
ATTEMPT = "specloop_attempt"
API_ACCESS = "access_token"
REFRESH_SECONDS = 30 * 24 * 3600
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the request came over TLS."""
    return connection.url.scheme in {"https", "wss"}


def _name(base: str, *, secure: bool) -> str:
    return f"__Host-{base}" if secure else base


def set_session(response: Response, connection: HTTPConnection, tokens: TokenPair) -> None:
    """Sign the browser in."""
    secure = is_secure(connection)
    for base, value, seconds in (
        (ACCESS, tokens.access_token, tokens.expires_in),
        (REFRESH, tokens.refresh_token, REFRESH_SECONDS),
    ):
        response.set_cookie(
            _name(base, secure=secure), value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
        )


def clear_session(response: Response, connection: HTTPConnection) -> None:
    """Sign the browser out."""
    secure = is_secure(connection)
    for base in (ACCESS, REFRESH):
        response.delete_cookie(_name(base, secure=secure), path="/", secure=secure, httponly=True, samesite="lax")


def access_token_of(connection: HTTPConnection) -> str | None:
    """The access token in the cookies; over TLS the plain name is not believed, since any subdomain could set it."""
    cookies = connection.cookies
    return cookies.get(_name(ACCESS, secure=is_secure(connection))) or cookies.get(API_ACCESS)


def refresh_token_of(connection: HTTPConnection) -> str | None:
    """The refresh token in the cookies."""
    return connection.cookies.get(_name(REFRESH, secure=is_secure(connection)))


def set_attempt(response: Response, connection: HTTPConnection, secret: str) -> None:
    """Bind a sign-in at a provider to this browser."""
    secure = is_secure(connection)
    name = _name(ATTEMPT, secure=secure)
    response.set_cookie(name, secret, max_age=600, path="/", secure=secure, httponly=True, samesite="lax")


def attempt_of(connection: HTTPConnection) -> str | None:
    """What `set_attempt` left in the browser."""
    return connection.cookies.get(_name(ATTEMPT, secure=is_secure(connection)))


class CSRF:
    """Makes and checks the token of a session's own pages; nothing is stored."""

    def __init__(self, pepper: Pepper) -> None:
        self._pepper = pepper

    def token(self, session_id: str) -> str:
        """What our pages send in `X-CSRF-Token`."""
        return self._pepper.digest(f"csrf:{session_id}")

    def is_valid(self, session_id: str, token: str) -> bool:
        """Whether `token` was made for this session."""
        return constant_time_equal(self.token(session_id), token)

    def allows(self, connection: HTTPConnection, session_id: str) -> bool:
        """Whether a request with a cookie may change something (spectral.md §1.0).

        Either it carries the token; or it has a JSON body, which another site cannot send with our SameSite=Lax
        cookie; or the browser itself says that it comes from our own origin.
        """
        if connection.scope.get("method", "GET") in SAFE_METHODS:
            return True
        headers = connection.headers
        token = headers.get(CSRF_HEADER)
        if token is not None:
            return self.is_valid(session_id, token)
        site = headers.get("sec-fetch-site")
        if site is not None and site not in {"same-origin", "none"}:
            return False
        is_json = headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        return is_json or site == "same-origin" or _is_own_origin(connection)


def _is_own_origin(connection: HTTPConnection) -> bool:
    origin = connection.headers.get("origin")
    return origin is not None and origin == f"{connection.url.scheme}://{connection.headers.get('host', '')}"
