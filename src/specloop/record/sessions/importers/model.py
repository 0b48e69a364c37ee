"""What the readers of local transcripts share: where to look, what was found, and one session that was read.

Knows no agent's format, no server and no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look: a home folder, the environment that may move stores, and folders named by the user."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundTranscript:
    """A transcript that exists, not yet read.

    `key` names one session inside a store that holds many, `digest` changes with that session alone, and `store` is the
    store as it was when it was looked into.
    """

    source: str
    path: Path
    size: int
    mtime_ns: int
    key: str = ""
    digest: str = ""
    store: Any = field(default=None, compare=False, repr=False)

    @property
    def place(self) -> str:
        """The path, and the key where there is one; always a text that can be written."""
        path = str(self.path).encode("utf-8", "backslashreplace").decode()
        return f"{path}#{self.key}" if self.key else path

    @property
    def is_closed(self) -> bool:
        """Whether this is a folder that may not be looked into, which stands for what may be in it."""
        return self.mtime_ns == 0 and self.size == 0

    @property
    def fingerprint(self) -> str:
        """Changes whenever the session does."""
        return self.digest or f"{self.size}-{self.mtime_ns}"


@dataclass(frozen=True, slots=True)
class LocalSession:
    """One session as its store has it. Exactly one of `session_data` (specstory.md §7.1) and `markdown` is set.

    `cwd` is where the agent worked, `remote` the repository's address if the store names it, `raw` the store's text,
    `prompt` what the user said first, `name` the file's name if the session has one.
    """

    source: str
    agent: str
    session_id: str
    raw: str
    session_data: Document | None = None
    markdown: str | None = None
    cwd: str | None = None
    remote: str | None = None
    prompt: str = ""
    summary: str | None = None
    name: str | None = None
    branches: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    started_at: datetime | None = None
    skipped_lines: int = 0


class Source(Protocol):
    """One agent's local store. `name` is the command line's word for it, `agent` the display name (§6.4)."""

    name: str
    agent: str

    def roots(self, places: Places) -> Iterable[Path]:
        """The folders that hold the transcripts, whether they exist or not."""
        ...

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every transcript, by looking at names, sizes and times only."""
        ...

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """The transcripts of this kind at or below a path that the user named."""
        ...

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when there is none in it (no word of a user, or another file's part).

        Raises: UnreadableTranscript.
        """
        ...
