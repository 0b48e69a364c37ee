"""Looks at sessions as tests do: the one that a home folder holds, its messages, its tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from specloop.record.sessions.importers import LocalSession, find_local, read_transcript


def read(home: Path) -> LocalSession:
    sessions = [session for found in find_local(home) if (session := read_transcript(found))]
    (session,) = sessions
    return session


def messages(session: LocalSession) -> list[dict[str, Any]]:
    assert session.session_data is not None
    return [message for exchange in session.session_data["exchanges"] for message in exchange["messages"]]


def shape(session: LocalSession) -> list[tuple[str, str]]:
    """(who, what) of each message: its words, or the tool's name."""
    return [
        (message["role"], message["tool"]["name"] if "tool" in message else message["content"][0]["text"])
        for message in messages(session)
    ]


def tools(session: LocalSession) -> list[dict[str, Any]]:
    return [message["tool"] for message in messages(session) if "tool" in message]
