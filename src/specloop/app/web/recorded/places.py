"""Addresses of session and project pages.

A session's own address is `/projects/{p}/sessions/{s}`, which clients open by themselves (specstory.md §1.5); it lies
in the visitor's default workspace. The same pages of other workspaces are below `/app/w/{workspace}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request

from specloop.db.context import Context
from specloop.errors import Forbidden
from specloop.record.projects import Project
from specloop.record.sessions import Session, SessionProject
from specloop.transport.guard import requires
from specloop.transport.routing import door_of

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
PROJECT = "/projects/{project}"
SESSION = PROJECT + "/sessions/{session}"
IN_WORKSPACE = "/app/w/{workspace_id}"


@dataclass(frozen=True, slots=True)
class Places:
    """Makes addresses; `base` is in front of `/projects`, "" in the default workspace."""

    base: str = ""

    def project(self, project: Project | SessionProject) -> str:
        """The page of a project."""
        return f"{self.base}/projects/{_segment(project.client_id, project.id)}"

    def session(self, session: Session) -> str:
        """The page of a session."""
        return f"{self.project(session.project)}/sessions/{_segment(session.client_id, session.id)}"


def _segment(client_id: str, row_id: str) -> str:
    """The client's id in a path; one that no path can carry gives way to the row's."""
    is_odd = "/" in client_id or client_id in {".", ".."} or not client_id.isprintable()
    return row_id if is_odd else quote(client_id, safe="")


async def places_of(ctx: Context, request: Request) -> Places:
    """The addresses that fit the visitor's workspace."""
    if ctx.principal.workspace_id is None:
        return Places()
    try:
        default = await door_of(request).gate.enter_default(replace(ctx.principal, workspace_id=None))
    except Forbidden:
        return Places(f"/app/w/{ctx.workspace_id}")
    return Places("" if default.workspace_id == ctx.workspace_id else f"/app/w/{ctx.workspace_id}")


def shows(router: APIRouter, path: str) -> Callable[[Endpoint], Endpoint]:
    """Registers a page that reads, under its own address and below a workspace."""
    return _both(router.get, path, "read:workspace")


def acts(router: APIRouter, path: str) -> Callable[[Endpoint], Endpoint]:
    """Registers the answer to a form, under its own address and below a workspace."""
    return _both(router.post, path, "write:workspace")


def _both(method: Callable[..., Callable[..., Any]], path: str, scope: str) -> Callable[[Endpoint], Endpoint]:
    def register(endpoint: Endpoint) -> Endpoint:
        guarded = requires(scope, users_only=True, default_workspace=True)(endpoint)
        method(path)(guarded)
        method(IN_WORKSPACE + path)(guarded)
        return guarded

    return register
