"""Zstandard for documents at rest: from the standard library where it has it, else from its backport."""

from __future__ import annotations

import sys
from hashlib import sha256
from typing import Final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL: Final = 3
"""Transcripts shrink to about a fifth at 300 MB/s; higher levels cost more than they save."""


def pack(data: bytes) -> bytes:
    """The compressed form."""
    return zstd.compress(data, LEVEL)


def unpack(data: bytes) -> bytes:
    """The opposite of `pack`.

    Raises: ValueError when `data` is no such form.
    """
    try:
        return zstd.decompress(data)
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from error


def verified(body: bytes, digest: str) -> bytes | None:
    """The document at rest in plain, or None when it is not what its SHA-256 says."""
    try:
        plain = unpack(body)
    except ValueError:
        return None
    return plain if sha256(plain).hexdigest() == digest else None
