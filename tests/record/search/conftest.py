"""A library on each state engine."""

from __future__ import annotations

import pytest

from specloop.db.database import Database
from tests.record.search.library import Library


@pytest.fixture
def library(database: Database) -> Library:
    """An empty library of one owner."""
    return Library(database)
