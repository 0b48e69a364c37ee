"""Specloop beside the systems that teams use today and beside a bare sink: the same GenAI spans, one after the other.

Each system runs in its own process on an empty data folder with its own defaults, gets the same bodies over four
connections, and is asked when all spans are committed and can be read. Peers are installed into environments of their
own under `build/peers`; one that cannot be installed is named, and the run fails.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.bench_ingest import SPANS_PER_REQUEST, Target, make_bodies
from benchmarks.peers.systems import BareSink, CannotInstall, MLflow, Phoenix, Specloop, System
from tests.server import free_port, stop

SYSTEMS: tuple[type[System], ...] = (Specloop, BareSink, Phoenix, MLflow)
SMALL_BATCH = 20
SPAN_BYTES = 5_630
"""What the texts are made for; it comes to 5.4 KB per span on the wire."""
READY_SECONDS_MAX = 120.0
VISIBLE_SECONDS_MAX = 25.0
PEER_RATIO_MIN, BARE_RATIO_MIN, SMALL_RATIO_MIN = 20.0, 0.80, 0.50
CPU_SECONDS_MAX, DISK_BYTES_MAX, P95_MS_MAX = 2.0, 1_536, 100.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one load came to."""

    spans: int
    visible: int
    acknowledged_seconds: float
    visible_seconds: float
    cpu_seconds: float
    p95_ms: float

    @property
    def per_second(self) -> float:
        """Spans per second until durable and visible; of those that became visible in time."""
        return self.visible / self.visible_seconds

    @property
    def cpu_per_10k(self) -> float:
        """CPU seconds of the server for ten thousand spans."""
        return self.cpu_seconds / max(self.visible, 1) * 10_000


@dataclass(frozen=True, slots=True)
class Result:
    """One system."""

    name: str
    large: Round
    small: Round
    disk_bytes_per_span: float


@contextmanager
def started(system: System) -> Generator[int]:
    """The process id of the running system. Raises: CannotInstall, RuntimeError."""
    command = system.command()
    with (system.folder / "server.log").open("wb") as log:
        environment = {**os.environ, **system.environment()}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=system.folder)
    try:
        _wait_until_ready(system, process)
        yield process.pid
    finally:
        stop(process)


