"""Which runtime an agent's `runtime` object names, and the search space that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specloop.errors import ValidationFailed
from specloop.run.agents.config import check_json, declared_by_runtime, shown_by_config
from specloop.run.agents.errors import NotRunnable
from specloop.run.agents.model import ComponentSpec
from specloop.run.runtime import AgentRuntime, runtime_for, runtime_kinds

EXTERNAL, EMBEDDED = "external", "embedded"
KINDS = (EXTERNAL, "http", EMBEDDED, "llm")
_LOC = ("body", "runtime")


def check_runtime(runtime: Mapping[str, Any]) -> None:
    """Check that the kind exists; an embedded agent also names which of the shipped runtimes it wants.

    `{"kind": "tool-router"}` is short for `{"kind": "embedded", "name": "tool-router"}`.
    Raises: ValidationFailed.
    """
    check_json(runtime, _LOC)
    kind, name = runtime.get("kind"), runtime.get("name")
    if not isinstance(kind, str) or kind not in (*KINDS, *runtime_kinds()):
        choices = ", ".join((*KINDS, *runtime_kinds()))
        raise ValidationFailed.of([*_LOC, "kind"], f"'{kind}' is no runtime kind; there are {choices}")
    if kind == EMBEDDED and name not in runtime_kinds():
        raise ValidationFailed.of(
            [*_LOC, "name"], f"'{name}' is no embedded runtime; there are {', '.join(runtime_kinds())}"
        )


def find_runtime(runtime: Mapping[str, Any]) -> AgentRuntime | None:
    """What executes such an agent in this process; None for external ones and kinds that are not installed."""
    name = runtime.get("name") if runtime["kind"] == EMBEDDED else runtime["kind"]
    return runtime_for(str(name)) if name in runtime_kinds() else None


def runnable(runtime: Mapping[str, Any]) -> AgentRuntime:
    """What executes such an agent.

    Raises: NotRunnable.
    """
    found = find_runtime(runtime)
    if found is None and runtime["kind"] == EXTERNAL:
        raise NotRunnable
    if found is None:
        raise NotRunnable(f"this server has no '{runtime['kind']}' runtime")
    return found


def search_space(
    runtime: Mapping[str, Any], config: Mapping[str, Any], declared: tuple[ComponentSpec, ...] | None
) -> tuple[ComponentSpec, ...]:
    """The components of an agent: declared by the caller, else by its runtime, else shown by the config."""
    if declared is not None:
        return declared
    found = find_runtime(runtime)
    return declared_by_runtime(found.components(config)) if found is not None else shown_by_config(config)


def is_closed(runtime: Mapping[str, Any], *, has_declared: bool) -> bool:
    """Whether the components are the whole search space, so that another parameter is a mistake."""
    return has_declared or find_runtime(runtime) is not None
