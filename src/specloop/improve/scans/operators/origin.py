"""Where a proposed candidate came from. Selection, recording and explanations read it; it must not know the search."""

from dataclasses import dataclass

from specloop.improve.scans.operators.operator import Proposal
from specloop.improve.scans.space import Point


@dataclass(frozen=True, slots=True)
class Step:
    """One operator's part in a candidate: for which failure kind, and what it proposed."""

    kind: str
    operator: str
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a candidate came from: its parent and the steps taken from there."""

    parent: Point
    steps: tuple[Step, ...]

    @property
    def operator(self) -> str:
        """The operators' names, joined."""
        return "+".join(step.operator for step in self.steps)
