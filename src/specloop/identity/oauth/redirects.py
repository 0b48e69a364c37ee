"""Which redirect addresses are ours. Pure rules (RFC 8252 §7.3, RFC 9700 §2.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?&=%\[\]]+")
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


def is_allowed(uri: str, allowed: Sequence[str]) -> bool:
    """Whether `uri` is exactly one of `allowed`, or differs from a loopback one in the port only.

    User info, fragments, backslashes, dot segments and escapes in the path are never allowed, whatever they lead to.
    """
    if uri in allowed:
        return True
    if not _PLAIN.fullmatch(uri):
        return False
    try:
        wanted = _parts(uri)
        return any(_is_same_loopback(wanted, _parts(known)) for known in allowed)
    except ValueError:
        return False


def _parts(uri: str) -> SplitResult:
    parts = urlsplit(uri)
    if parts.port == 0:
        raise ValueError("port 0 is nobody's")
    return parts


def _is_same_loopback(wanted: SplitResult, known: SplitResult) -> bool:
    if known.scheme != "http" or known.hostname not in _LOOPBACK:
        return False
    return (wanted.scheme, wanted.hostname, wanted.path, wanted.query) == (
        known.scheme,
        known.hostname,
        known.path,
        known.query,
    )
