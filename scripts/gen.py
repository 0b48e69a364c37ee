"""Runs every generator; `--check` only says what is stale."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """0 when all are current or written."""
    scripts = sorted(Path(__file__).parent.glob("gen_*.py"))
    codes = [subprocess.run([sys.executable, str(script), *sys.argv[1:]], check=False).returncode for script in scripts]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
