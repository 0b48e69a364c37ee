"""What the frame of every page needs: who is signed in, where they stand, how they like it, what waits.

Plain values for templates; it must not know services or requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Theme = Literal["auto", "light", "dark"]


@dataclass(frozen=True)
class WorkspaceLink:
    """A workspace as the switcher shows it."""

    id: str
    name: str
    role: str = ""


@dataclass(frozen=True)
class Toast:
    """A short notice about what the last form did."""

    text: str
    tone: Literal["good", "bad"] = "good"


@dataclass(frozen=True)
class Shell:
    """The frame of a page. `counts` are small figures beside pages of the rail, by their key.

    `default_workspace_id` is where addresses without a workspace lead; "" when that is not certain.
    """

    csrf: str = ""
    theme: Theme = "auto"
    path: str = "/"
    user_name: str = ""
    user_email: str = ""
    account_role: str = ""
    workspace: WorkspaceLink | None = None
    workspaces: tuple[WorkspaceLink, ...] = ()
    default_workspace_id: str = ""
    scopes: frozenset[str] = frozenset()
    counts: dict[str, int] = field(default_factory=dict[str, int])
    toast: Toast | None = None

    @property
    def base(self) -> str:
        """The address of the workspace's pages."""
        return f"/app/w/{self.workspace.id}" if self.workspace else "/app"

    def may(self, scope: str) -> bool:
        """Whether the visitor holds a scope here; pages hide what would only answer 403."""
        return scope in self.scopes

    def with_(self, **changes: Any) -> Shell:
        """The same frame with other values."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Form:
    """A form as it is drawn again after a failed attempt: what was typed, what is wrong with which field."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    problems: dict[str, str] = field(default_factory=dict[str, str])
    problem: str = ""
