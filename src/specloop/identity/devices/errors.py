"""What can go wrong with devices. The texts steer SpecStory's command line: it asks for another code only when the
answer to a 401 contains "invalid" or "expired" in lower case (specstory.md §1.1)."""

from __future__ import annotations

from specloop.errors import BadRequest, NotFound, Unauthenticated


class DeviceNotFound(NotFound):
    """Device not found"""


class MalformedCode(BadRequest):
    """Invalid device code: six letters and digits are expected"""


class UnknownCode(Unauthenticated):
    """Invalid or expired device code"""


class CodeExpired(Unauthenticated):
    """Device code expired"""


class CodeUsed(Unauthenticated):
    """Device code is invalid: already used"""


class BadDeviceToken(Unauthenticated):
    """Invalid session token"""
