"""Imports transcripts: what changed is prepared on two threads and uploaded on up to ten; one failure stops nothing.

Doing it again sends nothing: files that did not change are not read, and what the server has is not sent (§1.2).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from specloop.cli.session import RemoteError
from specloop.cli.transfer.preparing import Prepared, Preparer, batched
from specloop.cli.transfer.server import RecordServer, Sizes, Stopped
from specloop.cli.transfer.state import Sent, SentState
from specloop.record.sessions.importers import FoundTranscript
from specloop.record.sessions.importers.payload import Outgoing
from specloop.record.sessions.importers.specstory_history import SpecStoryHistory

UPLOADS_MAX = 10
PREPARING_THREADS = 2
_WAITING_MAX = UPLOADS_MAX * 2
_SAVE_EVERY = 200


class Result(StrEnum):
    """What happened with one transcript."""

    CREATED = "created"
    UPDATED = "updated"
    PLANNED = "planned"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    EMPTY = "empty"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One transcript's result; `detail` says why it failed."""

    result: Result
    found: FoundTranscript
    outgoing: Outgoing | None = None
    detail: str | None = None


@dataclass(slots=True)
class Summary:
    """All results together."""

    results: Counter[Result] = field(default_factory=Counter[Result])
    redacted: Counter[str] = field(default_factory=Counter[str])
    skipped_lines: int = 0
    sent_bytes: int = 0
    failures: list[str] = field(default_factory=list[str])

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.results[outcome.result] += 1
        if outcome.detail:
            self.failures.append(outcome.detail)
        if outcome.outgoing and outcome.result in (Result.CREATED, Result.UPDATED, Result.PLANNED):
            self.redacted.update(outcome.outgoing.redacted)
            self.skipped_lines += outcome.outgoing.skipped_lines
            self.sent_bytes += len(outcome.outgoing.body) if outcome.result != Result.PLANNED else 0


