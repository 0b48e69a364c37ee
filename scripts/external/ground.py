"""What every suite stands on: the server under test, the suites' own environments, and how a suite is run.

Nothing here goes into a lock file of the product: npm packages and SDKs are installed by exact version into scratch.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRATCH = ROOT / "build" / "external"
CLIENTS = Path(__file__).parent / "clients"
UV = ROOT / ".venv" / "bin" / "uv"


class CannotRun(Exception):
    """A suite could not be installed or started; that is a failure, never a pass."""


@dataclass(frozen=True, slots=True)
class Target:
    """The started server and credentials for it."""

    url: str
    token: str
    key: str
    workspace_id: str
    document: Path
    certificate: Path


def python() -> Path:
    """The interpreter of the suites' own environment, made when missing or stale. Raises: CannotRun."""
    home = SCRATCH / "venv"
    stamp, lock = home / ".lock", ROOT / "requirements-external.lock"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        _install(UV, "venv", "-q", "--clear", home)
        _install(UV, "pip", "install", "-q", "-p", home, "--require-hashes", "-r", lock)
        stamp.write_bytes(lock.read_bytes())
    return home / "bin" / "python"


def own_python(name: str, packages: Sequence[str], under: Path = SCRATCH / "sdk") -> Path:
    """The interpreter of an environment with just `packages`, made when missing or stale. Raises: CannotRun."""
    home = under / name
    stamp, wanted = home / ".packages", "\n".join(packages)
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        _install(UV, "venv", "-q", "--clear", home)
        _install(UV, "pip", "install", "-q", "-p", home, *packages)
        stamp.write_text(wanted, "utf-8")
    return home / "bin" / "python"


def npm_folder(name: str, packages: Mapping[str, str]) -> Path:
    """A folder with these npm packages, installed when one is missing or of another version. Raises: CannotRun."""
    folder = SCRATCH / name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = "\n".join(f"{package}@{version}" for package, version in packages.items())
    stamp = folder / ".packages"
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        options = ("--silent", "--no-save", "--no-audit", "--no-fund", "--package-lock=false")
        _install("npm", "install", *options, *wanted.split(), cwd=folder)
        stamp.write_text(wanted, "utf-8")
    return folder


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what would turn an exporter elsewhere or replace its certificates."""
    unwanted = ("SSL_CERT", "REQUESTS_CA", "OTEL_", "TRACELOOP_", "PHOENIX_", "LOGFIRE_", "OPENAI_")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(unwanted)}, **more}


def run(*command: str | Path, cwd: Path = SCRATCH, **environment: str) -> bool:
    """Run a suite; the end of its output is shown when it fails, and all of it is in `failed.log`."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    if result.returncode != 0:
        (SCRATCH / "failed.log").write_text(result.stdout + result.stderr, "utf-8")
        print((result.stdout + result.stderr)[-8000:])
    return result.returncode == 0


def _install(*command: str | Path, cwd: Path = ROOT) -> None:
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CannotRun(f"{arguments[0]}: {error}") from error
    if done.returncode != 0:
        raise CannotRun(f"{' '.join(arguments)}\n{(done.stdout + done.stderr)[-2000:]}")
