"""How cost grows: asks the benchmarks of trace reads and of search at several sizes, draws docs/images/growth.svg.

`python -m benchmarks.growth` takes about a quarter of an hour; `--read FILE` draws what an earlier run printed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[1]
PLOT = ROOT / "docs" / "images" / "growth.svg"
RUNS: Mapping[str, Sequence[str]] = {
    "spans": ("benchmarks.bench_traces", "--spans"),
    "sessions": ("benchmarks.bench_search",),
}
SIZES: Mapping[str, Sequence[int]] = {
    "spans": (10_000, 100_000, 1_000_000),
    "sessions": (1_000, 3_000, 10_000, 50_000),
}
SHOWN: Mapping[str, Sequence[str]] = {
    "spans": ("one trace", "last 50 that failed", "common word", "figures, p95 by model"),
    "sessions": ("rare word", "usual word", "phrase", "all"),
}
TITLES = {"spans": "Reading traces while others come in", "sessions": "Searching recorded sessions"}
_HEAD = re.compile(r"(spans|sessions) (\d+)")
_ROW = re.compile(r"(\S.*?)\s{2,}([\d.]+)\s+([\d.]+)")

Points = dict[str, dict[str, list[tuple[int, float]]]]
"""Kind → question → (size, median in milliseconds)."""


def run() -> Iterator[str]:
    """The lines of all runs, each after a line that says what and how much."""
    for kind, sizes in SIZES.items():
        for size in sizes:
            yield f"{kind} {size}"
            module, *options = RUNS[kind]
            command = [sys.executable, "-m", module, *options, str(size)]
            yield from subprocess.run(
                command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
            ).stdout.splitlines()


def points_of(lines: Iterator[str]) -> Points:
    """The medians of the questions that are drawn."""
    found: Points = {kind: {} for kind in RUNS}
    kind, size = "", 0
    for line in lines:
        print(line, flush=True)
        head, row = _HEAD.fullmatch(line.strip()), _ROW.match(line)
        if head:
            kind, size = head[1], int(head[2])
        elif row and kind and row[1] in SHOWN[kind]:
            found[kind].setdefault(row[1], []).append((size, float(row[2])))
    return found


def draw(points: Points) -> Any:
    """One plot beside the other, both axes logarithmic."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "specloop", "font.family": "sans-serif"})
    figure: Any = Figure(figsize=(10, 4), layout="constrained")
    for place, (kind, questions) in enumerate(points.items(), start=1):
        axes = figure.add_subplot(1, len(points), place)
        for question, measured in questions.items():
            label = "all questions" if question == "all" else question
            axes.plot(*zip(*measured, strict=True), marker="o", label=label)
        axes.set(xscale="log", yscale="log", title=TITLES[kind], xlabel=f"stored {kind}", ylabel="median, ms")
        axes.set_yticks([5, 10, 20, 50, 100, 200, 500], labels=["5", "10", "20", "50", "100", "200", "500"])
        axes.grid(visible=True, alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    return figure


def main() -> int:
    """Measure or read, then draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--read", type=Path, help="what an earlier run printed")
    file: Path | None = parser.parse_args().read
    points = points_of(run() if file is None else iter(file.read_text("utf-8").splitlines()))
    draw(points).savefig(PLOT, metadata={"Date": None})
    print(f"wrote {PLOT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
