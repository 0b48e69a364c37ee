"""The stores of the job tests, for their simulation."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.jobs.conftest import state_url, store

__all__ = ["quiet_log", "state_url", "store"]


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Hundreds of kills would print hundreds of tracebacks."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)
