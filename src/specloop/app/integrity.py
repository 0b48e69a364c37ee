"""What `specloop doctor --deep` adds: it reads everything that is stored with a checksum, compares the search index
with the exchanges, and changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from specloop.app.diagnosis import Finding
from specloop.db.blobs import BlobCorrupt, BlobNotFound, BlobStore
from specloop.db.context import Context
from specloop.db.database import Database, normalise_url
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import SpecloopError
from specloop.kit.clock import SystemClock
from specloop.kit.context import ANONYMOUS
from specloop.record.search import IndexCheck, IndexReport
from specloop.record.sessions import DocumentCheck
from specloop.settings import Settings

NAMED_MAX = 5
Report = TypeVar("Report")
ADVICE = "They are not served. Restore a backup, or delete the session and have its machine upload it again."


def inspect(settings: Settings) -> list[Finding]:
    """Every document and every blob, read through, and the search index."""
    return [check_documents(settings.state_address), check_index(settings.state_address), check_blobs(settings)]


def check_documents(address: str) -> Finding:
    """Are the documents of sessions what was uploaded?"""
    try:
        if not _has_store(address):
            return Finding("documents", "ok", "there are none yet")
        report = asyncio.run(_read(address, DocumentCheck().check))
    except SpecloopError as error:
        return Finding("documents", "failed", f"cannot be read: {error.detail}", "Check the state store first.")
    if not report.corrupt:
        return Finding("documents", "ok", f"{report.documents} read, all intact")
    named = ", ".join(f"{kind} of session {session_id}" for session_id, kind in report.corrupt[:NAMED_MAX])
    more = " and others" if len(report.corrupt) > NAMED_MAX else ""
    detail = f"{len(report.corrupt)} of {report.documents} damaged: {named}{more}"
    return Finding("documents", "failed", detail, ADVICE)


def check_index(address: str) -> Finding:
    """Does the search find every exchange, and nothing else?"""
    try:
        if not _has_store(address):
            return Finding("search index", "ok", "there is none yet")
        return judge_index(asyncio.run(_read(address, IndexCheck().check)))
    except SpecloopError as error:
        return Finding("search index", "failed", f"cannot be read: {error.detail}", "Check the state store first.")


def judge_index(report: IndexReport) -> Finding:
    """Whether the index does what it should. What nobody finds has failed; what a night puts right is a warning."""
    if report.is_sound:
        return Finding("search index", "ok", f"{report.exchanges} exchanges, all of them in it")
    lost = (
        (report.unnumbered_sessions, "sessions are not in it"),
        (report.missing, "exchanges are not in it"),
        (report.unfindable, "sampled exchanges are not found by their own words"),
    )
    old = (
        (report.outdated, "sessions were indexed by the rules of another version"),
        (report.surplus, "entries are left that no search shows"),
    )
    detail = f"of {report.exchanges} exchanges: " + ", ".join(f"{count} {what}" for count, what in lost + old if count)
    if any(count for count, _ in lost):
        return Finding("search index", "failed", detail, "Run: specloop sessions reindex")
    return Finding(
        "search index", "warning", detail, "The server renews it the next night; now: specloop sessions reindex"
    )


def _has_store(address: str) -> bool:
    url = normalise_url(address)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").exists()


async def _read(address: str, check: Callable[[Context], Awaitable[Report]]) -> Report:
    database = await Database.open(address)
    try:
        async with database.reading(ALL_WORKSPACES) as unit:
            return await check(Context(ANONYMOUS, unit, SystemClock()))
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
