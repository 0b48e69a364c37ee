"""What `specloop doctor --deep` adds: it reads everything that is stored with a checksum, and changes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from specloop.app.diagnosis import Finding
from specloop.db.blobs import BlobCorrupt, BlobNotFound, BlobStore
from specloop.db.context import Context
from specloop.db.database import Database, normalise_url
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import SpecloopError
from specloop.kit.clock import SystemClock
from specloop.kit.context import ANONYMOUS
from specloop.record.sessions import DocumentCheck, DocumentReport
from specloop.settings import Settings

NAMED_MAX = 5
ADVICE = "They are not served. Restore a backup, or delete the session and have its machine upload it again."


def inspect(settings: Settings) -> list[Finding]:
    """Every document and every blob, read through."""
    return [check_documents(settings.state_address), check_blobs(settings)]


def check_documents(address: str) -> Finding:
    """Are the documents of sessions what was uploaded?"""
    try:
        url = normalise_url(address)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            return Finding("documents", "ok", "there are none yet")
        report = asyncio.run(_read_documents(address))
    except SpecloopError as error:
        return Finding("documents", "failed", f"cannot be read: {error.detail}", "Check the state store first.")
    if not report.corrupt:
        return Finding("documents", "ok", f"{report.documents} read, all intact")
    named = ", ".join(f"{kind} of session {session_id}" for session_id, kind in report.corrupt[:NAMED_MAX])
    more = " and others" if len(report.corrupt) > NAMED_MAX else ""
    detail = f"{len(report.corrupt)} of {report.documents} damaged: {named}{more}"
    return Finding("documents", "failed", detail, ADVICE)


async def _read_documents(address: str) -> DocumentReport:
    database = await Database.open(address)
    try:
        async with database.reading(ALL_WORKSPACES) as unit:
            return await DocumentCheck().check(Context(ANONYMOUS, unit, SystemClock()))
    finally:
        await database.close()


def check_blobs(settings: Settings) -> Finding:
    """Do exports and other files match their names?"""
    address = settings.blob_address
    if address.startswith("file://") and not Path(address.removeprefix("file://")).exists():
        return Finding("blobs", "ok", "there are none yet")
    try:
        count, damaged = asyncio.run(_read_blobs(BlobStore.open(address)))
    except SpecloopError as error:
        return Finding("blobs", "failed", f"cannot be read: {error.detail}", "Check the blob store.")
    if damaged:
        named = ", ".join(damaged[:NAMED_MAX])
        return Finding(
            "blobs", "failed", f"{len(damaged)} of {count} damaged: {named}", "Have those exports made again."
        )
    return Finding("blobs", "ok", f"{count} read, all intact")


async def _read_blobs(blobs: BlobStore) -> tuple[int, list[str]]:
    count, damaged = 0, list[str]()
    async for digest in blobs.digests():
        count += 1
        try:
            await blobs.verify(digest)
        except BlobCorrupt:
            damaged.append(digest)
        except BlobNotFound:
            continue  # deleted meanwhile
    return count, damaged
