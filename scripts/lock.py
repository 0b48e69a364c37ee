"""Writes the lock files from pyproject.toml: names, versions and hashes, no addresses."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPTIONS = ["--universal", "--generate-hashes", "--no-emit-index-url", "--python-version", "3.11", "--no-header", "-q"]
BARE: dict[str, str] = {
    "requirements-setup.lock": "uv>=0.13",
    "requirements-demo.lock": "bfcl-eval==2026.3.23",
}


def compile_lock(output: str, *arguments: str) -> None:
    """Run the resolver into `output`."""
    command = [str(ROOT / ".venv" / "bin" / "uv"), "pip", "compile", *OPTIONS, *arguments, "-o", output]
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> int:
    """Write every lock file."""
    compile_lock("requirements.lock", "pyproject.toml")
    compile_lock("requirements-dev.lock", "pyproject.toml", "--group", "dev", "-c", "requirements.lock")
    compile_lock("requirements-external.lock", "requirements-external.in")
    for output, requirement in BARE.items():
        with tempfile.NamedTemporaryFile("w", suffix=".in") as file:
            file.write(requirement)
            file.flush()
            extra = ["--no-deps"] if output == "requirements-demo.lock" else []
            compile_lock(output, file.name, "--no-annotate", *extra)
    return 0


if __name__ == "__main__":
    sys.exit(main())