def _wait_until_ready(system: System, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(system.url + system.ready_path, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"{system.name} did not start: {(system.folder / 'server.log').read_text('utf-8')[-2000:]}")


def measure(kind: type[System], folder: Path) -> Result:
    """Both loads on one system. Raises: CannotInstall, RuntimeError."""
    folder.mkdir()
    system = kind(folder, free_port())
    with started(system) as pid:
        target = Target(system.port, pid, system.headers())
        target.post_all(system.path, make_bodies(4, seed=0, spans=SMALL_BATCH, span_bytes=SPAN_BYTES))
        _wait_until_visible(system, 4 * SMALL_BATCH)
        bodies = make_bodies(system.requests, seed=1, span_bytes=SPAN_BYTES)
        large = _load(system, target, pid, bodies, SPANS_PER_REQUEST)
        _wait_until_visible(system, 4 * SMALL_BATCH + large.spans)
        bodies = make_bodies(system.requests * 4, seed=2, spans=SMALL_BATCH, span_bytes=SPAN_BYTES)
        small = _load(system, target, pid, bodies, SMALL_BATCH)
        stored = system.visible()
    return Result(kind.name, large, small, system.disk_bytes() / max(stored, 1))


def _load(system: System, target: Target, pid: int, bodies: Sequence[bytes], spans_each: int) -> Round:
    before, cpu, sent = system.visible(), tree_cpu_seconds(pid), len(bodies) * spans_each
    started_at = time.perf_counter()
    latencies = sorted(target.post_all(system.path, bodies))
    acknowledged = time.perf_counter() - started_at
    visible = _wait_until_visible(system, before + sent) - before
    seconds = time.perf_counter() - started_at
    p95 = latencies[int(len(latencies) * 0.95)] * 1_000
    return Round(sent, visible, acknowledged, seconds, tree_cpu_seconds(pid) - cpu, p95)


def _wait_until_visible(system: System, wanted: int) -> int:
    deadline, seen = time.monotonic() + VISIBLE_SECONDS_MAX, system.visible()
    while seen < wanted and time.monotonic() < deadline:
        time.sleep(0.1)
        seen = system.visible()
    return seen


def tree_cpu_seconds(pid: int) -> float:
    """User and system time of a process and of all that it started, ended children included."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        ticks[int(stat.parent.name)] = sum(int(field) for field in fields[11:15])
    waiting, total = [pid], 0
    while waiting:
        one = waiting.pop()
        total += ticks.get(one, 0)
        waiting += children.get(one, [])
    return total / os.sysconf("SC_CLK_TCK")


def table(results: Sequence[Result]) -> str:
    """A row per system and load."""
    lines = [
        f"{'system':14} {'batch':>5} {'spans':>6} {'ack/s':>8} {'visible/s':>10} "
        f"{'CPU s/10k':>10} {'p95 ms':>8} {'B/span':>7}"
    ]
    for result in results:
        for batch, one in ((SPANS_PER_REQUEST, result.large), (SMALL_BATCH, result.small)):
            missing = f"  {one.spans - one.visible} not visible in time" if one.visible < one.spans else ""
            lines.append(
                f"{result.name:14} {batch:5d} {one.spans:6d} {one.spans / one.acknowledged_seconds:8.0f} "
                f"{one.per_second:10.0f} {one.cpu_per_10k:10.2f} {one.p95_ms:8.1f} "
                f"{result.disk_bytes_per_span:7.0f}{missing}"
            )
    return "\n".join(lines)


def judge(results: dict[str, Result]) -> list[tuple[str, float, str, bool]]:
    """What is asked of Specloop: name, value, target, whether it is met. Only what was measured is judged."""
    ours = results[Specloop.name]
    peers = [result.large.per_second for name, result in results.items() if name in (Phoenix.name, MLflow.name)]
    judged: list[tuple[str, float, str, bool]] = []

    def add(name: str, value: float, sign: str, limit: float) -> None:
        judged.append((name, value, f"{sign} {limit:g}", value >= limit if sign == "≥" else value <= limit))

    if peers:
        add("times the best peer's spans/s", ours.large.per_second / max(peers), "≥", PEER_RATIO_MIN)
    if BareSink.name in results:
        bare = results[BareSink.name].large.per_second
        add("share of the bare sink's spans/s", ours.large.per_second / bare, "≥", BARE_RATIO_MIN)
    add("CPU seconds per 10,000 spans", ours.large.cpu_per_10k, "≤", CPU_SECONDS_MAX)
    add("bytes per span on disk", ours.disk_bytes_per_span, "≤", DISK_BYTES_MAX)
    add("p95 of a request, ms", ours.large.p95_ms, "≤", P95_MS_MAX)
    small = ours.small.per_second / ours.large.per_second
    add("small batches' share of the large ones' spans/s", small, "≥", SMALL_RATIO_MIN)
    return judged


def main() -> int:
    """Measure all, or those named; 0 when every system ran and every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="specloop is always measured")
    names = parser.parse_args().names
    kinds = [kind for kind in SYSTEMS if not names or kind is Specloop or kind.name in names]
    results: dict[str, Result] = {}
    skipped: list[str] = []
    sample = make_bodies(1, seed=1, span_bytes=SPAN_BYTES)[0]
    print(f"{len(sample) / SPANS_PER_REQUEST:.0f} bytes per span on the wire")
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            print(f"{kind.name}, load of the machine {os.getloadavg()[0]:.1f}", flush=True)
            try:
                results[kind.name] = measure(kind, Path(folder) / kind.name.replace(" ", "-"))
            except (CannotInstall, RuntimeError) as error:
                skipped.append(kind.name)
                print(f"skipped: {kind.name}: {error}", flush=True)
    if results:
        print(table(list(results.values())))
    judged = judge(results) if Specloop.name in results else []
    for name, value, target, is_met in judged:
        print(f"{'met   ' if is_met else 'MISSED'} {name:50} {value:10.2f}   {target}")
    return 0 if judged and not skipped and all(is_met for *_, is_met in judged) else 1


if __name__ == "__main__":
    raise SystemExit(main())
