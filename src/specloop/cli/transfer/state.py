"""What was sent already, so that a file that did not change is not read again. Holds no word of any session.

Forgetting it costs time, never a session: the server is asked as well.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from specloop.cli.session import profile_path
from specloop.kit import json

FORMAT = 1
ACCOUNTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Sent:
    """How a transcript was when it was last looked at; the ids are empty when there was no session in it."""

    fingerprint: str
    project_id: str = ""
    session_id: str = ""
    digest: str = ""


class SentState:
    """The transcripts that one account's server knows."""

    def __init__(self, account: str, path: Path | None = None) -> None:
        self._path = path or profile_path().with_name("sent-sessions.json")
        self._account = account
        self._accounts = self._load()
        kept: dict[str, Any] = self._accounts.pop(account, {})
        self._sent = {place: Sent(**facts) for place, facts in kept.items()}
        self._is_changed = False

    def get(self, place: str) -> Sent | None:
        """What is known of a transcript."""
        return self._sent.get(place)

    def put(self, place: str, sent: Sent) -> None:
        """Remember; `save` writes it."""
        if self._sent.get(place) != sent:
            self._sent[place] = sent
            self._is_changed = True

    def save(self) -> None:
        """Write, readable by its owner only."""
        if not self._is_changed:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        others = dict(list(self._load().items())[-ACCOUNTS_MAX:])
        others.pop(self._account, None)
        accounts = {**others, self._account: {place: asdict(sent) for place, sent in self._sent.items()}}
        fresh = self._path.with_suffix(f".{os.getpid()}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps({"format": FORMAT, "accounts": accounts}))
        fresh.replace(self._path)
        self._is_changed = False

    def _load(self) -> dict[str, Any]:
        try:
            document = json.loads(self._path.read_bytes())
            return document["accounts"] if document["format"] == FORMAT else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
