"""Reading traces while others are taken in: lists with filters, one trace, words in all text, p95 by model.

Spans of about 1.4 KB, ten a trace, over a week in the order of their times, made by the engine itself (`--spans`,
default 200,000; the targets are meant for a million). Requests of 200 spans arrive all the time through the intake.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.bench_ingest import WORKSPACE, make_bodies
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.migrations import migrate
from specloop.db.paging import PageRequest
from specloop.db.telemetry import TelemetryStore
from specloop.kit.clock import SystemClock
from specloop.kit.context import CredentialKind, Principal
from specloop.record.traces import TraceFilter, TraceIntake, TraceReader, TraceStatus
from specloop.record.traces.ingest.decode import Encoding

SPANS_PER_TRACE = 10
CHUNK = 10_000
REPEATS = 40
INTAKE_SECONDS = 0.2
KEY = Principal(
    "bench", CredentialKind.API_KEY, key_id="k", workspace_id=WORKSPACE, scopes=frozenset({"read:workspace"})
)

# Word n is n in base 36 behind a letter; small numbers are common, as words are in any text.
_MAKE = """
INSERT INTO spans (workspace_id, trace_id, span_id, parent_span_id, name, kind, start_ns, end_ns, status_code,
    service_name, scope_name, attributes, attribute_types, resource_attributes, resource_attribute_types, received_at)
WITH intDiv(number, {per_trace:UInt64}) AS trace, number % {per_trace:UInt64} AS step,
    toUInt64((1 - trace / {traces:UInt64}) * 7 * 86400 * 1e9) + cityHash64(trace, 'at') % 60000000000 AS age,
    arrayStringConcat(arrayMap(
        i -> concat('w', toString(toUInt32(pow(cityHash64(number, i) / 18446744073709551615., 4) * 50000))),
        range(150)), ' ') AS text,
    map('gen_ai.operation.name', if(step = 0, 'invoke_agent', 'chat'), 'gen_ai.provider.name', 'openai',
        'gen_ai.request.model', ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1'][trace % 3 + 1],
        'gen_ai.usage.input_tokens', toString(cityHash64(number) % 5000),
        'gen_ai.usage.output_tokens', toString(cityHash64(number, 1) % 900),
        'gen_ai.agent.name', concat('agent-', toString(trace % 20)),
        'gen_ai.conversation.id', concat('c', toString(intDiv(trace, 4))),
        'user.id', concat('u', toString(trace % 999)),
        'gen_ai.response.id', hex(cityHash64(number, 2)), 'server.address', 'api.example.com',
        'gen_ai.input.messages', concat('[{"role":"user","content":"', text, '"}]')) AS made
SELECT {workspace_id:UUID}, reinterpretAsFixedString(cityHash64(trace, 'a')) || reinterpretAsFixedString(trace + 1),
    reinterpretAsFixedString(number + 1),
    if(step = 0, toFixedString('', 8), reinterpretAsFixedString(trace * {per_trace:UInt64} + 1)),
    if(step = 0, 'invoke_agent', 'chat'), 3, {now_ns:UInt64} - age + step * 1000000,
    {now_ns:UInt64} - age + step * 1000000 + cityHash64(number, 3) % 2000000000,
    if(cityHash64(number, 4) % 200 = 0, 2, 1),
    concat('service-', toString(trace % 5)), 'bench', made, arrayResize(['string'], length(made), 'string'),
    map('service.name', concat('service-', toString(trace % 5))), ['string'], now64(6, 'UTC')
