"""The seam between the platform and whatever executes an agent (spectral.md §2.0).

A runtime turns a config object and one input into an output. It must not know about scores, samples or scans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

JsonObject: TypeAlias = Mapping[str, Any]

ComponentType = Literal["text", "number", "enum", "list<text>", "map<text,number>"]


@dataclass(frozen=True, slots=True)
class Component:
    """One searchable part of a config object: a JSON pointer with a declared type (spectral.md §1.1).

    `role` tells proposers what the part does in its runtime, such as `abstain_threshold`; it is empty when unknown.
    `minimum`, `maximum` and `step` bound numbers and map values, `max_entries` and `max_chars` bound growth.
    """

    name: str
    pointer: str
    type: ComponentType
    mutable: bool = True
    role: str = ""
    minimum: float = 0.0
    maximum: float = 1.0
    step: float = 0.05
    choices: tuple[str, ...] = ()
    max_entries: int = 500
    max_chars: int = 8000


@dataclass(frozen=True, slots=True)
class Output:
    """What one run produced. `value` is the answer, `detail` the runtime's own account of how it got there.

    `error` names the failure class when the run did not end in an answer; `value` is then None.
    """

    value: Any
    detail: JsonObject = field(default_factory=dict[str, Any])
    error: str | None = None
    latency_ms: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    micro_usd: int = 0


class AgentRuntime(Protocol):
    """Executes agents of one kind. Configs and inputs are read-only; a changed config is a new object."""

    @property
    def kind(self) -> str:
        """The name that an agent's `runtime.kind` refers to."""
        ...

    @property
    def deterministic(self) -> bool:
        """Whether equal config and input always give an equal output, so that one repeat is enough."""
        ...

    def components(self, config: JsonObject) -> tuple[Component, ...]:
        """The search space of `config`, in a stable order."""
        ...

    def terms(self, value: JsonObject) -> frozenset[str]:
        """The normalised words of an input, as word-keyed components of this runtime match them."""
        ...

    def features(self, config: JsonObject, value: JsonObject) -> Mapping[str, Mapping[str, float]]:
        """What speaks for each possible answer before any weight, by answer and weight name; empty if unknown."""
        ...

    def affected(self, pointers: Sequence[str], values: Sequence[JsonObject]) -> list[bool]:
        """Whether changes at these JSON pointers could change the output for each input. True when in doubt."""
        ...

    def run(self, config: JsonObject, value: JsonObject) -> Output:
        """Run once. A failed run is an Output with `error`, never an exception."""
        ...

    def run_batch(self, config: JsonObject, values: Sequence[JsonObject]) -> list[Output]:
        """Run one config over many inputs; equals `[run(config, v) for v in values]`, only faster."""
        ...
