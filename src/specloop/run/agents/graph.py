"""The rule that agents do not depend on each other in a circle. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def closes_a_cycle(edges: Mapping[str, Iterable[str]], agent_id: str, depends_on: Iterable[str]) -> bool:
    """Whether giving `agent_id` the dependencies `depends_on` (in place of its old ones) would close a circle.

    `edges` maps each agent to what it depends on and holds no circle itself.
    """
    waiting = list(depends_on)
    seen: set[str] = set()
    while waiting:
        current = waiting.pop()
        if current == agent_id:
            return True
        if current not in seen:
            seen.add(current)
            waiting.extend(edges.get(current, ()))
    return False
