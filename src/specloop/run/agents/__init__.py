"""Agents: the registry of what runs, each with immutable config versions of which one is promoted.

Others read agents and versions, add versions from edits, promote, go back, and run through this door.
"""

from specloop.run.agents.config import config_hash
from specloop.run.agents.edits import Edit, apply, diff, unified
from specloop.run.agents.model import (
    Agent,
    AgentConfigVersion,
    AgentOrigin,
    AgentStatus,
    ComponentSpec,
    ComponentType,
    ManagedTemplate,
    ServedAgent,
    TemplateMode,
    TemplateVersion,
    VersionSource,
)
from specloop.run.agents.service.card import CardService, CardSource
from specloop.run.agents.service.discovery import AgentDiscovery
from specloop.run.agents.service.health import AgentHealth
from specloop.run.agents.service.registry import (
    AgentChanges,
    NewAgent,
    archive,
    change,
    create,
    find,
    list_agents,
    read,
    words_of,
)
from specloop.run.agents.service.running import AgentRunner, RunPlan, RunResult
from specloop.run.agents.service.runtimes import runnable
from specloop.run.agents.service.serving import ConfigServer, ServedConfig
from specloop.run.agents.service.versions import (
    Comparison,
    apply_edits,
    compare,
    list_versions,
    promote,
    read_version,
    restore,
    write_config,
)

__all__ = [
    "Agent",
    "AgentChanges",
    "AgentConfigVersion",
    "AgentDiscovery",
    "AgentHealth",
    "AgentOrigin",
    "AgentRunner",
    "AgentStatus",
    "CardService",
    "CardSource",
    "Comparison",
    "ComponentSpec",
    "ComponentType",
    "ConfigServer",
    "Edit",
    "ManagedTemplate",
    "NewAgent",
    "RunPlan",
    "RunResult",
    "ServedAgent",
    "ServedConfig",
    "TemplateMode",
    "TemplateVersion",
    "VersionSource",
    "apply",
    "apply_edits",
    "archive",
    "change",
    "compare",
    "config_hash",
    "create",
    "diff",
    "find",
    "list_agents",
    "list_versions",
    "promote",
    "read",
    "read_version",
    "restore",
    "runnable",
    "unified",
    "words_of",
    "write_config",
]
