"""Which project a folder belongs to, by SpecStory's rule, so that ids agree with its command line (§6.1)."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from specloop.kit import json
from specloop.record.sessions.importers.fields import as_document, printable, text

_FOLDS_CASE = sys.platform in ("darwin", "win32")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_NO_PROJECT = "unknown"


@dataclass(frozen=True, slots=True)
class ProjectIdentity:
    """A project's id in addresses and its name."""

    project_id: str
    name: str


def identify_project(folder: str | None, remote: str | None = None) -> ProjectIdentity:
    """The project of a folder: what its `.specstory/.project.json` says, else its repository's address, else its path.

    `remote` is the repository's address as the transcript noted it, for a folder that is gone.
    """
    if not folder and not remote:
        return ProjectIdentity(digest_id(_NO_PROJECT), _NO_PROJECT)
    path = Path(folder) if folder else None
    if folder and path and not path.is_absolute():
        return _elsewhere(folder, remote)
    if path and (kept := _kept_identity(path)):
        return kept
    root = path and git_root(path)
    address = (root and origin_address(root)) or (remote if root is None else None)
    if address:
        return ProjectIdentity(digest_id(normal_address(address)), _name_of(address))
    place = str(root or path)
    name = printable(Path(place).name or place)
    return ProjectIdentity(digest_id(place.lower() if _FOLDS_CASE else place), name)


def _elsewhere(folder: str, remote: str | None) -> ProjectIdentity:
    """The project of a folder on another kind of machine: nothing on this disk says anything about it. Windows knows no
    difference of case, and an id made there is made of small letters."""
    if remote:
        return ProjectIdentity(digest_id(normal_address(remote)), _name_of(remote))
    windows = PureWindowsPath(folder)
    if windows.drive:
        return ProjectIdentity(digest_id(str(windows).lower()), printable(windows.name or folder))
    place = PurePosixPath(folder)
    return ProjectIdentity(digest_id(str(place)), printable(place.name or folder))


def digest_id(text_of_project: str) -> str:
    """The first 16 hex digits of the SHA-256, in groups of four."""
    digits = hashlib.sha256(text_of_project.encode("utf-8", "backslashreplace")).hexdigest()
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def normal_address(address: str) -> str:
    """A repository's address without what differs between ways to reach it; case and credentials stay."""
    bare = address.strip().removesuffix(".git")
    _, at, rest = bare.partition("@")
    if at and ":" in rest:
        # `git@host:owner/name`; an address with a scheme and a port goes the same way, as it does at SpecStory's
        host, _, path = rest.partition(":")
        return f"{host}/{path}"
    return _SCHEME.sub("", bare)


def git_root(folder: Path) -> Path | None:
    """The folder at or above that holds `.git`. A folder that is gone is looked for above all the same."""
    for each in (folder, *folder.parents):
        if os.path.exists(each / ".git"):
            return each
    return None


def origin_address(root: Path) -> str | None:
    """The address of the remote `origin`, also of a worktree."""
    parser = ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        parser.read_string(_plain_config((_common_dir(root / ".git") / "config").read_text(encoding="utf-8")))
        return parser.get('remote "origin"', "url", fallback=None)
    except (OSError, ValueError, Error):
        return None


def _plain_config(config: str) -> str:
    """Git indents its settings, which another reader would take for continued lines."""
    return "\n".join(line.strip() for line in config.splitlines())


def _common_dir(marker: Path) -> Path:
    """`.git` itself, or where a worktree's or a submodule's file points to."""
    if marker.is_dir():
        return marker
    inner = marker.parent / marker.read_text(encoding="utf-8").strip().removeprefix("gitdir:").strip()
    common = inner / "commondir"
    return inner / common.read_text(encoding="utf-8").strip() if common.exists() else inner


def _kept_identity(folder: Path) -> ProjectIdentity | None:
    try:
        kept = as_document(json.loads((folder / ".specstory" / ".project.json").read_bytes()))
    except (OSError, ValueError):
        return None
    project_id = text(kept, "git_id", "workspace_id")
    return ProjectIdentity(project_id, text(kept, "project_name") or folder.name) if project_id else None


def _name_of(address: str) -> str:
    return re.split(r"[/:]", normal_address(address).rstrip("/"))[-1] or address
