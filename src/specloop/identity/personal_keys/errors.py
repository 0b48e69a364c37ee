"""What can go wrong with personal keys."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class PersonalKeyNotFound(NotFound):
    """Personal key not found"""


class TooManyPersonalKeys(BusinessRule):
    """You have as many personal keys as one user may have; revoke one first"""
