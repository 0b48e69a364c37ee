"""The archive: a zstd-packed tar whose last member tells the SHA-256 of all others. It knows no store."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from specloop.errors import StartupError
from specloop.kit import json

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FORMAT = 1
MANIFEST = "MANIFEST.json"
CHUNK_BYTES = 1024 * 1024


class BadArchive(StartupError):
    """This is not a whole backup."""

    code = "bad-archive"
    exit_code = 3


@dataclass(slots=True)
class Content:
    """What an archive holds: facts about its making, and the SHA-256 of each file by name."""

    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    files: dict[str, str] = field(default_factory=dict[str, str])
    size: int = 0

    def document(self) -> dict[str, Any]:
        """The manifest."""
        return {"format": FORMAT, **self.facts, "files": self.files}


class _Hashing(io.RawIOBase):
    """Reads a file and hashes what passes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self.sha256.update(data)
        return data


class Writer:
    """Adds files and symbolic links."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.content = Content()

    def add_tree(self, root: Path, prefix: str) -> None:
        """The file `root`, or everything below that folder, as `prefix`; what is gone meanwhile is left out.

        A link is followed where it is `root` itself: that a part lies elsewhere is a matter of this machine. Links
        within are kept as links.
        """
        root = root.resolve()
        if not root.is_dir():
            self._add(root, prefix)
            return
        for path in sorted(root.rglob("*")):
            if path.is_symlink() or not path.is_dir():
                self._add(path, f"{prefix}/{path.relative_to(root)}")

    def _add(self, path: Path, name: str) -> None:
        try:
            if path.is_symlink():
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, str(path.readlink())
                self._tar.addfile(member)
                self.content.files[name] = hashlib.sha256(member.linkname.encode()).hexdigest()
                return
            with path.open("rb") as file:
                member = self._tar.gettarinfo(arcname=name, fileobj=file)
                member.uname = member.gname = ""
                member.uid = member.gid = 0
                hashing = _Hashing(file)
                self._tar.addfile(member, cast("IO[bytes]", hashing))
        except FileNotFoundError:
            return
        self.content.files[name] = hashing.sha256.hexdigest()
        self.content.size += member.size

    def finish(self) -> None:
        """Write the manifest; an archive without one was cut off."""
        data = json.dumps(self.content.document())
        member = tarfile.TarInfo(MANIFEST)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))


@contextmanager
def writing(path: Path) -> Generator[Writer]:
    """Make the archive at `path`, readable by its owner only: it holds keys. It appears there when it is whole."""
    draft = path.with_name(path.name + ".part")
    draft.unlink(missing_ok=True)
    try:
        # Files that are linked twice, as the telemetry engine's are after a deletion, are stored twice: a member that
        # is only a link has no bytes to compare.
        with (
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            zstd.open(file, "wb", level=3) as packed,
            tarfile.open(fileobj=packed, mode="w|", dereference=True) as tar,
        ):
            writer = Writer(tar)
            yield writer
            writer.finish()
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def unpack(path: Path, folder: Path) -> Content:
    """Unpack the archive into the empty `folder` and compare every file with the manifest.

    Raises: BadArchive.
    """
    seen: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with zstd.open(path, "rb") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            for member in tar:
                if member.name == MANIFEST:
                    manifest = json.loads((tar.extractfile(member) or io.BytesIO()).read())
                    continue
                tar.extract(member, folder, filter="data")
                seen[member.name] = _digest(member, folder / member.name)
    except (OSError, EOFError, tarfile.TarError, zstd.ZstdError, ValueError) as error:
        raise BadArchive(f"{path} cannot be read: {error}") from error
    return _compared(path, manifest, seen)


def _digest(member: tarfile.TarInfo, path: Path) -> str:
    if member.issym():
        return hashlib.sha256(member.linkname.encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compared(path: Path, manifest: dict[str, Any] | None, seen: dict[str, str]) -> Content:
    if manifest is None:
        raise BadArchive(f"{path} was cut off: its end is missing")
    if manifest.get("format") != FORMAT:
        raise BadArchive(f"{path} was made by another version of Specloop")
    files: dict[str, str] = manifest["files"]
    wrong = sorted(name for name in files.keys() | seen.keys() if files.get(name) != seen.get(name))
    if wrong:
        raise BadArchive(f"{path} is damaged: {wrong[0]} and {len(wrong) - 1} more files do not match")
    facts = {name: value for name, value in manifest.items() if name not in {"files", "format"}}
    return Content(facts, files)
