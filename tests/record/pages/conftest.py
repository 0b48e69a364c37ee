"""A started server on each state engine, people on it, and their browsers without script."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.engines import ENGINES
from tests.interaction.browsing import Browser, signed_in
from tests.interaction.tenant import Tenant, register


@pytest.fixture(scope="session", params=ENGINES)
def server(request: pytest.FixtureRequest) -> str:
    """The address of a server on this state engine."""
    return request.getfixturevalue(f"{request.param}_server")


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
