"""What an interrupted search needs to go on: plain JSON, never gepa's pickle (spectral.md §2.0).

A search is deterministic, so it resumes by running again from the start: evaluations come from the journal (or are
recomputed, if the runtime is deterministic), and events already reported stay silent until the old end is reached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from specloop.improve.scans.ledger import Ledger
from specloop.improve.scans.problem import Budget, SearchProblem
from specloop.improve.scans.search.events import EventLog
from specloop.improve.scans.space import Space
from specloop.kit.json import canonical_hash

_VERSION = 1


class CheckpointMismatch(ValueError):
    """The checkpoint belongs to another problem, budget, seed or version of the engine."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`fingerprint` names problem, budget and seed; the rest is how far the run had come."""

    fingerprint: str
    events: int = 0
    evaluation_count: int = 0
    elapsed_seconds: float = 0.0
    evaluations: Sequence[Mapping[str, Any]] = ()

    @staticmethod
    def load(
        saved: Mapping[str, Any] | None, problem: SearchProblem, space: Space, budget: Budget, seed: int
    ) -> "Checkpoint":
        """A saved checkpoint, or a new one. Raises: CheckpointMismatch."""
        fingerprint = _fingerprint(problem, space, budget, seed)
        if saved is None:
            return Checkpoint(fingerprint)
        if saved.get("version") != _VERSION or saved.get("fingerprint") != fingerprint:
            raise CheckpointMismatch("the checkpoint belongs to another search")
        return Checkpoint(
            fingerprint,
            int(saved["events"]),
            int(saved["evaluation_count"]),
            float(saved["elapsed_seconds"]),
            saved["evaluations"],
        )

    def advanced(self, events: EventLog, ledger: Ledger, elapsed_seconds: float) -> "Checkpoint":
        """The checkpoint at this moment."""
        return Checkpoint(self.fingerprint, events.count, ledger.evaluations, elapsed_seconds, ledger.journal())

    def dump(self) -> dict[str, Any]:
        """The JSON object to store."""
        return {"version": _VERSION, **asdict(self)}


def _fingerprint(problem: SearchProblem, space: Space, budget: Budget, seed: int) -> str:
    return canonical_hash(
        {
            "base": space.base.config_hash,
            "components": [asdict(component) for component in space.components.values()],
            "train": [example.id for example in problem.train],
            "val": [example.id for example in problem.val],
            "scorer": problem.scorer.identity,
            "strategy": asdict(problem.strategy),
            "budget": asdict(budget),
            "seed": seed,
        }
    )
