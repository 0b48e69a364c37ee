"""Titles of sessions as pages show them: what the owner wrote as it is, what was derived without its wrapping. Pure."""

from __future__ import annotations

import re
from typing import Final

from specloop.app.web.recorded.words import TITLE_MAX, one_line, squeezed
from specloop.record.sessions import Session

_WRAPPED: Final = re.compile(r"<command-name>([^<]+)<|<task-notification>[\s\S]*?<summary>([^<]+)<")
_NOISE: Final = re.compile(
    r"<command-message>[^<]*</command-message>|</?(?:(?:command|local-command|bash|user)-[a-z-]+|system-reminder|ide_[a-z_]+|task-notification|task-id|tool-use-id)>"
)
UNTITLED: Final = "Untitled session"


def title_of(session: Session) -> str:
    """The session's title in one line."""
    if session.user_title:
        return squeezed(session.user_title, 300) or UNTITLED
    told, opening = headline(session.title or session.summary or ""), headline(session.opening or "")
    if told.startswith("/") and opening:  # a bare command says less than the first thing that was asked
        return opening
    return told or opening or squeezed(session.name, 200) or UNTITLED


def headline(text: str) -> str:
    """What a prompt is about, in one line: agents wrap commands and notices into tags of their own."""
    wrapped = _WRAPPED.search(text[:2_000])
    if wrapped:
        return squeezed(wrapped[1] or wrapped[2], TITLE_MAX)
    return one_line(_NOISE.sub(" ", text[:4_000]))


def unwrapped(text: str) -> str:
    """A prompt without the tags in which agents hand over commands: what the user typed, or was told."""
    if "<" not in text or not _NOISE.search(text[:4_000]):
        return text
    return _NOISE.sub("", text).strip() or text
