"""Addresses of session and project pages.

A session's own address is `/projects/{p}/sessions/{s}`, which clients open by themselves (specstory.md §1.5); it lies
in the visitor's default workspace. The same pages of other workspaces are below `/app/w/{workspace}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter

from specloop.app.web.frame import Frame
from specloop.record.projects import Project
from specloop.record.sessions import Session, SessionProject
from specloop.transport.guard import requires

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


def places_of(frame: Frame) -> Places:
    """The addresses that fit the page: those of its own workspace, in the short form where that is the default one."""
    path = frame.request.url.path
    if not path.startswith("/app/w/"):
        return Places()
    workspace_id = frame.request.path_params["workspace_id"].lower()
    is_default = workspace_id == frame.shell.default_workspace_id and "/projects/" not in path
    return Places("" if is_default else f"/app/w/{workspace_id}")


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
