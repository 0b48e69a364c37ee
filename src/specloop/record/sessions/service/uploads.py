"""The upload of a session: one transaction, whatever happens to the process and however many come at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

from specloop.db.batches import Write
from specloop.db.context import Context
from specloop.kit import json
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger
from specloop.record.projects import Project, ProjectService
from specloop.record.sessions.compression import verified
from specloop.record.sessions.errors import BadSessionID, BadUpload
from specloop.record.sessions.model import (
    CLIENT_ID_PATTERN,
    DocumentKind,
    Session,
    ShareStatus,
    Stored,
    Upload,
    ValueKind,
)
from specloop.record.sessions.observers import SessionObserver
from specloop.record.sessions.preparation import (
    DERIVATION,
    Derived,
    DerivedValue,
    PackedDocument,
    Prepared,
    clipped,
    prepare,
)
from specloop.record.sessions.repository import exchanges, writing
from specloop.record.sessions.repository.rows import FIGURES, brief, from_values
from specloop.record.sessions.service.tags import make_etag
from specloop.record.sessions.uploading import plain

log = get_logger(__name__)
LARGE_BYTES: Final = 256 * 1024
"""Larger bodies are worked on by a thread, so that others are answered meanwhile."""
_LIST_MAX: Final = 1_000
_TOKENS: Final = frozenset(name for name in FIGURES if name.endswith("_tokens") or name == "cost_usd")
Result = TypeVar("Result")


async def off_loop(size: int, work: Callable[[], Result]) -> Result:
    """The result of `work`, done on a thread when `size` bytes are many."""
    return work() if size < LARGE_BYTES else await asyncio.to_thread(work)


class SessionUploads:
    """Stores what clients record."""

    def __init__(self, projects: ProjectService, observers: Sequence[SessionObserver] = ()) -> None:
        self._projects = projects
        self._observers = tuple(observers)

    async def put(self, ctx: Context, project_id: str, session_id: str, upload: Upload) -> Stored:
        """Create the session, and its project where it is new, or bring it up to date (specstory.md §1.2).

        `session_id` is the client's, else the row id of a session in the project (§1.4). Session data and metadata
        that the upload leaves out stay as they are.
        Raises: BadSessionID, BadProjectID, BadUpload.
        """
        if not re.fullmatch(CLIENT_ID_PATTERN, session_id):
            raise BadSessionID
        size = len(upload.markdown) + len(upload.raw) + len(upload.session_data or b"")
        prepared = await off_loop(size, lambda: prepare(upload))
        while True:  # again when the project was merged away, or the session deleted, at this very moment
            project = await self._projects.ensure(ctx, project_id, upload.project_name)
            if not await writing.has_row(ctx, project.id, session_id):
                stored = await self._create(ctx, project, session_id, upload, prepared)
                if stored is not None:
                    return Stored(True, stored)
            known = await writing.find_for_change(ctx, project.id, session_id)
            if known is not None:
                return Stored(False, await self._update(ctx, project, known, upload, prepared))

    async def _create(
        self, ctx: Context, project: Project, session_id: str, upload: Upload, prepared: Prepared
    ) -> Session | None:
        now = ctx.clock.now()
        row_id = new_id()
        digests = {kind: one.sha256 for kind, one in prepared.documents.items()}
        content = _content(upload, digests, _metadata_bytes(upload) or b"{}")
        values: dict[str, Any] = {
            "id": row_id,
            "client_id": session_id,
            "account_id": ctx.principal.account_id,
            "workspace_id": ctx.workspace_id,
            "owner_id": ctx.principal.user_id or "",
            "project_id": project.id,
            "user_title": None,
            "share_status": ShareStatus.PRIVATE.value,
            "shared_at": None,
            "created_at": now,
            "revision": 0,
            "data_size": None,
            "schema_version": None,
            **content,
            **_columns(upload, prepared, json.loads(content["metadata_json"]), now),
        }
        values["etag"] = make_etag(row_id, values["markdown_size"], values["content_digest"], 0)
        if not await writing.add(ctx, values):
            return None
        session = from_values(values, brief(project))
        documents = writing.documents(ctx, row_id, prepared.documents)
        await self._store(ctx, session, prepared.derived, documents, is_new=True)
        return session

    async def _update(
        self, ctx: Context, project: Project, known: Mapping[str, Any], upload: Upload, prepared: Prepared
    ) -> Session:
        row_id = str(known["id"])
        stored = await writing.digests(ctx, row_id)
        digests = {**stored, **{kind: one.sha256 for kind, one in prepared.documents.items()}}
        content = _content(upload, digests, _metadata_bytes(upload) or known["metadata_json"])
        if content["content_digest"] == known["content_digest"] and known["derivation"] == DERIVATION:
            await self._repair(ctx, row_id, prepared)
            return from_values(known, brief(project))
        keeps_usage = not prepared.derived.has_usage and bool(known["data_size"])
        columns = _columns(upload, prepared, json.loads(content["metadata_json"]), ctx.clock.now())
        if keeps_usage:
            columns = {name: value for name, value in columns.items() if name not in _TOKENS}
        changes: dict[str, Any] = {**content, **columns}
        changes["etag"] = make_etag(row_id, changes["markdown_size"], changes["content_digest"], known["revision"])
        await writing.change(ctx, row_id, changes)
        fresh = {kind: one for kind, one in prepared.documents.items() if stored.get(kind) != one.sha256}
        documents = writing.documents(ctx, row_id, fresh, replaced=fresh.keys() & stored.keys())
        session = from_values({**known, **changes}, brief(project))
        await self._store(ctx, session, prepared.derived, documents, is_new=False, keeps_usage=keeps_usage)
        return session

    async def _repair(self, ctx: Context, row_id: str, prepared: Prepared) -> None:
        """Put those documents in place again that are not what they were, now that the client sends the same ones."""
        damaged: dict[DocumentKind, PackedDocument] = {}
        for kind, one in prepared.documents.items():
            body = await writing.body(ctx, row_id, kind)
            if await off_loop(one.size, partial(verified, body, one.sha256)) is None:
                damaged[kind] = one
        if damaged:
            log.warning("session.document_repaired", session_id=row_id, kinds=sorted(damaged))
            await writing.execute_all(ctx, writing.documents(ctx, row_id, damaged, replaced=damaged))

    async def _store(
        self,
        ctx: Context,
        session: Session,
        derived: Derived,
        documents: Sequence[Write],
        *,
        is_new: bool,
        keeps_usage: bool = False,
    ) -> None:
        """Write everything but the session's own row, then tell the observers."""
        replaced = await exchanges.replace(ctx, session.id, derived.exchanges, is_new=is_new)
        values = writing.values(ctx, session.id, (*derived.values, *_named_values(session)), is_new=is_new)
        usage = [] if keeps_usage else writing.usage(ctx, session.id, derived.usage, is_new=is_new)
        await writing.execute_all(ctx, (*documents, *replaced.writes, *values, *usage))
        for observer in self._observers:
            await observer.stored(ctx, session, replaced.stored, replaced.removed_ids)


