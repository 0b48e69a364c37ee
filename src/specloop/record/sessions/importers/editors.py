"""Where the editors of VS Code's family keep their data, and which folder a window of theirs shows."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from specloop.kit import json
from specloop.record.sessions.importers.fields import as_document, text
from specloop.record.sessions.importers.model import Document, Places

_BEFORE_DRIVE = re.compile(r"^/(?=[A-Za-z]:)")


def user_folders(places: Places, editor: str) -> list[Path]:
    """The editor's `User` folder on Linux, on macOS and on Windows, whether it exists or not."""
    appdata = places.environment.get("APPDATA")
    homes = [places.home / ".config", places.home / "Library" / "Application Support"]
    homes += [Path(appdata)] if appdata else []
    return [home / editor / "User" for home in homes]


def window_folder(window: Path) -> str | None:
    """The folder that a `workspace.json` names; for a workspace file, which lists several, the one it lies in."""
    facts = _json_file(window)
    if folder := path_of(text(facts, "folder")):
        return folder
    workspace = path_of(text(facts, "workspace"))
    return str(PurePosixPath(workspace).parent) if workspace.endswith(".code-workspace") else None


def path_of(address: str) -> str:
    """The path in an address such as `file:///home/dev/my%20demo`; an empty text where there is none."""
    try:
        return _BEFORE_DRIVE.sub("", unquote(urlsplit(address).path))
    except ValueError:
        return ""


def _json_file(path: Path) -> Document:
    try:
        return as_document(json.loads(path.read_bytes()))
    except (OSError, json.JSONDecodeError):
        return {}
