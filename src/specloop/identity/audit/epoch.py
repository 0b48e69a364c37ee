"""How often audited changes were committed to a store, so that whoever remembers identities knows when to forget.

Everything that changes what somebody may do is audited, so this one number is enough and no service can forget to
announce. It belongs to one database engine and disappears with it. Other processes are not seen: memories also age.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

_epochs: WeakKeyDictionary[object, Epoch] = WeakKeyDictionary()


class Epoch:
    """A number that only grows."""

    __slots__ = ("__weakref__", "number")

    def __init__(self) -> None:
        self.number = 0

    async def advance(self) -> None:
        """Count one commit; runs after it."""
        self.number += 1


def epoch_of(engine: object) -> Epoch:
    """The epoch of a (synchronous) writing engine."""
    epoch = _epochs.get(engine)
    if epoch is None:
        epoch = _epochs[engine] = Epoch()
    return epoch
