"""A few answers kept in memory, each with the mark under which it was true. Pure; it knows no traces."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """At most `size` answers; the one that was asked for longest ago goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[Hashable, tuple[str, T]] = OrderedDict()

    def get(self, key: Hashable, mark: str) -> T | None:
        """The answer to `key`, if it was kept under the same mark."""
        found = self._answers.get(key)
        if found is None or found[0] != mark:
            return None
        self._answers.move_to_end(key)
        return found[1]

    def put(self, key: Hashable, mark: str, answer: T) -> T:
        """Keep `answer`; returns it."""
        self._answers[key] = (mark, answer)
        self._answers.move_to_end(key)
        while len(self._answers) > self._size:
            self._answers.popitem(last=False)
        return answer
