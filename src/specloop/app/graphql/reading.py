"""What one request reads: the services of the record stage, asked in batches and never twice for the same.

Fields of an answer are resolved side by side, but a transaction answers one question at a time: every service is asked
under a lock. What many fields want is gathered by loaders into one question.

A field that fails has its siblings cancelled (graphql-core's `gather_with_cancel`). That must reach neither the
statement that runs on the shared connection nor what other fields wait for, so nobody awaits either without a shield;
and nothing is asked once the request is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from specloop.app.graphql.paging import Slice, Window
from specloop.db.context import Context
from specloop.errors import BadRequest, Unavailable
from specloop.record.projects import ProjectSummary
from specloop.record.search import SearchAnswer, SearchRequest, SearchService, SearchSort
from specloop.record.sessions import (
    Activity,
    DocumentCorrupt,
    DocumentKind,
    Exchange,
    NearSession,
    ProjectFigures,
    ProjectOverview,
    Session,
    SessionBatches,
    SessionFilters,
    SessionNotFound,
    SessionOrder,
    SessionReader,
)

T = TypeVar("T")
K = TypeVar("K")
TEXT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of one answer. Its texts exist as stored, as `str` and as JSON at once, so this is several times that in memory."""
EXCHANGE_BYTES: Final = 1024
"""What an exchange takes beside its text, from its row to its JSON."""
EXCHANGES_AT_ONCE: Final = 200


class AnswerTooLarge(BadRequest):
    """The documents asked for are too large for one answer; ask for fewer sessions."""

    code = "answer-too-large"


class RequestOver(Unavailable):
    """The request that asked has been answered already."""


class SharedLoader(DataLoader[K, T]):
    """A loader of which a caller that is cancelled takes nothing away from the others."""

    def load(self, key: K) -> Awaitable[T]:
        """The value of `key`, loaded once."""
        return _shared(asyncio.ensure_future(super().load(key)))


@dataclass(frozen=True, slots=True)
class Services:
    """The doors that the graph reads through."""

    reader: SessionReader
    overview: ProjectOverview
    batches: SessionBatches
    search: SearchService


