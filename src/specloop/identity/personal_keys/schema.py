"""What the form for a new personal key may hold."""

from __future__ import annotations

from typing import Literal

from specloop.transport.schema import Input, Name


class PersonalKeyCreate(Input):
    """A new key; `write` includes reading."""

    name: Name
    access: Literal["read", "write"] = "read"
