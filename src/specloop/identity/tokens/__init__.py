"""What proves who one is between requests: signed access tokens, rotating refresh tokens, one-time tokens."""

from specloop.identity.tokens.access import AccessTokens
from specloop.identity.tokens.errors import BadRefreshToken, BadToken, SessionNotFound, TokenExpired, UnknownSigningKey
from specloop.identity.tokens.keyring import KeyRing
from specloop.identity.tokens.model import (
    RESET_LIFETIME,
    SETUP_LIFETIME,
    Claims,
    Purpose,
    Session,
    TokenPair,
)
from specloop.identity.tokens.service import OneTimeTokens, SessionService

__all__ = [
    "RESET_LIFETIME",
    "SETUP_LIFETIME",
    "AccessTokens",
    "BadRefreshToken",
    "BadToken",
    "Claims",
    "KeyRing",
    "OneTimeTokens",
    "Purpose",
    "Session",
    "SessionNotFound",
    "SessionService",
    "TokenExpired",
    "TokenPair",
    "UnknownSigningKey",
]
