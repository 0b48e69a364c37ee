"""Finds a session on the server by what a person has at hand, and reads it in one of its forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote, unquote

from specloop.cli.session import RemoteError
from specloop.cli.transfer.server import RecordServer, envelope_of, error_of

_ADDRESS = re.compile(r"^(?:specstory://|https?://[^/]+/)?(?:projects/)?([^/]+)/(?:sessions/)?([^/?#]+)$")


class Form(StrEnum):
    """The documents of a session."""

    MARKDOWN = "markdown"
    DATA = "session-data"
    RAW = "raw"


_MEDIA_TYPES = {
    Form.MARKDOWN: "text/markdown",
    Form.DATA: "application/vnd.specstory.session-data+json",
    Form.RAW: "application/vnd.specstory.raw-data",
}


@dataclass(frozen=True, slots=True)
class SessionPlace:
    """Where a session is on the server."""

    project_id: str
    session_id: str

    @property
    def path(self) -> str:
        """Its address."""
        return f"/api/v1/projects/{quote(self.project_id, safe='')}/sessions/{quote(self.session_id, safe='')}"


def find_session(server: RecordServer, text: str) -> SessionPlace:
    """The place that an address, `PROJECT/ID` or an id alone names (specstory.md §1.5).

    Raises: RemoteError when no project has a session with this id.
    """
    if named := _ADDRESS.match(text):
        return SessionPlace(unquote(named[1]), unquote(named[2]))
    projects: list[dict[str, Any]] = server.get("/api/v1/projects")["projects"]
    for project in projects:
        if text in server.sizes(project["id"]):
            return SessionPlace(project["id"], text)
    raise RemoteError(404, f"there is no session '{text}' that you can see", {})


def read_session(server: RecordServer, place: SessionPlace, form: Form) -> bytes:
    """The stored bytes.

    Raises: RemoteError when there is no such session, or it has no such document.
    """
    response = server.request("GET", place.path, headers={"accept": _MEDIA_TYPES[form]})
    if response.status_code == 200:
        return response.content
    said = error_of(envelope_of(response))
    raise RemoteError(response.status_code, said or f"the server answered {response.status_code}", {})
