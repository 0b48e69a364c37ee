"""Each system as the benchmark sees it: packages, command, path, headers, how many spans a reader can find."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build" / "peers"
SINK_FOLDER = Path(__file__).parent
PROTOBUF = "application/x-protobuf"


class CannotInstall(Exception):
    """A system's packages are out of reach."""


class System(ABC):
    """One system on a data folder and a port of its own."""

    name: str
    database: str
    """Its SQLite file."""
    packages: Sequence[str] = ()
    path = "/v1/traces"
    ready_path = "/"
    requests = 6
    """Of 200 spans: enough for a steady rate, little enough to end within the minute."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it."""

    def environment(self) -> dict[str, str]:
        """What is set beside the ordinary environment."""
        return {}

    def headers(self) -> Mapping[str, str]:
        """Sent with every request; called when the system is ready."""
        return {"content-type": PROTOBUF}

    @abstractmethod
    def visible(self) -> int:
        """Spans that are committed and that a reader finds."""

    def disk_bytes(self) -> int:
        """What the data takes once the system has stopped: the pages in use, since free ones are written again."""
        with closing(sqlite3.connect(self.folder / self.database)) as connection:
            pages, free, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size

    def count(self, statement: str) -> int:
        """What an SQL statement finds in the database meanwhile."""
        uri = f"file:{self.folder / self.database}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
            return connection.execute(statement).fetchone()[0]

    def binary(self, name: str) -> str:
        """A program in the system's own environment, which is made when missing. Raises: CannotInstall."""
        home = CACHE / self.name.replace(" ", "-")
        stamp, wanted = home / ".packages", "\n".join(self.packages)
        if not stamp.exists() or stamp.read_text("utf-8") != wanted:
            uv = str(ROOT / ".venv" / "bin" / "uv")
            _install(uv, "venv", "-q", "--clear", str(home))
            _install(uv, "pip", "install", "-q", "--compile-bytecode", "-p", str(home), *self.packages)
            stamp.write_text(wanted, "utf-8")
        return str(home / "bin" / name)


class Specloop(System):
    """`specloop up` as a user starts it, with a key of its own."""

    name = "specloop"
    database = "state.db"
    path = "/otel/v1/traces"
    ready_path = "/api/v1/health"
    requests = 300

    def command(self) -> list[str]:
        """All defaults."""
        return [sys.executable, "-m", "specloop", "up", "--data", str(self.folder), "--listen", self.url[7:]]

    def environment(self) -> dict[str, str]:
        """The limits per key and user are for tenants, not for one sender that loads the whole machine."""
        return {"SPECLOOP_RATE_USER_PER_MINUTE": "1000000", "SPECLOOP_RATE_KEY_PER_MINUTE": "1000000"}

    def headers(self) -> Mapping[str, str]:
        """Register and make a key."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            body = {"email": "bench@test.com", "password": "benchmark", "tenant_name": "Bench"}
            account: dict[str, Any] = client.post("/api/v1/auth/register", json=body).raise_for_status().json()
            self._reader = {"authorization": f"Bearer {account['access_token']}"}
            self._traces = f"{self.url}/api/v1/workspaces/{account['workspace_id']}"
            key = httpx.post(f"{self._traces}/keys", json={"name": "bench"}, headers=self._reader, timeout=60)
        return {"content-type": PROTOBUF, "authorization": f"Bearer {key.raise_for_status().json()['key']}"}

    def visible(self) -> int:
        """By the figures of the workspace, which are read from the stored spans."""
        answer = httpx.get(f"{self._traces}/traces/stats", headers=self._reader, timeout=60)
        return answer.raise_for_status().json()["spans"]

    def disk_bytes(self) -> int:
        """The state store and the active parts of the telemetry store: merged ones are removed minutes later."""
        code = "import asyncio, sys; from benchmarks.peers.parts import count; print(asyncio.run(count(sys.argv[1])))"
        command = [sys.executable, "-c", code, str(self.folder / "telemetry")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return int(done.stdout.split()[-1]) + super().disk_bytes()


class Phoenix(System):
    """arize-phoenix on SQLite, its default."""

    name = "arize-phoenix"
    database = "phoenix.db"
    packages = ("arize-phoenix==20.26.1",)
    ready_path = "/healthz"

    def command(self) -> list[str]:
        """All defaults."""
        return [self.binary("phoenix"), "serve"]

    def environment(self) -> dict[str, str]:
        """Only on loopback, and nothing is sent home."""
        return {
            "PHOENIX_WORKING_DIR": str(self.folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self.port),
            "PHOENIX_GRPC_PORT": "0",
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }

    def visible(self) -> int:
        """Rows of its table."""
        return self.count("SELECT count(*) FROM spans")


class MLflow(System):
    """mlflow's tracking server on SQLite, its default, with one worker like the others."""

    name = "mlflow"
    database = "mlflow.db"
    packages = ("mlflow==3.17.2",)
    ready_path = "/health"

    def command(self) -> list[str]:
        """One process beside its supervisor."""
        store = f"sqlite:///{self.folder / 'mlflow.db'}"
        artifacts = str(self.folder / "artifacts")
        options = ["--backend-store-uri", store, "--default-artifact-root", artifacts, "--workers", "1"]
        return [self.binary("mlflow"), "server", *options, "--host", "127.0.0.1", "--port", str(self.port)]

    def environment(self) -> dict[str, str]:
        """Nothing is sent home."""
        return {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}

    def headers(self) -> Mapping[str, str]:
        """Into the experiment that is always there."""
        return {**super().headers(), "x-mlflow-experiment-id": "0"}

    def visible(self) -> int:
        """Rows of its table."""
        return self.count("SELECT count(*) FROM spans")


class BareSink(System):
    """Granian, upb, SQLite, nothing else."""

    name = "bare sink"
    database = "bare.db"
    packages = ("granian==2.8.7", "opentelemetry-proto==1.45.2")
    ready_path = "/ready"
    requests = 300

    def command(self) -> list[str]:
        """One worker."""
        options = ["--interface", "rsgi", "--host", "127.0.0.1", "--port", str(self.port), "--no-ws"]
        options += ["--working-dir", str(SINK_FOLDER)]
        return [self.binary("granian"), *options, "bare_sink:app"]

    def environment(self) -> dict[str, str]:
        """Where it writes."""
        return {"BARE_SINK_FILE": str(self.folder / "bare.db")}

    def visible(self) -> int:
        """Spans of the committed bodies."""
        return self.count("SELECT coalesce(sum(spans), 0) FROM bodies")


def _install(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotInstall((done.stdout + done.stderr).strip()[-600:])
