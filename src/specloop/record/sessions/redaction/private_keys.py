"""Finds private keys in PEM, wherever they begin.

The library's rule begins at the first header, so a header that was only mentioned hides the key after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from specloop.record.sessions.redaction.model import Secret

RULE = "private-key"
_SIGN = "PRIVATE KEY"
_HEADER = r"-----BEGIN [A-Z0-9 _-]{0,64}PRIVATE KEY(?: BLOCK)?-----"
_WHOLE = rf"{_HEADER}(?:(?!-----BEGIN|\n{{8}})[\s\S])*?-----END [^-\n]*-----"
_BETWEEN_LINES = r"(?:\s|\\+[nrt]|\d{1,6}[→|:\t]|[+>|\"',-])+?"
_CUT = rf"{_HEADER}(?:{_BETWEEN_LINES}[A-Za-z0-9+/=]{{40,}})+"
_KEY = re.compile(f"{_WHOLE}|{_CUT}")
_LINE = re.compile(r"[A-Za-z0-9+/=]{32,}")
_BODY = re.compile(r"[A-Za-z0-9+/=]{20}")


def find_private_keys(text: str) -> Iterator[Secret]:
    """The keys with their first and last line; one that was cut off as far as it goes. A mere mention is none."""
    if _SIGN in text:
        for found in _KEY.finditer(text):
            if _BODY.search(found[0]):
                yield Secret(RULE, found[0], found[0])


def lines_of_key(secret: Secret) -> list[str]:
    """The lines of a private key, which a patch holds one by one; nothing for another secret."""
    return _LINE.findall(secret.value) if secret.rule == RULE else []


def without_private_keys(text: str) -> str:
    """The text without them."""
    if _SIGN not in text:
        return text
    return _KEY.sub(lambda found: f"[REDACTED:{RULE}]" if _BODY.search(found[0]) else found[0], text)
