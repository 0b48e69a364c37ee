"""From transcripts on disk to request bodies: read, take the secrets out, render, compress.

Each session is looked through alone: what is a secret in one may be a word in the next, and a session must not be sent
otherwise because of its company.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from specloop.record.sessions.importers import (
    FoundTranscript,
    LocalSession,
    ProjectIdentity,
    UnreadableTranscript,
    identify_project,
    read_transcript,
)
from specloop.record.sessions.importers.fields import printable
from specloop.record.sessions.importers.payload import (
    Client,
    Outgoing,
    build_outgoing,
    texts_to_scan,
    without_secrets,
)
from specloop.record.sessions.redaction import RULES_VERSION, Redaction, RedactionUnavailable, SecretScanner

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
        """Changes when the same file would be sent otherwise: another client, other secrets left out, elsewhere."""
        target = self._into.project_id if self._into else ""
        return f"{self._client.version}-{f'redacted{RULES_VERSION}' if self._scanner else 'whole'}-{target}"

    def prepare(self, batch: Sequence[FoundTranscript]) -> list[Prepared]:
        """One result for each transcript, in order."""
        return [self._prepared(found) for found in batch]

    def project_of(self, session: LocalSession) -> ProjectIdentity:
        """Where the session belongs."""
        if self._into is not None:
            return self._into
        place = (session.cwd, session.remote)
        with self._lock:
            if place not in self._known:
                self._known[place] = identify_project(*place)
            return self._known[place]

    def _prepared(self, found: FoundTranscript) -> Prepared:
        try:
            session = read_transcript(found)
        except UnreadableTranscript as error:
            return Prepared(found, problem=printable(error.detail))
        except Exception as error:  # a transcript of a kind nobody has seen must not stop the others
            return Prepared(found, problem=f"{found.place}: cannot be read ({type(error).__name__})")
        try:
            return self._built(found, session) if session is not None else Prepared(found)
        except (UnreadableTranscript, RedactionUnavailable) as error:  # nothing is sent that was not looked through
            return Prepared(found, problem=f"{found.place}: {printable(error.detail)}")
        except Exception as error:  # as above: one that is nested too deeply, for example
            return Prepared(found, problem=f"{found.place}: cannot be sent ({type(error).__name__})")

    def _built(self, found: FoundTranscript, session: LocalSession) -> Prepared:
        project = self.project_of(session)
        if self._only not in (None, project.project_id):
            return Prepared(found, is_other=True)
        secrets = self._scanner.find(texts_to_scan(session)) if self._scanner else ()
        clean, redacted = without_secrets(session, Redaction(secrets))
        outgoing = build_outgoing(clean, project, self._client, redacted)
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
