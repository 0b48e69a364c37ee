"""A really started server on each state engine, people on it, and command lines signed in through its front door."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.engines import ENGINES, PostgresServer
from tests.interaction.tenant import Tenant, register
from tests.record.specstory.cli_emulator import CLI
from tests.server import started_server

ROOMY = {"SPECLOOP_REGISTRATIONS_PER_HOUR": "1000000"}
"""The limits that clients meet stay as they are shipped."""


@pytest.fixture(scope="session", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on this state engine."""
    data: Path = tmp_path_factory.mktemp(f"server-{request.param}")
    arguments: tuple[str, ...] = ()
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        arguments = ("--state-url", postgres.url(postgres.create_database()))
    with started_server(data, *arguments, **ROOMY) as url:
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
async def cli(server: str, person: Tenant) -> AsyncIterator[CLI]:
    """The person's command line, signed in."""
    async with CLI(server) as one:
        await sign_in(one, person)
        yield one


@pytest.fixture
async def other_cli(server: str, stranger: Tenant) -> AsyncIterator[CLI]:
    """The stranger's command line, signed in, on the same project."""
    async with CLI(server) as one:
        await sign_in(one, stranger)
        yield one


async def sign_in(cli: CLI, person: Tenant) -> httpx.Response:
    """Make a code in the person's name and log in with it."""
    made = person.client.post("/api/v1/auth/device-codes")
    assert made.status_code == 201, made.text
    return await cli.login(made.json()["code"].replace("-", ""))
