"""Chooses among several files of one session (specstory.md §7.2, "Legacy").

An editor extension and the command line may both have written a session, and a renamed session leaves its old file
behind; the longest file holds the most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from specloop.kit.ids import parse_uuid


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file found: its name, the session id its preamble names, and its size in bytes."""

    name: str
    session_id: str | None
    size: int


def choose_files(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The files to keep, by name: for each session the longest, of equally long ones the last by name.

    A file that names no session stands for itself. The order of the candidates does not matter.
    """
    kept: dict[str, Candidate] = {}
    for candidate in candidates:
        key = _key(candidate)
        rival = kept.get(key)
        if rival is None or (candidate.size, candidate.name) > (rival.size, rival.name):
            kept[key] = candidate
    return sorted(kept.values(), key=lambda candidate: candidate.name)


def _key(candidate: Candidate) -> str:
    if candidate.session_id is None:
        return f"file {candidate.name}"
    return f"session {parse_uuid(candidate.session_id) or candidate.session_id}"
