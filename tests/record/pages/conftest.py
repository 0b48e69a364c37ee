"""A started server on each state engine, people on it, and their browsers without script."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import ENGINES, PostgresServer
from tests.interaction.browsing import Browser, signed_in
from tests.interaction.tenant import Tenant, register
from tests.server import started_server

GENEROUS = {"SPECLOOP_RATE_USER_PER_MINUTE": "1000000", "SPECLOOP_REGISTRATIONS_PER_HOUR": "1000000"}


@pytest.fixture(scope="package", params=ENGINES)
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
def person(server: str) -> Iterator[Tenant]:
    """Somebody with a fresh account."""
    with register(server, f"{secrets.token_hex(8)}@test.com") as made:
        yield made


@pytest.fixture
def stranger(server: str) -> Iterator[Tenant]:
    """Somebody else."""
    with register(server, f"{secrets.token_hex(8)}@test.com") as made:
        yield made


@pytest.fixture
def browser(server: str, person: Tenant) -> Iterator[Browser]:
    """The person's browser, signed in."""
    with signed_in(server, person.email) as one:
        yield one


@pytest.fixture
def sessions_page(person: Tenant) -> str:
    """The address of the person's list of sessions."""
    return f"/app/w/{person.workspace_id}/sessions"
