"""The `specloop` command as a child process, with a home folder of its own: what it says and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specloop.kit import json

SECONDS_MAX = 120


@dataclass(frozen=True, slots=True)
class Said:
    """The end of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Command:
    """Runs `specloop` as one user of the machine would, in `home`."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def __call__(self, *arguments: str, given: str = "", **environment: str) -> Said:
        """Run to the end; `given` is typed in."""
        done = subprocess.run(
            [sys.executable, "-m", "specloop", *arguments],
            env=self.variables(**environment),
            cwd=self.home,
            input=given.encode(),
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    def variables(self, **more: str) -> dict[str, str]:
        """The child's environment: nothing of the developer's own settings, a wide terminal."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SPECLOOP_", "XDG_"))}
        own = {"HOME": str(self.home), "COLUMNS": "200", "NO_COLOR": "1"}
        return {**clean, **own, **self.environment, **more}
