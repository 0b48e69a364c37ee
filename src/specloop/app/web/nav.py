"""The map of the pages: the four stages as the product's story, each with its pages.

The rail, the home page and the command palette read it; a page adds itself here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Item:
    """A page of a workspace: its key, its name, its path below the workspace, its icon, the scope to see it."""

    key: str
    name: str
    path: str
    icon: str
    scope: str = "read:workspace"


@dataclass(frozen=True)
class Stage:
    """A stage of the loop with its pages."""

    key: str
    name: str
    what: str
    items: tuple[Item, ...]


HOME: Final = Item("home", "Home", "", "home")

STAGES: Final = (
    Stage("specify", "Specify", "From an interview to a package that an agent can build from.", ()),
    Stage(
        "run",
        "Run",
        "Agents with versioned configurations, served to every call.",
        (Item("agents", "Agents", "/agents", "agent"),),
    ),
    Stage(
        "record",
        "Record",
        "What coding agents said and did, and every agent call as a trace.",
        (
            Item("recordings", "Sessions", "/sessions", "session"),
            Item("projects", "Projects", "/projects", "folder"),
            Item("traces", "Traces", "/traces", "trace"),
            Item("analytics", "Analytics", "/analytics", "chart"),
        ),
    ),
    Stage(
        "improve",
        "Improve",
        "Failures clustered, changes proved on sealed tasks.",
        (
            Item("scans", "Scans", "/scans", "scan"),
            Item("changesets", "Change sets", "/changesets", "change"),
        ),
    ),
)

WORKSPACE: Final = (
    Item("keys", "API keys", "/keys", "key", "admin:workspace"),
    Item("members", "Members", "/members", "people"),
    Item("settings", "Settings", "/settings", "gear"),
)
