"""Projects: a repository or folder whose sessions are recorded. Pure values, and the closed sets of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

CLIENT_ID_LENGTH_MAX = 255
NAME_LENGTH_MAX = 255
DEFAULT_ICON = "FolderKanban"
DEFAULT_COLOR = "blue"
ICONS = (
    "Code2",
    "Terminal",
    "Bot",
    "Brain",
    "Sparkles",
    "Database",
    "GitBranch",
    "Bug",
    "FolderKanban",
    "Folder",
    "Files",
    "Library",
    "BookOpen",
    "Briefcase",
    "Package",
    "Layers",
    "AppWindow",
    "Rocket",
    "Palette",
    "Paintbrush",
    "PenTool",
    "Lightbulb",
    "BarChart3",
    "Settings",
    "Globe",
)
"""The icons that a project may have (specstory.md §1.3)."""
COLORS = ("rose", "pink", "orange", "amber", "emerald", "cyan", "blue", "purple", "slate", "gray")
"""The colours that a project may have (specstory.md §1.3)."""


@dataclass(frozen=True, slots=True)
class Project:
    """One project of one owner. `client_id` is the id in URLs; `id` is the key of the row, accepted there as well."""

    id: str
    account_id: str
    workspace_id: str
    owner_id: str
    client_id: str
    name: str
    icon: str
    color: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project with figures of its sessions; `last_activity` is None while it has none."""

    project: Project
    session_count: int = 0
    resumable_count: int = 0
    markdown_size: int = 0
    raw_size: int = 0
    last_activity: datetime | None = None
    aliases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """What a PATCH asks for; None leaves a field as it is."""

    name: str | None = None
    icon: str | None = None
    color: str | None = None


def is_storable(text: str) -> bool:
    """Whether every store can keep the text: no NUL, no halves of surrogate pairs."""
    return "\x00" not in text and not any("\ud800" <= one <= "\udfff" for one in text)
