"""Use cases of projects alone; what needs their sessions (figures, merging, deletion) is in `record.sessions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from specloop.db.context import Context
from specloop.record.projects import repository
from specloop.record.projects.errors import BadProjectField, BadProjectID, NothingToChange, ProjectNotFound
from specloop.record.projects.model import (
    CLIENT_ID_LENGTH_MAX,
    COLORS,
    DEFAULT_COLOR,
    DEFAULT_ICON,
    ICONS,
    NAME_LENGTH_MAX,
    Project,
    ProjectChange,
    is_storable,
)


class ProjectService:
    """The caller's projects."""

    async def find(self, ctx: Context, project_id: str) -> Project:
        """The project with this client id, alias or row id.

        Raises: ProjectNotFound.
        """
        project = await repository.find(ctx, project_id) if is_storable(project_id) else None
        if project is None:
            raise ProjectNotFound
        return project

    async def find_all(self, ctx: Context, project_ids: Sequence[str]) -> list[Project]:
        """Those of the named projects that exist, each once."""
        return await repository.find_all(ctx, [one for one in project_ids if is_storable(one)])

    async def list_projects(self, ctx: Context) -> list[Project]:
        """All of them, by name."""
        return await repository.list_all(ctx)

    async def ensure(self, ctx: Context, client_id: str, name: str) -> Project:
        """The project, made when it is missing; nobody can delete it before the transaction ends.

        Raises: BadProjectID.
        """
        if not 0 < len(client_id) <= CLIENT_ID_LENGTH_MAX or not is_storable(client_id):
            raise BadProjectID
        while True:
            found = await repository.find(ctx, client_id, is_kept=True)
            if found is not None:
                return found
            made = repository.fresh(ctx, client_id, name, DEFAULT_ICON, DEFAULT_COLOR)
            if await repository.add(ctx, made):
                return made

    async def change(self, ctx: Context, project_id: str, change: ProjectChange) -> Project:
        """Rename a project, or give it another icon or colour.

        Raises: ProjectNotFound, NothingToChange, BadProjectField.
        """
        project = await self.find(ctx, project_id)
        values = _checked(change)
        await repository.change(ctx, project.id, {**values, "updated_at": ctx.clock.now()})
        return replace(project, **values, updated_at=ctx.clock.now())


def _checked(change: ProjectChange) -> dict[str, Any]:
    values = {
        name: value
        for name, value in (("name", change.name), ("icon", change.icon), ("color", change.color))
        if value is not None
    }
    if not values:
        raise NothingToChange
    if change.name is not None and not 0 < len(change.name) <= NAME_LENGTH_MAX:
        raise BadProjectField(f"Invalid value for name. Must have 1 to {NAME_LENGTH_MAX} characters")
    if change.name is not None and not is_storable(change.name):
        raise BadProjectField("Invalid value for name. Must have no NUL and no halves of surrogate pairs")
    if change.icon is not None and change.icon not in ICONS:
        raise BadProjectField(f"Invalid value for icon. Must be one of: {', '.join(ICONS)}")
    if change.color is not None and change.color not in COLORS:
        raise BadProjectField(f"Invalid value for color. Must be one of: {', '.join(COLORS)}")
    return values
