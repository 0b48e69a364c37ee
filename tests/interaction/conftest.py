"""The front door: a really started server for each state engine, and tenants made through its API."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.engines import ENGINES
from tests.interaction.tenant import Tenant, register


@pytest.fixture(scope="session", params=ENGINES)
def server(request: pytest.FixtureRequest) -> str:
    """The address of a server on this state engine."""
    return request.getfixturevalue(f"{request.param}_server")


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
