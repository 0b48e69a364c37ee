"""From transcripts on disk to request bodies: read, take the secrets out, render, compress.

Works on several transcripts at once, because looking for secrets has a price per look.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from specloop.record.sessions.importers import (
    FoundTranscript,
    LocalSession,
    ProjectIdentity,
    UnreadableTranscript,
    identify_project,
    read_transcript,
)
from specloop.record.sessions.importers.payload import (
    Client,
    Outgoing,
    build_outgoing,
    texts_to_scan,
    without_secrets,
)
from specloop.record.sessions.redaction import Redaction, RedactionUnavailable, Secret, SecretScanner

BATCH_BYTES = 2_000_000
BATCH_FILES = 24


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of one transcript: a request, nothing (no session in it, or `is_other` project's), or a problem."""

    found: FoundTranscript
    outgoing: Outgoing | None = None
    has_data: bool = False
    problem: str | None = None
    is_other: bool = False


class Skip(Enum):
    """Why a session is left out."""

    OTHER_PROJECT = "other project"


class Preparer:
    """Prepares transcripts; `scanner` None leaves secrets in, `into` overrides what the folders say, `only` leaves out
    the sessions of other projects."""

    def __init__(
        self,
        client: Client,
        scanner: SecretScanner | None,
        into: ProjectIdentity | None = None,
        only: str | None = None,
    ) -> None:
        self._client = client
        self._scanner = scanner
        self._into = into
        self._only = only
        self._known: dict[tuple[str | None, str | None], ProjectIdentity] = {}
        self._lock = threading.Lock()

    @property
    def version(self) -> str:
        """Changes when the same file would be sent otherwise: another client, with or without secrets, elsewhere."""
        target = self._into.project_id if self._into else ""
        return f"{self._client.version}-{'redacted' if self._scanner else 'whole'}-{target}"

    def prepare(self, batch: Sequence[FoundTranscript]) -> list[Prepared]:
        """One result for each transcript, in order."""
        read = [self._read(found) for found in batch]
        sessions = [each for each in read if isinstance(each, LocalSession)]
        try:
            secrets = self._secrets_of(sessions)
        except RedactionUnavailable as error:  # nothing is sent that was not looked through
            return [Prepared(found, problem=f"{found.place}: {error.detail}") for found in batch]
        prepared = list[Prepared]()
        for found, each in zip(batch, read, strict=True):
            if isinstance(each, LocalSession):
                prepared.append(self._build(found, each, Redaction(secrets)))
            elif isinstance(each, Skip):
                prepared.append(Prepared(found, is_other=True))
            else:
                prepared.append(Prepared(found, problem=each))
        return prepared

    def project_of(self, session: LocalSession) -> ProjectIdentity:
        """Where the session belongs."""
        if self._into is not None:
            return self._into
        place = (session.cwd, session.remote)
        with self._lock:
            if place not in self._known:
                self._known[place] = identify_project(*place)
            return self._known[place]

    def _secrets_of(self, sessions: Iterable[LocalSession]) -> list[Secret]:
        if self._scanner is None:
            return []
        return self._scanner.find(text for each in sessions for text in texts_to_scan(each))

    def _read(self, found: FoundTranscript) -> LocalSession | Skip | str | None:
        try:
            session = read_transcript(found)
        except UnreadableTranscript as error:
            return error.detail
        except Exception as error:  # a transcript of a kind nobody has seen must not stop the others
            return f"{found.place}: cannot be read ({type(error).__name__})"
        if session is not None and self._only not in (None, self.project_of(session).project_id):
            return Skip.OTHER_PROJECT
        return session

    def _build(self, found: FoundTranscript, session: LocalSession, redaction: Redaction) -> Prepared:
        try:
            clean, redacted = without_secrets(session, redaction)
            outgoing = build_outgoing(clean, self.project_of(session), self._client, redacted)
        except UnreadableTranscript as error:
            return Prepared(found, problem=f"{found.place}: {error.detail}")
        return Prepared(found, outgoing, has_data=session.session_data is not None)


def batched(transcripts: Iterable[FoundTranscript]) -> Iterator[list[FoundTranscript]]:
    """Transcripts in groups of a bounded size."""
    batch, size = list[FoundTranscript](), 0
    for found in transcripts:
        batch.append(found)
        size += found.size
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
