"""What can go wrong with tokens."""

from __future__ import annotations

from specloop.errors import NotFound, Unauthenticated


class BadToken(Unauthenticated):
    """The access token is not valid."""


class TokenExpired(Unauthenticated):
    """The access token has expired; renew it with the refresh token."""


class UnknownSigningKey(BadToken):
    """The access token is not valid."""


class BadRefreshToken(Unauthenticated):
    """The refresh token is not valid, or was used before; sign in again."""


class SessionNotFound(NotFound):
    """Session not found"""
