"""`make bench`: runs every benchmark in turn, or those whose name contains an argument; each prints its own table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> int:
    """0 when every benchmark ran and met its targets."""
    wanted = sys.argv[1:]
    scripts = [
        script
        for script in sorted(Path(__file__).parent.glob("bench_*.py"))
        if not wanted or any(word in script.stem for word in wanted)
    ]
    missed: list[str] = []
    for script in scripts:
        print(f"\n== {script.stem.removeprefix('bench_')}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{script.stem}"], cwd=ROOT, check=False).returncode != 0:
            missed.append(script.stem)
    print("\nevery target met" if not missed else f"\ntargets missed in: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
