"""Streaming gzip decompression with a cap on what comes out, so that a small bomb stays small."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from specloop.errors import PayloadTooLarge
from specloop.transport.edge.errors import CorruptBody

_STEP_BYTES = 256 * 1024
# RFC 1952 §2.2 allows members in a row; many empty ones cost time without ever reaching the size limit.
_MEMBERS_MAX = 256
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class GzipInflater:
    """Takes compressed bytes as they come and gives pieces of at most 256 KiB."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._members = 1
        self._member = zlib.decompressobj(_GZIP_WINDOW)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` decompresses to. Raises: CorruptBody, PayloadTooLarge."""
        pending, piece = data, b""
        while pending or len(piece) == _STEP_BYTES:
            if self._member.eof and pending:
                self._begin_member()
            piece = self._inflate(pending)
            pending = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        """The input has ended. Raises: CorruptBody when it was cut short."""
        if not self._member.eof:
            raise CorruptBody

    def _inflate(self, data: bytes) -> bytes:
        try:
            piece = self._member.decompress(data, _STEP_BYTES)
        except zlib.error as error:
            raise CorruptBody from error
        self._bytes += len(piece)
        if self._bytes > self._bytes_max:
            raise PayloadTooLarge(f"the body is larger than {self._bytes_max} bytes after decompression")
        return piece

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > _MEMBERS_MAX:
            raise CorruptBody(f"the body has more than {_MEMBERS_MAX} gzip members")
        self._member = zlib.decompressobj(_GZIP_WINDOW)
