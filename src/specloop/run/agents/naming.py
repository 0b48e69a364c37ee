"""Slugs: the form of an agent's name that is safe in addresses and span attributes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

_OTHER = re.compile(r"[^a-z0-9]+")
LENGTH_MAX = 100


def slug_of(name: str) -> str:
    """Lower-case ASCII words joined by hyphens; `agent` when nothing is left of the name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("-", plain).strip("-")[:LENGTH_MAX].strip("-") or "agent"


def free_slug(name: str, taken: Container[str]) -> str:
    """The slug of `name`, numbered from 2 when it is taken."""
    slug, number = slug_of(name), 1
    candidate = slug
    while candidate in taken:
        number += 1
        candidate = f"{slug}-{number}"
    return candidate
