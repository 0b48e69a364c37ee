"""What a server costs that nobody uses: time until it is ready on a warm disk, idle CPU, idle memory with chDB open.

Starts `specloop up` as a user would, three times on the same folder after a first start that made it.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_SECONDS_MAX = 3.0
IDLE_CPU_PERCENT_MAX = 1.0
IDLE_MEMORY_MB_MAX = 450.0
RUNS = 3
IDLE_SECONDS = 20.0
SETTLE_SECONDS = 5.0
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure beside its limit."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def is_met(self) -> bool:
        """Whether the limit holds."""
        return self.value <= self.limit


@contextmanager
def started(data: Path) -> Generator[tuple[int, float]]:
    """(process id, seconds until ready) of a server; it is stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "specloop", "up", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SPECLOOP_")}
    begun = time.monotonic()
    with subprocess.Popen(command, env=clean, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(port, process)
            yield process.pid, time.monotonic() - begun
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/api/v1/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise RuntimeError("the server did not become ready")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def measure() -> list[Figure]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="specloop-bench-") as folder:
        data = Path(folder) / "data"
        with started(data):
            pass
        ready: list[float] = []
        busy: list[float] = []
        cpu_percent = memory = 0.0
        for run in range(RUNS):
            with started(data) as (pid, seconds):
                ready.append(seconds)
                busy.append(cpu_seconds(pid))
                if run == RUNS - 1:
                    cpu_percent, memory = _idle(pid)
    return [
        Figure("ready on a warm disk", statistics.median(ready), READY_SECONDS_MAX, "s"),
        Figure("CPU time of that", statistics.median(busy), READY_SECONDS_MAX, "s"),
        Figure(f"idle CPU over {IDLE_SECONDS:.0f} s", cpu_percent, IDLE_CPU_PERCENT_MAX, "%"),
        Figure("idle memory, chDB open", memory, IDLE_MEMORY_MB_MAX, "MiB"),
    ]


def _idle(pid: int) -> tuple[float, float]:
    time.sleep(SETTLE_SECONDS)
    before, begun = cpu_seconds(pid), time.monotonic()
    time.sleep(IDLE_SECONDS)
    percent = 100 * (cpu_seconds(pid) - before) / (time.monotonic() - begun)
    return percent, resident_mb(pid)


def main() -> int:
    """Print each figure beside its limit; 0 when all are met, 1 when one is missed."""
    figures = measure()
    print(f"{'figure':28} {'measured':>12} {'limit':>12}")
    for figure in figures:
        shown, limit = f"{figure.value:.2f} {figure.unit}", f"{figure.limit:g} {figure.unit}"
        print(f"{figure.name:28} {shown:>12} {limit:>12}  {'ok' if figure.is_met else 'MISSED'}")
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