FROM numbers({first:UInt64}, {count:UInt64})
SETTINGS materialize_skip_indexes_on_insert = 0
"""
_PARTS = """
SELECT sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts
WHERE active AND database = currentDatabase() AND toString({workspace_id:UUID}) != '' AND table = 'spans'
"""
_MERGES = "SELECT count() AS count FROM system.merges WHERE toString({workspace_id:UUID}) != ''"
SETTLE_SECONDS_MAX = 120.0


@dataclass(frozen=True, slots=True)
class Question:
    """Something that is asked many times, and the most milliseconds that its p95 may take at a million spans."""

    name: str
    limit_ms: float
    ask: Callable[[Context], Awaitable[Any]]


def questions(reader: TraceReader, trace_id: str) -> list[Question]:
    """What is measured."""

    def listing(limit: int, **chosen: Any) -> Callable[[Context], Awaitable[Any]]:
        page = PageRequest(limit=limit, is_counted=False)
        return lambda ctx: reader.list_traces(ctx, TraceFilter(**chosen), page)

    async def by_model(ctx: Context) -> Any:
        return await reader.figures(ctx, datetime.now(UTC) - timedelta(days=8), None)

    return [
        Question("last 20", 50, listing(20)),
        Question("last 50 that failed", 50, listing(50, status=TraceStatus.ERROR)),
        Question("last 50 of an agent", 50, listing(50, agent_name="agent-7")),
        Question("one trace", 30, lambda ctx: reader.get_trace(ctx, trace_id)),
        Question("rare word", 500, listing(20, text="w49999")),
        Question("common word", 500, listing(20, text="w1")),
        Question("three words", 500, listing(20, text="w1 w20 w4000")),
        Question("figures, p95 by model", 250, by_model),
    ]


async def load(store: TelemetryStore, spans: int) -> float:
    """Make `spans` spans in the engine; seconds."""
    started = time.perf_counter()
    now_ns = time.time_ns()
    for first in range(0, spans, CHUNK):
        count = min(CHUNK, spans - first)
        traces = spans // SPANS_PER_TRACE + 1
        parameters = {"first": first, "count": count, "now_ns": now_ns, "traces": traces, "per_trace": SPANS_PER_TRACE}
        await store.change([_MAKE], workspace_id=WORKSPACE, parameters=parameters)
    return time.perf_counter() - started


async def settle(store: TelemetryStore) -> None:
    """Wait until no merge has run for a second."""
    deadline, idle_since = time.monotonic() + SETTLE_SECONDS_MAX, time.monotonic()
    while time.monotonic() < min(deadline, idle_since + 1.0):
        merging = await store.query(_MERGES, workspace_id=WORKSPACE)
        idle_since = time.monotonic() if merging[0]["count"] else idle_since
        await asyncio.sleep(0.1)


async def keep_sending(intake: TraceIntake, stop: asyncio.Event) -> None:
    """A request of 200 spans every `INTAKE_SECONDS`."""
    for body in itertools.cycle(make_bodies(4, seed=9)):
        await intake.receive(KEY, WORKSPACE, body, Encoding.PROTOBUF)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), INTAKE_SECONDS)
        if stop.is_set():
            return


async def time_question(database: Database, question: Question) -> tuple[list[float], float]:
    """Milliseconds of each repetition, sorted; CPU milliseconds of the process for one, the intake's included."""
    taken: list[float] = []
    cpu = time.process_time()
    for _ in range(REPEATS):
        async with database.reading(WORKSPACE) as unit:
            started = time.perf_counter()
            await question.ask(Context(KEY, unit, SystemClock()))
            taken.append((time.perf_counter() - started) * 1_000)
    return sorted(taken), (time.process_time() - cpu) / REPEATS * 1_000


async def run(folder: Path, spans: int, *, is_quiet: bool) -> int:
    """Load, measure, print; 0 when every limit holds."""
    database = await Database.open(f"sqlite:///{folder / 'state.db'}")
    await migrate(database)
    store = await TelemetryStore.open(f"chdb://{folder / 'telemetry'}")
    seconds = await load(store, spans)
    await settle(store)
    parts = (await store.query(_PARTS, workspace_id=WORKSPACE))[0]
    print(f"{spans} spans made in {seconds:.1f} s, {parts['bytes'] / spans:.0f} bytes each, {parts['parts']} parts")
    intake, reader = TraceIntake(database, store, SystemClock()), TraceReader(store)
    intake.start()
    stop = asyncio.Event()
    if is_quiet:
        stop.set()
    sending = asyncio.create_task(keep_sending(intake, stop))
    first = await store.query(
        "SELECT lower(hex(any(trace_id))) AS id FROM spans WHERE workspace_id = {workspace_id:UUID}",
        workspace_id=WORKSPACE,
    )
    missed = await report(database, questions(reader, first[0]["id"]))
    stop.set()
    await sending
    await intake.stop()
    await store.close()
    await database.close()
    return missed


async def report(database: Database, asked: Sequence[Question]) -> int:
    """Print a row per question; 1 when one is over its limit."""
    missed = 0
    print(f"{'question':24} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8} {'limit':>8}")
    for question in asked:
        taken, cpu = await time_question(database, question)
        p50, p95 = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
        missed |= int(p95 > question.limit_ms)
        print(f"{question.name:24} {p50:8.1f} {p95:8.1f} {cpu:8.1f} {question.limit_ms:8.0f}", flush=True)
    return missed


def main() -> int:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=200_000)
    parser.add_argument("--quiet", action="store_true", help="nothing arrives meanwhile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(run(Path(folder), options.spans, is_quiet=options.quiet))


if __name__ == "__main__":
    raise SystemExit(main())
