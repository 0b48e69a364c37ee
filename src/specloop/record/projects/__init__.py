"""Projects: the repositories and folders whose sessions are recorded, under every id that clients give them.

`ProjectService` is built once by the program; figures of a project's sessions come from `record.sessions`.
"""

from specloop.record.projects.errors import (
    BadProjectField,
    BadProjectID,
    NothingToChange,
    ProjectNotFound,
    SameProject,
)
from specloop.record.projects.model import COLORS, ICONS, Project, ProjectChange, ProjectSummary, is_storable
from specloop.record.projects.service import ProjectService

__all__ = [
    "COLORS",
    "ICONS",
    "BadProjectField",
    "BadProjectID",
    "NothingToChange",
    "Project",
    "ProjectChange",
    "ProjectNotFound",
    "ProjectService",
    "ProjectSummary",
    "SameProject",
    "is_storable",
]
