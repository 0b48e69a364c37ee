"""How SpecStory's command line names a machine (specstory.md §1.2): a hash of its first network card's address."""

from __future__ import annotations

import hashlib
import socket
import uuid
from pathlib import Path

_NO_ADDRESS = "00:00:00:00:00:00"
_MADE_UP_BIT = 1 << 40
"""Set in what `uuid.getnode` invents when it finds no card."""


def machine_name() -> str:
    """The machine's host name."""
    return socket.gethostname()


def device_id(cards: Path = Path("/sys/class/net")) -> str:
    """SHA-256 of the first address that is no loopback's; of the host name where there is none."""
    address = _first_address(cards) or _any_address()
    return hashlib.sha256((address or f"hostname:{machine_name()}").encode()).hexdigest()


def _first_address(cards: Path) -> str | None:
    found = list[tuple[int, str]]()
    for card in cards.glob("*"):
        try:
            address = (card / "address").read_text().strip()
            index = int((card / "ifindex").read_text())
        except (OSError, ValueError):
            continue
        if address and address != _NO_ADDRESS:
            found.append((index, address))
    return min(found)[1] if found else None


def _any_address() -> str | None:
    node = uuid.getnode()
    if node & _MADE_UP_BIT:
        return None
    digits = f"{node:012x}"
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
