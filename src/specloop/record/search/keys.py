"""The key of an exchange in the text index: its session's number and its order in one integer. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
ORDER_BITS: Final = 20
"""Also written, as 1048576, in the triggers of migration 0004."""


def row_key(number: int, order_number: int) -> int:
    """The key; exchanges of a session stand side by side in order."""
    return (number << ORDER_BITS) + order_number


def numbers_of(keys: Keys) -> Keys:
    """The numbers of the sessions."""
    return keys >> ORDER_BITS


def number_of(key: int) -> int:
    """The number of the session."""
    return key >> ORDER_BITS


def order_of(key: int) -> int:
    """The order of the exchange in its session."""
    return key & ((1 << ORDER_BITS) - 1)


def to_keys(joined: str | None) -> Keys:
    """Integers that an engine joined with commas: far cheaper to carry than a row each."""
    return np.fromstring(joined, dtype=np.int64, sep=",") if joined else np.empty(0, np.int64)
