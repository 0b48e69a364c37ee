"""Bytes by their SHA-256, on files or in an S3-compatible store; knows neither what they mean nor whose they are.

A blob is written under its own digest (`ab/cd/abcd…`), so equal bytes are stored once and a write that is repeated or
races with itself is harmless. What is read is hashed on the way: bytes that do not match are never served.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NewType, cast
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from specloop.errors import Internal, NotFound, StartupError, Unavailable
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

log = get_logger(__name__)

Digest = NewType("Digest", str)
"""64 lower-case hex characters."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
SPOOL_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024


class BlobNotFound(NotFound):
    """There is no such blob"""


class BlobCorrupt(Internal):
    """A stored blob does not match its digest any more; `digest` names it."""

    code = "blob-corrupt"


class BlobStoreUnavailable(Unavailable):
    """The blob store cannot be reached."""


class BlobStoreAddress(StartupError):
    """The blob store's address is wrong: use file:///folder or s3://bucket/prefix."""

    code = "blob-store-address"


class BlobStore:
    """Content-addressed bytes."""

    def __init__(self, backend: LocalStore | S3Store, folder: Path | None = None) -> None:
        self.backend = backend
        self._folder = folder

    @classmethod
    def open(cls, url: str, settings: Mapping[str, str] | None = None) -> BlobStore:
        """A store at `file:///folder` (made if missing, for this user only) or `s3://bucket/prefix`.

        `settings` for S3: endpoint, region, access_key_id, secret_access_key, allow_http ("true" for a plain endpoint),
        retry_seconds_max (default 15).
        Raises: BlobStoreAddress.
        """
        parts = urlsplit(url)
        if parts.scheme == "file" and parts.path and not parts.netloc:
            folder = Path(unquote(parts.path))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(folder), folder)
        if parts.scheme == "s3" and parts.netloc:
            return cls(_s3_store(parts.netloc, parts.path.strip("/"), settings or {}))
        raise BlobStoreAddress

    async def put(self, data: bytes | AsyncIterable[bytes]) -> Digest:
        """Keep `data` and return its digest. Large streams pass through a temporary file, not through memory.

        Nobody sees half a blob: it appears under its name when it is complete.
        Raises: BlobStoreUnavailable.
        """
        if isinstance(data, bytes):
            digest = Digest(hashlib.sha256(data).hexdigest())
            await self._put(digest, data)
            return digest
        with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            digest = await _spool(data, cast(IO[bytes], spool))
            await self._put(digest, cast(IO[bytes], spool))
        return digest

    async def get(self, digest: Digest) -> bytes:
        """The whole blob.

        Raises: BlobNotFound; BlobCorrupt; BlobStoreUnavailable.
        """
        path = blob_path(digest)
        try:
            data = bytes(await (await obstore.get_async(self.backend, path)).bytes_async())
        except FileNotFoundError as error:
            raise BlobNotFound from error
        except BaseError as error:
            raise BlobStoreUnavailable(retry_after=5) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise _corrupt(digest)
        return data

    async def stream(self, digest: Digest) -> tuple[int, AsyncIterator[bytes]]:
        """The size and the chunks of a blob that may be larger than memory; it is read through beforehand.

        Raises: BlobNotFound; BlobCorrupt; BlobStoreUnavailable.
        """
        try:
            size = await self.verify(digest)
        except BlobCorrupt as error:
            raise _corrupt(digest) from error
        return size, self._chunks(digest)

    async def exists(self, digest: Digest) -> bool:
        """Whether the blob is there (not whether it is intact).

        Raises: BlobStoreUnavailable.
        """
        return await self._size(digest) is not None

    async def digests(self) -> AsyncIterator[Digest]:
        """The digests of all blobs, in no order.

        Raises: BlobStoreUnavailable.
        """
        try:
            listed = cast(AsyncIterable[Sequence[Any]], obstore.list(self.backend))  # pyright: ignore[reportUnknownMemberType]
            async for batch in listed:
                for item in batch:
                    name = item["path"].rpartition("/")[2]
                    if _DIGEST.fullmatch(name):
                        yield Digest(name)
        except BaseError as error:
            raise BlobStoreUnavailable(retry_after=5) from error

    async def delete(self, digest: Digest) -> None:
        """Remove the blob if it is there.

        Raises: BlobStoreUnavailable.
        """
        try:
            await obstore.delete_async(self.backend, blob_path(digest))
        except FileNotFoundError:
            return
        except BaseError as error:
            raise BlobStoreUnavailable(retry_after=5) from error

    async def verify(self, digest: Digest) -> int:
        """Read the blob through without keeping it in memory; returns its size in bytes.

        Raises: BlobNotFound; BlobCorrupt; BlobStoreUnavailable.
        """
        hashed, size = hashlib.sha256(), 0
        async for chunk in self._chunks(digest):
            hashed.update(chunk)
            size += len(chunk)
        if hashed.hexdigest() != digest:
            raise BlobCorrupt(digest=digest)
        return size

    async def _put(self, digest: Digest, data: bytes | IO[bytes]) -> None:
        # An S3 store guards what it holds, so an object of the right size need not travel again. A file may have been
        # cut by a power failure: it is written anew, which costs little and repairs it.
        if self._folder is None and await self._size(digest) == _length(data):
            return
        try:
            await obstore.put_async(self.backend, blob_path(digest), data, mode="overwrite")
        except BaseError as error:
            raise BlobStoreUnavailable(retry_after=5) from error
        if self._folder is not None:
            await asyncio.to_thread(_sync, self._folder / blob_path(digest), self._folder)

    async def _size(self, digest: Digest) -> int | None:
        try:
            return (await obstore.head_async(self.backend, blob_path(digest)))["size"]
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise BlobStoreUnavailable(retry_after=5) from error

    async def _chunks(self, digest: Digest) -> AsyncIterator[bytes]:
        try:
            result = await obstore.get_async(self.backend, blob_path(digest))
            async for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)
        except FileNotFoundError as error:
            raise BlobNotFound from error
        except BaseError as error:
            raise BlobStoreUnavailable(retry_after=5) from error


