"""Runtimes execute agents: one protocol, one registry, one folder or file per kind (spectral.md §2.0)."""

from specloop.run.runtime.registry import UnknownRuntime, runtime_for, runtime_kinds
from specloop.run.runtime.runtime import AgentRuntime, Component, ComponentType, JsonObject, Output

__all__ = [
    "AgentRuntime",
    "Component",
    "ComponentType",
    "JsonObject",
    "Output",
    "UnknownRuntime",
    "runtime_for",
    "runtime_kinds",
]
