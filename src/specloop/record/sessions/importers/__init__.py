"""Reads the transcripts that coding agents keep on this machine and makes of each what SpecStory's command line sends.

Grows by a file per agent, listed in `registry`. Changes nothing it reads and speaks to no server.
"""

from specloop.record.sessions.importers.errors import UnreadableTranscript
from specloop.record.sessions.importers.model import FoundTranscript, LocalSession, Places
from specloop.record.sessions.importers.project_identity import ProjectIdentity, identify_project
from specloop.record.sessions.importers.registry import (
    SOURCES,
    find_in,
    find_local,
    find_transcripts,
    holds_many,
    read_transcript,
    watched_roots,
)

__all__ = [
    "SOURCES",
    "FoundTranscript",
    "LocalSession",
    "Places",
    "ProjectIdentity",
    "UnreadableTranscript",
    "find_in",
    "find_local",
    "find_transcripts",
    "holds_many",
    "identify_project",
    "read_transcript",
    "watched_roots",
]
