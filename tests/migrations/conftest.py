"""Stores that nobody has migrated yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines import PostgresServer


@pytest.fixture
def make_empty(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes empty stores and gives their addresses."""
    server: PostgresServer | None = None
    if engine_name == "postgresql":
        server = request.getfixturevalue("postgres_server")
    made: list[str] = []

    def make() -> str:
        if server is None:
            made.append(f"{len(made)}.db")
            return f"sqlite:///{tmp_path / made[-1]}"
        made.append(server.create_database())
        return server.url(made[-1])

    yield make
    if server is not None:
        for name in made:
            server.drop_database(name)


@pytest.fixture
def empty_url(make_empty: Callable[[], str]) -> str:
    """The address of an empty store."""
    return make_empty()