class Reading:
    """The context of all fields of one request; leaving it ends the questions before the transaction ends."""

    def __init__(self, ctx: Context, services: Services, text_bytes_max: int = TEXT_BYTES_MAX) -> None:
        self.ctx = ctx
        self._text_bytes_max = text_bytes_max
        self._services = services
        self._lock = asyncio.Lock()
        self._running: asyncio.Future[Any] | None = None
        self._is_over = False
        self._text_bytes = 0
        self._summaries: asyncio.Future[dict[str, ProjectSummary]] | None = None
        self._of_projects: dict[Window, SharedLoader[str, Sequence[Session]]] = {}
        self._figures: SharedLoader[str, ProjectFigures] = SharedLoader(self._load_figures)
        self._markdown: SharedLoader[str, str] = SharedLoader(self._load_markdown)
        self._exchanges: SharedLoader[str, Exchange | None] = SharedLoader(self._load_exchanges)

    async def __aenter__(self) -> Self:
        """Nothing is read before somebody asks."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Refuse what is asked from now on, and wait for the statement that runs; given up, it is cancelled."""
        self._is_over = True
        running = self._running
        if running is None or not self.is_busy:
            return
        try:
            if kind is None:
                await asyncio.wait([running])
        finally:
            running.cancel()
            await asyncio.wait([running])

    @property
    def is_busy(self) -> bool:
        """Whether a statement runs on the shared connection."""
        return self._running is not None and not self._running.done()

    async def projects(self) -> list[ProjectSummary]:
        """All projects of the caller."""
        return list((await self._known_projects()).values())

    async def project(self, key: str) -> ProjectSummary:
        """The project with this row id."""
        return (await self._known_projects())[key]

    async def find_project(self, project_id: str) -> ProjectSummary | None:
        """The project with this client id, alias or row id."""
        for summary in (await self._known_projects()).values():
            if project_id in {summary.project.client_id, summary.project.id, *summary.aliases}:
                return summary
        return None

    async def sessions(
        self, filters: SessionFilters, window: Window, order: SessionOrder, *, descending: bool
    ) -> Slice:
        """A page of the caller's sessions."""
        reader = self._services.reader
        part = {"order": order, "descending": descending, "limit": window.limit + 1, "offset": window.offset}
        rows = await self._ask(partial(reader.list_sessions, self.ctx, filters, **part))
        return _slice(rows, window, partial(self._ask, partial(reader.count, self.ctx, filters)))

    async def sessions_with_text(
        self, filters: SessionFilters, text: str, window: Window, order: SessionOrder, *, descending: bool
    ) -> Slice:
        """The same, of those in which one exchange holds all the words of `text`."""
        wanted = SearchRequest(text, filters, sort=SearchSort.RECENT, limit=None, exchanges_max=0)
        found = await self.search(wanted)
        rows = sorted((hit.session for hit in found.hits), key=partial(_place, order), reverse=descending)
        shown = rows[window.offset : window.offset + window.limit + 1]
        return _slice(shown, window, partial(_known, found.total))

    async def sessions_of_project(self, key: str, window: Window) -> Slice:
        """A page of a project's sessions, newest first."""
        loader = self._of_projects.get(window)
        if loader is None:
            loader = self._of_projects[window] = SharedLoader(partial(self._load_sessions, window))
        summary = await self.project(key)
        return _slice(await loader.load(key), window, partial(_known, summary.session_count))

    async def find_session(self, project_id: str | None, session_id: str) -> Session | None:
        """The session with this client id or row id, in one project or in any; None when there is none."""
        if project_id is None:
            return await self._ask(partial(self._services.batches.find_anywhere, self.ctx, session_id))
        try:
            return await self._ask(partial(self._services.reader.find, self.ctx, project_id, session_id))
        except SessionNotFound:
            return None

    async def markdown(self, session: Session) -> str:
        """The stored Markdown of a session.

        Raises: AnswerTooLarge, when this request has asked for too many bytes.
        """
        self._weigh(session.markdown_size)
        return await self._markdown.load(session.id)

    async def exchanges(self, exchange_ids: Sequence[str]) -> list[Exchange]:
        """These exchanges, in order.

        Raises: AnswerTooLarge, when this request has asked for too many bytes.
        """
        self._weigh(len(exchange_ids) * EXCHANGE_BYTES)
        found = [one for one in await self._exchanges.load_many(exchange_ids) if one is not None]
        self._weigh(sum(len(one.text) for one in found))
        return sorted(found, key=lambda one: one.order_number)

    async def search(self, wanted: SearchRequest) -> SearchAnswer:
        """Sessions with matching exchanges."""
        return await self._ask(partial(self._services.search.search, self.ctx, wanted))

    async def figures_of_project(self, key: str) -> ProjectFigures:
        """What was counted in a project."""
        return await self._figures.load(key)

    async def related(self, session: Session, limit: int) -> list[NearSession]:
        """The sessions that share most with this one."""
        return await self._ask(partial(self._services.batches.nearest, self.ctx, session, limit))

    async def activity(self, since: datetime, until: datetime) -> Activity:
        """What began between two moments."""
        return await self._ask(partial(self._services.batches.activity, self.ctx, since, until))

    async def models(self) -> list[tuple[str, int]]:
        """(model, sessions), most frequent first."""
        return await self._ask(partial(self._services.batches.models, self.ctx))

    def day_before(self, days: int) -> str:
        """The ISO day after which the last `days` days begin."""
        return (self.ctx.clock.now() - timedelta(days=days)).date().isoformat()

    def _weigh(self, size: int) -> None:
        self._text_bytes += size
        self._check_weight()

    def _check_weight(self, more: int = 0) -> None:
        if self._text_bytes + more > self._text_bytes_max:
            raise AnswerTooLarge(limit=self._text_bytes_max)

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        await self._lock.acquire()
        if self._is_over:
            self._lock.release()
            raise RequestOver
        running = self._running = asyncio.ensure_future(_answer(question))
        running.add_done_callback(lambda _: self._lock.release())  # and not when whoever asked is cancelled
        return await _shared(running)

    async def _known_projects(self) -> dict[str, ProjectSummary]:
        if self._summaries is None:
            question = partial(self._services.overview.list_summaries, self.ctx)
            self._summaries = asyncio.ensure_future(self._by_key(question))
        return await _shared(self._summaries)

    async def _by_key(self, question: Callable[[], Awaitable[Sequence[ProjectSummary]]]) -> dict[str, ProjectSummary]:
        return {one.project.id: one for one in await self._ask(question)}

    async def _load_sessions(self, window: Window, keys: list[str]) -> list[Sequence[Session]]:
        newest = self._services.batches.newest_of_projects
        found = await self._ask(partial(newest, self.ctx, keys, window.limit + 1, window.offset))
        return [found.get(key, ()) for key in keys]

    async def _load_figures(self, keys: list[str]) -> list[ProjectFigures]:
        found = await self._ask(partial(self._services.batches.figures_of_projects, self.ctx, keys))
        return [found[key] for key in keys]

    async def _load_markdown(self, keys: list[str]) -> list[str | BaseException]:
        self._check_weight()  # all who want one have been weighed, and the answer may be refused already
        documents = self._services.batches.documents
        found = await self._ask(partial(documents, self.ctx, keys, DocumentKind.MARKDOWN))
        return [_text(found.get(key, b"")) for key in keys]

    async def _load_exchanges(self, keys: list[str]) -> list[Exchange | None]:
        """How long their texts are is known when they are read: some at a time, so that few are read in vain."""
        found: dict[str, Exchange] = {}
        size = 0
        for start in range(0, len(keys), EXCHANGES_AT_ONCE):
            some = keys[start : start + EXCHANGES_AT_ONCE]
            rows = await self._ask(partial(self._services.reader.exchanges_of, self.ctx, some))
            size += sum(len(row.text) for row in rows)
            self._check_weight(size)
            found.update({row.id: row for row in rows})
        return [found.get(key) for key in keys]


Info: TypeAlias = strawberry.Info[Reading, Any]


async def _answer(question: Callable[[], Awaitable[T]]) -> T:
    return await question()


def _shared(future: asyncio.Future[T]) -> asyncio.Future[T]:
    """To be awaited in place of `future`, which goes on when that is cancelled."""
    if not future.done():
        future.add_done_callback(_seen)
    return asyncio.shield(future)


def _seen(future: asyncio.Future[Any]) -> None:
    """Look at the error, so that it is not reported as overlooked when nobody waits for it any more."""
    if not future.cancelled():
        future.exception()


def _slice(rows: Sequence[Session], window: Window, count: Callable[[], Awaitable[int]]) -> Slice:
    """A page from rows of which one more was read than is shown."""
    return Slice(rows[: window.limit], window, len(rows) > window.limit, count)


def _place(order: SessionOrder, session: Session) -> tuple[bool, Any, str]:
    """Where a session stands in an ascending list: unknown values first, then by value, then by id."""
    value: Any = getattr(session, order.value)
    return value is not None, value if value is not None else 0, session.id


def _text(document: bytes | DocumentCorrupt) -> str | BaseException:
    return document.decode("utf-8", "replace") if isinstance(document, bytes) else document


async def _known(total: int) -> int:
    return total