def _corrupt(digest: Digest) -> BlobCorrupt:
    incident = new_id()
    log.error("blob.corrupt", incident_id=incident, digest=digest)
    return BlobCorrupt(f"The stored file is corrupt, so it is not served. Incident {incident}", digest=digest)


def blob_path(digest: Digest) -> str:
    """Where a blob lies in its store: two levels of 256 folders, so that no folder grows huge.

    Raises: BlobNotFound for a text that is no digest, so that a caller's text never becomes a path.
    """
    if not _DIGEST.fullmatch(digest):
        raise BlobNotFound
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def _sync(path: Path, root: Path) -> None:
    """Make a file and its name survive a power failure; obstore renames into place but does not sync."""
    while True:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path == root:
            return
        path = path.parent


async def _spool(chunks: AsyncIterable[bytes], spool: IO[bytes]) -> Digest:
    hashed = hashlib.sha256()
    async for chunk in chunks:
        hashed.update(chunk)
        spool.write(chunk)
    spool.seek(0)
    return Digest(hashed.hexdigest())


def _length(data: bytes | IO[bytes]) -> int:
    if isinstance(data, bytes):
        return len(data)
    length = data.seek(0, 2)
    data.seek(0)
    return length


def _s3_store(bucket: str, prefix: str, settings: Mapping[str, str]) -> S3Store:
    known = {"endpoint", "region", "access_key_id", "secret_access_key", "session_token"}
    config: dict[str, Any] = {name: value for name, value in settings.items() if name in known and value}
    options: dict[str, Any] = {"allow_http": settings.get("allow_http") == "true", "timeout": "30s"}
    seconds = float(settings.get("retry_seconds_max", "15"))
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=cast("S3Config", config),
        client_options=cast("ClientConfig", options),
        retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=seconds)},
    )
