"""Random secrets and their fingerprints. Password hashing lives with accounts, signatures with tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(data: bytes) -> str:
    """`data` as base62 text of a fixed width for its length, so that no leading zero is lost."""
    width = -(-len(data) * 8 * 1000 // 5954)
    return _encode62(int.from_bytes(data), width)


def _encode62(number: int, width: int) -> str:
    digits: list[str] = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def random_token(nbytes: int = 32) -> str:
    """A secret of `nbytes` random bytes in base62."""
    return base62(secrets.token_bytes(nbytes))


def checksummed(token: str) -> str:
    """`token` with six base62 characters of CRC-32 behind it, so that scanners can tell a real key from noise."""
    return token + _encode62(zlib.crc32(token.encode()), 6)


def has_valid_checksum(text: str) -> bool:
    """Whether `text` was made by `checksummed`."""
    return len(text) > 6 and checksummed(text[:-6]) == text


def sha256_hex(data: bytes | str) -> str:
    """SHA-256 as 64 hex characters."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def constant_time_equal(left: str, right: str) -> bool:
    """Equality whose duration does not depend on where the texts differ."""
    return hmac.compare_digest(left.encode(), right.encode())


class Pepper:
    """A server-side key that turns a high-entropy token into the digest kept in tables (HMAC-SHA-256)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, token: str) -> str:
        """64 hex characters; without the key a stolen table cannot be matched against guesses."""
        return hmac.digest(self._key, token.encode(), "sha256").hex()
