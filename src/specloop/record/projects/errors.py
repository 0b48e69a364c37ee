"""What can go wrong with projects; the texts are the contract's (specstory.md §1.0)."""

from __future__ import annotations

from specloop.errors import BadRequest, NotFound


class ProjectNotFound(NotFound):
    """Project not found"""

    code = "project-not-found"
    title = "Project Not Found"


class NothingToChange(BadRequest):
    """At least one of name, icon or color must be provided"""

    code = "nothing-to-change"


class BadProjectField(BadRequest):
    """A field of the project has a value that it cannot have"""

    code = "bad-project-field"


class BadProjectID(BadRequest):
    """Project id must have 1 to 255 characters"""

    code = "bad-project-id"


class SameProject(BadRequest):
    """A project cannot be merged into itself"""

    code = "same-project"
