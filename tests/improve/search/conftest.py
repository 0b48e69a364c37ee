"""B1 once per session: loading and splitting it takes a second."""

import pytest

from specloop.testing.datasets.b1 import B1, build_b1


@pytest.fixture(scope="session")
def b1() -> B1:
    return build_b1()
