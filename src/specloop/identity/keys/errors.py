"""What can go wrong with API keys."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class KeyNotFound(NotFound):
    """API key not found"""


class KeyNotActive(BusinessRule):
    """The API key is already revoked or has expired"""


class ExpiryInThePast(BusinessRule):
    """expires_at must lie in the future"""
