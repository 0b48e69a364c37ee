"""Deletes sessions and projects, and merges projects: what is deleted is gone, documents and search rows included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specloop.db.context import Context
from specloop.record.projects import Project, ProjectNotFound, ProjectService, SameProject
from specloop.record.projects import repository as projects_repository
from specloop.record.sessions.errors import SessionNotFound
from specloop.record.sessions.model import Session
from specloop.record.sessions.observers import SessionObserver
from specloop.record.sessions.repository import writing


class SessionRemoval:
    """Takes away what was recorded."""

    def __init__(self, projects: ProjectService, observers: Sequence[SessionObserver] = ()) -> None:
        self._projects = projects
        self._observers = tuple(observers)

    async def delete(self, ctx: Context, session: Session) -> None:
        """Delete one session, for all machines.

        Raises: SessionNotFound when somebody else was faster.
        """
        if not await self._delete(ctx, [session.id]):
            raise SessionNotFound

    async def delete_project(self, ctx: Context, project_id: str) -> Project:
        """Delete a project with all its sessions; the project as it was.

        Raises: ProjectNotFound.
        """
        project = await self._projects.find(ctx, project_id)
        await projects_repository.lock(ctx, [project.id])
        await self._delete(ctx, await writing.ids_in_project(ctx, project.id))
        if not await projects_repository.remove(ctx, project.id):
            raise ProjectNotFound
        return project

    async def merge(self, ctx: Context, source_id: str, target_id: str) -> Project:
        """Hand all sessions of one project to another, which from now on answers to both ids (specstory.md §6.1).

        Of a session that both have the longer one stays.
        Raises: ProjectNotFound, SameProject.
        """
        source, target = await self._projects.find(ctx, source_id), await self._projects.find(ctx, target_id)
        if source.id == target.id:
            raise SameProject
        await projects_repository.lock(ctx, [source.id, target.id])
        pairs = await writing.rivals(ctx, source.id, target.id)
        losers = [one if size <= other_size else other for one, other, size, other_size in pairs]
        await self._delete(ctx, losers)
        await writing.move_all(ctx, source.id, target.id)
        await projects_repository.redirect(ctx, source, target)
        if not await projects_repository.remove(ctx, source.id):
            raise ProjectNotFound
        changed_at = ctx.clock.now()
        await projects_repository.change(ctx, target.id, {"updated_at": changed_at})
        return replace(target, updated_at=changed_at)

    async def _delete(self, ctx: Context, session_ids: Sequence[str]) -> bool:
        """Whether any was there. Locks in the order of uploads (project, session, what observers keep)."""
        found = await writing.lock_all(ctx, session_ids)
        if found:
            for observer in self._observers:
                await observer.deleted(ctx, found)
            await writing.remove(ctx, found)
        return bool(found)
