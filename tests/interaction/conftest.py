"""The front door: a really started server for each state engine, and tenants made through its API."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import ENGINES, PostgresServer
from tests.interaction.tenant import Tenant, register
from tests.server import started_server

GENEROUS = {
    "SPECLOOP_RATE_USER_PER_MINUTE": "1000000",
    "SPECLOOP_RATE_KEY_PER_MINUTE": "1000000",
    "SPECLOOP_REGISTRATIONS_PER_HOUR": "1000000",
}


@pytest.fixture(scope="session", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on this state engine."""
    data: Path = tmp_path_factory.mktemp(f"server-{request.param}")
    arguments: tuple[str, ...] = ()
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        arguments = ("--state-url", postgres.url(postgres.create_database()))
    with started_server(data, *arguments, **GENEROUS) as url:
        yield url


@pytest.fixture
def tenant(server: str) -> Iterator[Tenant]:
    """A fresh account with its first workspace."""
    with register(server, f"{secrets.token_hex(8)}@test.com") as made:
        yield made


@pytest.fixture
def other(server: str) -> Iterator[Tenant]:
    """Somebody else on the same server."""
    with register(server, f"{secrets.token_hex(8)}@test.com") as made:
        yield made
