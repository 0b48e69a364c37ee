"""Makes of a local session what SpecStory's command line PUTs (specstory.md §1.2), without its secrets.

Markdown is rendered from the data after the secrets are gone, so it cannot hold one that the data does not.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC

from specloop.kit import json
from specloop.record.sessions.importers.conversation import slug_of, title_of
from specloop.record.sessions.importers.errors import UnreadableTranscript
from specloop.record.sessions.importers.fields import moment, text
from specloop.record.sessions.importers.model import Document, LocalSession
from specloop.record.sessions.importers.project_identity import ProjectIdentity
from specloop.record.sessions.redaction import Redaction, texts_of_document, texts_of_json
from specloop.record.sessions.transcript import RenderOptions, Unparsable, parse_session_data, render_markdown

GZIP_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Client:
    """Who sends: program, version and machine."""

    name: str
    version: str
    device_id: str
    machine_name: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request body, gzip-compressed, and what is said about it. `redacted` counts replacements by rule."""

    project: ProjectIdentity
    session_id: str
    agent: str
    title: str
    body: bytes
    digest: str
    markdown_size: int
    raw_size: int
    session_data_size: int
    redacted: Mapping[str, int]
    skipped_lines: int


def texts_to_scan(session: LocalSession) -> Iterator[str]:
    """Every text of the session in which a secret may stand, each once."""
    seen = set[str]()
    for each in _all_texts(session):
        if each not in seen:
            seen.add(each)
            yield each


def without_secrets(session: LocalSession, redaction: Redaction) -> tuple[LocalSession, Mapping[str, int]]:
    """The session with marks in the place of secrets, and how many there are by rule.

    Raw text and data hold the same words, so a secret is counted where it stands more often, not twice.
    """
    is_markdown = session.markdown is not None
    counts = redaction.counts
    counts.clear()
    raw = redaction.text(session.raw) if is_markdown else redaction.json_text(session.raw)
    in_raw = counts.copy()
    counts.clear()
    data = redaction.document(session.session_data)
    total = in_raw | counts
    clean = replace(
        session,
        session_data=data,
        markdown=raw if is_markdown else None,
        raw=raw,
        prompt=redaction.text(session.prompt),
        summary=redaction.text(session.summary) if session.summary else None,
        name=redaction.text(session.name) if session.name else None,
        branches=tuple(map(redaction.text, session.branches)),
    )
    return clean, total


def build_outgoing(
    session: LocalSession, project: ProjectIdentity, client: Client, redacted: Mapping[str, int]
) -> Outgoing:
    """The request body of a session.

    Raises: UnreadableTranscript for one that cannot be rendered.
    """
    data = _data_bytes(session)
    markdown = session.markdown if session.markdown is not None else _rendered(data)
    document = {
        "projectId": project.project_id,
        "projectName": project.name,
        "name": session.name or _file_name(session),
        "markdown": markdown,
        "rawData": session.raw,
        **({"sessionData": data.decode()} if data else {}),
        "metadata": _metadata(session, client),
    }
    body = json.dumps(document)
    return Outgoing(
        project=project,
        session_id=session.session_id,
        agent=session.agent,
        title=title_of(session.prompt),
        body=gzip.compress(body, GZIP_LEVEL, mtime=0),
        digest=hashlib.sha256(body).hexdigest(),
        markdown_size=len(markdown.encode()),
        raw_size=len(session.raw.encode()),
        session_data_size=len(data),
        redacted=dict(redacted),
        skipped_lines=session.skipped_lines,
    )


def _all_texts(session: LocalSession) -> Iterator[str]:
    if session.markdown is not None:
        yield session.markdown
        return
    yield from texts_of_json(session.raw)
    yield from texts_of_document(session.session_data)
    yield session.summary or ""


def _data_bytes(session: LocalSession) -> bytes:
    if session.session_data is None:
        return b""
    return json.dumps({**session.session_data, "slug": slug_of(session.prompt)})


def _rendered(data: bytes) -> str:
    try:
        return render_markdown(parse_session_data(data), RenderOptions())
    except Unparsable as error:
        raise UnreadableTranscript(error.reason) from error


def _file_name(session: LocalSession) -> str:
    data: Document = session.session_data or {}
    began = session.started_at or moment(data.get("createdAt"))
    parts = [began.astimezone(UTC).strftime("%Y-%m-%d_%H-%M-%SZ") if began else "", slug_of(session.prompt)]
    return "-".join(part for part in parts if part) or text(data, "sessionId") or session.session_id


def _metadata(session: LocalSession, client: Client) -> Document:
    optional: Document = {
        "machineName": client.machine_name,
        "title": title_of(session.prompt),
        "summary": session.summary,
        "gitBranches": list(session.branches),
        "llmModels": list(session.models),
    }
    return {
        "clientName": client.name,
        "clientVersion": client.version,
        "agentName": session.agent,
        "deviceId": client.device_id,
        **{name: value for name, value in optional.items() if value},
    }
