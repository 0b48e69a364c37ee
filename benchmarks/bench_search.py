"""Search over 10,000 sessions of 15 KB on SQLite: latency by kind of query, index size; quality on judged questions.

Limits: p50 <= 15 ms, p95 <= 40 ms for one call of the service without facets; index <= 1.2 bytes per byte of text;
hybrid search ranks the judged questions better than text search.
Run: python -m benchmarks.bench_search [sessions]. The vocabulary is that of the real sessions beside the repository
(or in the folder that `SPECLOOP_TEST_SESSIONS` names) where they are, else a made one.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from specloop.db.database import Database
from specloop.db.migrations import migrate
from specloop.kit.clock import SystemClock
from specloop.kit.ids import new_id
from specloop.record.projects.tables import ProjectRow
from specloop.record.search import IndexRebuilding, SearchMode, SearchRequest, SearchSort
from specloop.record.search.words import cut
from specloop.record.sessions.compression import pack
from specloop.record.sessions.tables import ExchangeRow, SessionRow
from tests.record.search.judged import HISTORY, evaluate, exchanges_of
from tests.record.search.library import Library

SESSIONS = 10_000
SESSION_BYTES = 15_000
EXCHANGES = 6
P50_MS, P95_MS, SIZE_RATIO = 15.0, 40.0, 1.2
ROUNDS = 3
EMPTY = [
    "user_title",
    "title",
    "summary",
    "opening",
    "client_name",
    "client_version",
    "device_id",
    "slug",
    "schema_version",
    "markdown_version",
    "data_size",
    "parse_problem",
    "cost_usd",
]
COUNTS = [
    "exchange_count",
    "message_count",
    "tool_calls",
    "tool_errors",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "markdown_size",
    "raw_size",
    "revision",
    "derivation",
]


class Corpus:
    """Words with real frequencies and a long tail of identifiers, as transcripts have."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self._lines = [
            line for path in sorted(HISTORY.glob("*.md")) for one in exchanges_of(path) for line in one.split("\n")
        ]
        counts = Counter(word for line in self._lines for word in cut(line))
        if not counts:
            counts = Counter({f"word{rank}": 10_000 // (rank + 1) + 1 for rank in range(10_000)})
        total = sum(counts.values())
        tail = {self._identifier(): 0.07 * total / (rank + 1) / 12 for rank in range(100_000)}
        self.words = [*counts, *tail]
        self._weights = list(accumulate([*counts.values(), *tail.values()]))
        self.by_frequency = [word for word, _ in counts.most_common()]

    def _identifier(self) -> str:
        return "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz", k=self.random.randint(5, 12)))

    def text(self, size: int) -> str:
        """About `size` bytes: lines of real sessions, a few to a piece, or words by frequency where there are none."""
        if not self._lines:
            return " ".join(self.random.choices(self.words, cum_weights=self._weights, k=max(3, size * 10 // 68)))
        parts: list[str] = []
        length = 0
        while length < size:
            start = self.random.randrange(len(self._lines))
            piece = "\n".join(self._lines[start : start + self.random.randint(2, 8)])[:size]
            parts += [piece, self.random.choices(self.words, cum_weights=self._weights)[0]]
            length += len(piece) + 8
        return "\n".join(parts)

    def queries(self) -> dict[str, list[str]]:
        """By kind: what people type, from very rare to very common."""
        common, usual = self.by_frequency[5:40], self.by_frequency[200:1_500]
        rare = self.by_frequency[5_000:9_000] or self.by_frequency[-500:]
        pick = self.random.choice
        return {
            "rare word": [pick(rare) for _ in range(20)],
            "usual word": [pick(usual) for _ in range(20)],
            "very common word": [pick(common) for _ in range(10)],
            "two usual words": [f"{pick(usual)} {pick(usual)}" for _ in range(20)],
            "common and rare": [f"{pick(common)} {pick(rare)}" for _ in range(10)],
            "beginning of a word": [pick(usual)[:4] for _ in range(10)],
            "two letters": [pick(usual)[:2] for _ in range(5)],
            "phrase": [f'"{pick(common)} {pick(common)}"' for _ in range(5)],
            "with a filter": [f"{pick(usual)} agent:codex" for _ in range(10)],
        }


async def fill(database: Database, library: Library, corpus: Corpus, sessions: int) -> int:
    """Write sessions straight into the tables and index them; the bytes of text."""
    size = 0
    owner = library.owner
    base: dict[str, Any] = {"account_id": owner.account_id, "workspace_id": owner.workspace_id}
    now = library.clock.now()
    project = {
        **base,
        "id": new_id(),
        "owner_id": owner.user_id,
        "client_id": "demo",
        "name": "demo",
        "icon": "",
        "color": "",
        "created_at": now,
        "updated_at": now,
    }
    async with library.writing() as ctx:
        await ctx.session.execute(insert(ProjectRow), [project])
        for index in range(sessions):
            session_id = new_id()
            texts = [corpus.text(share) for share in _shares(corpus.random)]
            size += sum(len(one.encode()) for one in texts)
            at = library.clock.now()
            library.clock.advance(60)
            await ctx.session.execute(
                insert(SessionRow), [_session(base, owner.user_id, project, session_id, index, at)]
            )
            await ctx.session.execute(
                insert(ExchangeRow), [_exchange(base, session_id, order, one, at) for order, one in enumerate(texts)]
            )
    await IndexRebuilding(database, SystemClock()).rebuild()
    return size


def _shares(source: random.Random) -> list[int]:
    parts = [source.lognormvariate(0, 1) for _ in range(EXCHANGES)]
    return [int(SESSION_BYTES * part / sum(parts)) for part in parts]


def _session(base: dict[str, Any], owner_id: Any, project: dict[str, Any], row_id: str, index: int, at: Any) -> Any:
    empty = dict.fromkeys(EMPTY)
    counts = dict.fromkeys(COUNTS, 0)
    return {
        **base,
        **empty,
        **counts,
        "id": row_id,
        "owner_id": owner_id,
        "project_id": project["id"],
        "client_id": f"s{index}",
        "name": f"session {index}",
        "agent_name": "Codex CLI" if index % 5 == 0 else "Claude Code",
        "machine_name": "laptop",
        "share_status": "private",
        "metadata_json": b"{}",
        "models": [],
        "branches": [],
        "tags": [],
        "is_parsed": True,
        "has_error": False,
        "content_digest": "",
        "etag": row_id,
        **dict.fromkeys(("started_at", "ended_at", "active_at", "created_at", "updated_at"), at),
    }


def _exchange(base: dict[str, Any], session_id: str, order: int, content: str, at: Any) -> dict[str, Any]:
    return {
        **base,
        "id": new_id(),
        "session_id": session_id,
        "order_number": order,
        "key": None,
        "started_at": at,
        "ended_at": at,
        "user_title": None,
        "hidden_from_share": False,
        "has_error": False,
        "text_length": len(content),
        "text_sha256": sha256(content.encode()).hexdigest(),
        "body": pack(content.encode()),
        "created_at": at,
        "updated_at": at,
    }


async def measure(library: Library, queries: Sequence[str], **changed: Any) -> tuple[list[float], int]:
    """Milliseconds of each call, one after another, and the sum of totals."""
    taken: list[float] = []
    total = 0
    for query in queries:
        rounds = [await _timed(library, SearchRequest(query, **changed)) for _ in range(ROUNDS)]
        taken.append(statistics.median(milliseconds for milliseconds, _ in rounds))
        total += rounds[0][1]
    return taken, total


async def _timed(library: Library, request: SearchRequest) -> tuple[float, int]:
    async with library.reading() as ctx:
        start = time.perf_counter()
        answer = await library.service.search(ctx, request)
        return (time.perf_counter() - start) * 1e3, answer.total


async def index_bytes(database: Database) -> tuple[int, int]:
    """Bytes of the index tables, and of the packed texts that snippets are cut from."""
    of_tables = (
        "SELECT (SELECT sum(length(block)) FROM fts_words_data) + (SELECT sum(length(block)) FROM fts_prefixes_data)"
        " + (SELECT sum(length(sz) + 8) FROM fts_words_docsize)"
    )
    async with database.reading() as unit:
        tables = await unit.session.scalar(text(of_tables))
        bodies = await unit.session.scalar(text("SELECT sum(length(body)) FROM session_exchanges"))
    return int(tables or 0), int(bodies or 0)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def latency(sessions: int) -> bool:
    """The first table; whether its limits were met."""
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite:///{Path(folder) / 'state.db'}")
        await migrate(database)
        library, corpus = Library(database), Corpus()
        start = time.perf_counter()
        size = await fill(database, library, corpus, sessions)
        built = time.perf_counter() - start
        tables, bodies = await index_bytes(database)
        ratio = (tables + bodies) / size
        print(f"{sessions} sessions, {size / 1e6:.0f} MB of text, written and indexed in {built:.0f} s")
        print(f"index {tables / size:.2f} + packed text {bodies / size:.2f} = {ratio:.2f} bytes per byte of text")
        print(f"{'kind of query':22}  {'p50 ms':>7}  {'p95 ms':>7}  {'newest first p50':>16}  {'mean total':>10}")
        every: list[float] = []
        for kind, queries in corpus.queries().items():
            taken, total = await measure(library, queries)
            newest, _ = await measure(library, queries, sort=SearchSort.RECENT)
            every += taken
            print(
                f"{kind:22}  {statistics.median(taken):7.1f}  {percentile(taken, 0.95):7.1f}"
                f"  {statistics.median(newest):16.1f}  {total // len(queries):10}"
            )
        p50, p95 = statistics.median(every), percentile(every, 0.95)
        print(f"{'all':22}  {p50:7.1f}  {p95:7.1f}")
        await database.close()
    return p50 <= P50_MS and p95 <= P95_MS and ratio <= SIZE_RATIO


async def quality() -> bool:
    """The second table; whether hybrid search is better."""
    if not HISTORY.is_dir():
        print("the judged sessions are absent: no figures of quality")
        return True
    found = await evaluate()
    print(f"\n{'mode':8}  {'nDCG@10':>8}  {'recall@10':>9}")
    for mode, figures in found.items():
        print(f"{mode:8}  {figures.ndcg:8.3f}  {figures.recall:9.3f}")
    return found[SearchMode.HYBRID].ndcg > found[SearchMode.TEXT].ndcg


def main(arguments: list[str]) -> int:
    """0 when every limit was met."""
    is_fast = asyncio.run(latency(int(arguments[0]) if arguments else SESSIONS))
    is_better = asyncio.run(quality())
    return 0 if is_fast and is_better else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