class Importer:
    """Brings transcripts to one server. `stopped` ends it early; what was sent until then stays sent and known."""

    def __init__(
        self,
        server: RecordServer,
        preparer: Preparer,
        state: SentState,
        *,
        is_dry: bool = False,
        stopped: threading.Event | None = None,
    ) -> None:
        self._server = server
        self._preparer = preparer
        self._state = state
        self._is_dry = is_dry
        self._stopped = stopped or threading.Event()
        self._sizes: dict[str, dict[str, Sizes]] = {}
        self._taken: dict[tuple[str, str], tuple[tuple[bool, int], Future[Outcome] | None]] = {}
        self._report: Callable[[Outcome], None] = lambda _: None
        self._summary = Summary()

    def run(
        self, transcripts: Iterable[FoundTranscript], report: Callable[[Outcome], None] = lambda _: None
    ) -> Summary:
        """Import; `report` hears of every transcript, always from the thread that calls this.

        Raises: Unauthenticated, RemoteError and httpx.HTTPError when the server cannot be asked what it has.
        """
        self._report, self._summary, self._taken = report, Summary(), {}
        with suppress(Stopped):  # while the server was asked what it has
            self._import(sorted(self._changed(transcripts), key=_precedence))
        return self._summary

    def _import(self, changed: list[FoundTranscript]) -> None:
        preparing = ThreadPoolExecutor(PREPARING_THREADS, thread_name_prefix="prepare")
        uploading = ThreadPoolExecutor(UPLOADS_MAX, thread_name_prefix="upload")
        try:
            self._pass_on(preparing, uploading, changed)
        finally:
            preparing.shutdown(cancel_futures=True)
            uploading.shutdown(cancel_futures=True)
            self._taken.clear()
            self._save()

    def _pass_on(
        self, preparing: ThreadPoolExecutor, uploading: ThreadPoolExecutor, changed: list[FoundTranscript]
    ) -> None:
        batches = batched(changed)
        ahead = [preparing.submit(self._preparer.prepare, batch) for _, batch in zip(range(3), batches, strict=False)]
        uploads = set[Future[Outcome]]()
        while ahead and not self._stopped.is_set():
            for prepared in ahead.pop(0).result():
                uploads = self._settle(uploads, leave=_WAITING_MAX)
                if upload := self._take(prepared, uploading):
                    uploads.add(upload)
            if batch := next(batches, None):
                ahead.append(preparing.submit(self._preparer.prepare, batch))
        self._settle(uploads, leave=0)

    def _changed(self, transcripts: Iterable[FoundTranscript]) -> Iterator[FoundTranscript]:
        for found in transcripts:
            sent = self._state.get(found.place)
            if sent is None or sent.fingerprint != self._fingerprint(found) or not self._server_has(sent):
                yield found
            else:
                self._tell(Outcome(Result.UNCHANGED if sent.session_id else Result.EMPTY, found))

    def _server_has(self, sent: Sent) -> bool:
        return not sent.session_id or sent.session_id in self._sizes_of(sent.project_id)

    def _take(self, prepared: Prepared, uploading: ThreadPoolExecutor) -> Future[Outcome] | None:
        """Decide about a transcript; a future when it is on its way to the server."""
        found, outgoing = prepared.found, prepared.outgoing
        if prepared.problem is not None:
            self._tell(Outcome(Result.FAILED, found, detail=prepared.problem))
        elif outgoing is None:
            if not prepared.is_other:
                self._state.put(found.place, Sent(self._fingerprint(found)))
            self._tell(Outcome(Result.EMPTY, found))
        elif self._is_duplicate(prepared, outgoing):
            self._remember(found, outgoing, "")
            self._tell(Outcome(Result.DUPLICATE, found, outgoing))
        elif not self._is_news(prepared, outgoing):
            sent = self._state.get(found.place)
            self._remember(found, outgoing, sent.digest if sent else "")
            self._tell(Outcome(Result.UNCHANGED, found, outgoing))
        elif self._is_dry:
            self._tell(Outcome(Result.PLANNED, found, outgoing))
        else:
            upload = uploading.submit(self._upload, found, outgoing)
            self._taken[_key(outgoing)] = (_rank(prepared, outgoing), upload)
            return upload
        return None

    def _is_duplicate(self, prepared: Prepared, outgoing: Outgoing) -> bool:
        """Whether as good a transcript of the same session was taken before; a better one waits until that is there."""
        rank, upload = self._taken.get(_key(outgoing), (None, None))
        if rank is not None and rank >= _rank(prepared, outgoing):
            return True
        if upload is not None:
            wait([upload])
        self._taken[_key(outgoing)] = (_rank(prepared, outgoing), None)
        return False

    def _is_news(self, prepared: Prepared, outgoing: Outgoing) -> bool:
        """Whether the server should have it: by SpecStory's rule, or because this very file was sent and changed.

        What somebody kept as markdown never takes the place of the session itself.
        """
        known = self._sizes_of(outgoing.project.project_id).get(outgoing.session_id)
        if known is None:
            return True
        if known.data and not prepared.has_data:
            return False
        sent = self._state.get(prepared.found.place)
        if sent and sent.digest:
            return sent.digest != outgoing.digest
        return outgoing.markdown_size > known.markdown or (prepared.has_data and not known.data)

    def _upload(self, found: FoundTranscript, outgoing: Outgoing) -> Outcome:
        try:
            is_new = self._server.put_session(outgoing.project.project_id, outgoing.session_id, outgoing.body)
        except (RemoteError, httpx.HTTPError) as error:
            return Outcome(Result.FAILED, found, outgoing, f"{found.place}: {error or type(error).__name__}")
        except Stopped:
            return Outcome(Result.FAILED, found, outgoing, f"{found.place}: stopped before the server had time")
        return Outcome(Result.CREATED if is_new else Result.UPDATED, found, outgoing)

    def _settle(self, uploads: set[Future[Outcome]], leave: int) -> set[Future[Outcome]]:
        while len(uploads) > leave:
            done, uploads = wait(uploads, return_when=FIRST_COMPLETED)
            for upload in done:
                self._uploaded(upload.result())
        return uploads

    def _uploaded(self, outcome: Outcome) -> None:
        outgoing = outcome.outgoing
        if outgoing and outcome.result != Result.FAILED:
            sizes = Sizes(outgoing.markdown_size, outgoing.session_data_size)
            self._sizes_of(outgoing.project.project_id)[outgoing.session_id] = sizes
            self._remember(outcome.found, outgoing, outgoing.digest)
        self._tell(outcome)

    def _remember(self, found: FoundTranscript, outgoing: Outgoing, digest: str) -> None:
        sent = Sent(self._fingerprint(found), outgoing.project.project_id, outgoing.session_id, digest)
        self._state.put(found.place, sent)

    def _tell(self, outcome: Outcome) -> None:
        self._summary.add(outcome)
        self._report(outcome)
        if self._summary.results.total() % _SAVE_EVERY == 0:
            self._save()

    def _save(self) -> None:
        if not self._is_dry:
            self._state.save()

    def _fingerprint(self, found: FoundTranscript) -> str:
        return f"{found.fingerprint}-{self._preparer.version}"

    def _sizes_of(self, project_id: str) -> dict[str, Sizes]:
        if project_id not in self._sizes:
            self._sizes[project_id] = self._server.sizes(project_id)
        return self._sizes[project_id]


def _precedence(found: FoundTranscript) -> tuple[bool, int]:
    """Sessions themselves before markdown of them, long before short: the best file of a session comes first."""
    return found.source == SpecStoryHistory.name, -found.size


def _key(outgoing: Outgoing) -> tuple[str, str]:
    return outgoing.project.project_id, outgoing.session_id


def _rank(prepared: Prepared, outgoing: Outgoing) -> tuple[bool, int]:
    """The session itself is better than markdown of it, and more is better than less."""
    return prepared.has_data, outgoing.markdown_size
