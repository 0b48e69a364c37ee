"""Slows down guessing: counts failures by account and by address, in memory or in Redis."""

from specloop.identity.throttle.service import Throttle

__all__ = ["Throttle"]