def _named_values(session: Session) -> list[DerivedValue]:
    """What the client named beside what the documents tell."""
    named = (
        (ValueKind.MODEL, session.models),
        (ValueKind.BRANCH, session.branches),
        (ValueKind.TAG, session.tags),
    )
    return [DerivedValue(kind, clipped(value)) for kind, values in named for value in values]


def _content(upload: Upload, digests: Mapping[DocumentKind, str], metadata_json: bytes) -> dict[str, Any]:
    """The metadata, and a digest of everything that a client uploads."""
    parts = [upload.name, upload.markdown_version or "", *(f"{kind}={digests[kind]}" for kind in sorted(digests))]
    digest = sha256("\n".join(parts).encode() + metadata_json).hexdigest()
    return {"metadata_json": metadata_json, "content_digest": digest}


def _metadata_bytes(upload: Upload) -> bytes | None:
    """Raises: BadUpload when the metadata is nested too deeply to be written again."""
    try:
        return None if upload.metadata is None else json.dumps(dict(upload.metadata))
    except TypeError as error:
        raise BadUpload from error


def _columns(upload: Upload, prepared: Prepared, metadata: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The columns that follow from documents and metadata; `data_size` only when there is session data."""
    derived = prepared.derived
    data = prepared.documents.get(DocumentKind.SESSION_DATA)
    figures = {name: getattr(derived.figures, name) for name in FIGURES}
    return {
        "name": upload.name,
        "title": _text(metadata, "title"),
        "summary": _text(metadata, "summary"),
        "opening": derived.opening,
        "client_name": _text(metadata, "clientName"),
        "client_version": _text(metadata, "clientVersion"),
        "agent_name": _text(metadata, "agentName") or derived.agent,
        "device_id": _text(metadata, "deviceId"),
        "machine_name": _text(metadata, "machineName"),
        "slug": derived.slug,
        "markdown_version": upload.markdown_version or derived.markdown_version,
        "models": _texts(metadata, "llmModels", derived.models),
        "branches": _texts(metadata, "gitBranches", derived.branches),
        "tags": _texts(metadata, "tags", ()),
        "markdown_size": len(upload.markdown),
        "raw_size": len(upload.raw),
        **({} if data is None else {"data_size": data.size, "schema_version": prepared.schema_version}),
        "is_parsed": derived.problem is None,
        "parse_problem": derived.problem,
        "derivation": DERIVATION,
        "started_at": derived.started_at,
        "ended_at": derived.ended_at,
        "active_at": derived.ended_at or derived.started_at or now,
        "updated_at": now,
        **figures,
    }


def _text(metadata: Mapping[str, Any], name: str) -> str | None:
    value = metadata.get(name)
    return plain(value) if isinstance(value, str) and value else None


def _texts(metadata: Mapping[str, Any], name: str, derived: Sequence[str]) -> list[str]:
    """What the client named, then what the documents tell, each once."""
    sent = metadata.get(name)
    named = (
        [plain(one) for one in cast("list[Any]", sent) if isinstance(one, str) and one]
        if isinstance(sent, list)
        else []
    )
    return list(dict.fromkeys((*named, *map(plain, derived))))[:_LIST_MAX]
