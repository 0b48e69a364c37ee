"""Questions that people ask about their sessions, each with the real sessions that answer it, and two figures.

The questions were written from the sessions, in other words where that came naturally, by one person and once: the
figures compare ways of searching and say nothing about other collections. Sessions are named by how their files begin.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specloop.db.database import Database
from specloop.db.migrations import migrate
from specloop.record.search import SearchMode
from specloop.record.sessions import Upload
from specloop.record.sessions.transcript import parse_markdown
from tests.record.search.library import Library
from tests.record.transcript.corpus import REAL as HISTORY

TOP: Final = 10
QUESTIONS: Final[Mapping[str, Sequence[str]]] = {
    "compile error unknown field AgentName in the API request metadata": ["cli__2025-06-30_12"],
    "rename the documentation files to upper case with dashes": ["cli__2026-01-12_15"],
    "why is a markdown generation test skipped": ["cli__2026-01-13_16"],
    "question text missing from the AskUserQuestion output": ["cli__2026-01-16_15-23"],
    "run linting and tests automatically for every pull request": ["cli__2026-01-28_13-10"],
    "the check command fails for factory droid": ["cli__2026-01-28_13-42"],
    "what does the resume flag of droid do in that commit": ["cli__2026-01-29_16-21"],
    "review of the flag that uploads to the cloud without saving local files": ["cli__2026-01-23_14"],
    "pull request with a local timezone option for timestamps": ["cli__2026-01-25_21"],
    "review of the watch flag pull request": ["cli__2026-01-25_12"],
    "support for Factory Droid sessions in the CLI, review": [
        "cli__2026-01-28_14-55",
        "cli__2026-01-29_16-26",
        "cli__2026-01-30_18",
    ],
    "command that lists sessions, review comments": ["cli__2026-02-08_22", "cli__2026-02-09_20", "cli__2026-02-09_22"],
    "usage insights report about my Claude Code sessions": ["cli__2026-02-10_21"],
    "nothing to copy from the assistant": ["cli__2026-02-10_22"],
    "print the markdown to standard output instead of a file": ["cli__2026-02-11_22", "cli__2026-02-12_15"],
    "which installed claude binary should be looked for first": ["cli__2026-02-16_13-04"],
    "Cursor messages have no timestamps so provenance events are invalid": ["cli__2026-02-16_23"],
    "compare the six provenance standards in a summary document": ["cli__2026-02-20_15", "cli__2026-06-18_15"],
    "read every document about git provenance before the task": ["cli__2026-02-20_16"],
    "structured JSON lines for the VS Code extension from watch": ["cli__2026-02-20_23"],
    "move the watch command out of main.go into its own package": ["cli__2026-02-21_14"],
    "do not set telemetry attributes for zero token counts": ["cli__2026-02-23_23"],
    "where should the statistics file live": ["cli__2026-02-24_14"],
    "progress lines of syncing several agents are confusing": ["cli__2026-02-25_13"],
    "write the statistics only once for all providers": ["cli__2026-02-25_14"],
    "sync stats pull request": ["cli__2026-02-24_21", "cli__2026-02-25_15", "cli__2026-02-26_09"],
    "skip synthetic title generation prompts with TEXTBLOCK tags": ["cli__2026-03-02_22-30"],
    "log noise when there is no Gemini directory": ["cli__2026-03-02_22-47"],
    "Gemini changed how it names its project folders": ["cli__2026-03-02_23-16", "cli__2026-03-02_23-29"],
    "stripping xml tags from the first user message": ["cli__2026-03-06_15"],
    "strip the prefix Implement the following plan from session names": ["cli__2026-03-06_20", "cli__2026-03-18_10"],
    "DeepSeek session is not found in my project": ["cli__2026-05-13_13"],
    "review the DeepSeek provider contribution": ["cli__2026-05-18_13"],
    "mine my repositories for recurring workflows to make skills": ["cli__2026-06-10_14-24-50"],
    "implement features from acceptance criteria in Testmo": ["cli__2026-06-10_14-24-10"],
    "check out an open source contribution in a git worktree to review it": ["cli__2026-06-29_16"],
    "go through the Copilot review comments one by one": ["cli__2026-06-29_18"],
    "login gives 405 method not allowed on the dev cloud": ["cli__2026-06-30_16"],
    "antigravity missing from the skills agents list": ["cli__2026-07-27_15"],
    "explain the conflicts of merging dev into this branch": ["cli__2026-07-28_13"],
    "secret redaction with betterleaks, review": ["cli__2026-07-20_13"],
    "flag to choose several providers": ["cli__2026-07-29_15"],
    "SQLite write-ahead log and connection pool for the cursor database": ["cli__2026-07-29_16"],
    "too many open file descriptors when watching codex sessions on a Mac": ["cli__2026-08-03"],
    "is the HEAD request needed before upload at the end of a run": ["root__2026-01-16_22"],
    "release workflow that updates the homebrew tap": ["root__2026-01-23_17"],
    "plan how resume and search could include sessions from the cloud": ["root__2026-06-30_15"],
    "what is missing in the Cursor IDE provider before release": ["root__2026-07-01_12"],
    # The same needs in words of somebody who has forgotten all of the session's own.
    "the struct does not have that member": ["cli__2025-06-30_12"],
    "continuous integration on every push": ["cli__2026-01-28_13-10"],
    "cannot sign in because the server refuses the verb": ["cli__2026-06-30_16"],
    "running out of file handles on macOS": ["cli__2026-08-03"],
    "preferred location of the executable": ["cli__2026-02-16_13-04"],
    "noisy logging about an absent folder": ["cli__2026-03-02_22-47"],
    "try a contributor's patch in a separate checkout": ["cli__2026-06-29_16"],
    "machine-readable output for the editor plugin": ["cli__2026-02-20_23"],
    "capitalise the names of the guides": ["cli__2026-01-12_15"],
    "masking of passwords and keys": ["cli__2026-07-20_13"],
    "publishing a new version through brew": ["root__2026-01-23_17"],
    "avoid a network round trip when a run finishes": ["root__2026-01-16_22"],
}


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over all questions."""

    ndcg: float
    recall: float


def exchanges_of(path: Path) -> list[str]:
    """What was said in a session, an exchange each."""
    messages = [exchange.messages for exchange in parse_markdown(path.read_bytes()).exchanges]
    return ["\n".join(part.text for one in some for part in one.parts if part.kind == "text") for some in messages]


async def evaluate(modes: Sequence[SearchMode] = tuple(SearchMode)) -> dict[SearchMode, Quality]:
    """Put every session into a library of its own and ask every question in each mode."""
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite:///{folder}/state.db")
        await migrate(database)
        library = Library(database)
        for path in sorted(HISTORY.glob("*.md")):
            upload = Upload("history", path.stem, path.read_bytes(), b"-")
            async with library.writing() as ctx:
                await library.uploads.put(ctx, "history", path.stem, upload)
        await library.embed()
        found = {mode: await _quality(library, mode) for mode in modes}
        await database.close()
    return found


async def _quality(library: Library, mode: SearchMode) -> Quality:
    gains: list[float] = []
    recalls: list[float] = []
    for question, beginnings in QUESTIONS.items():
        found = await library.found(question, mode=mode, limit=TOP)
        relevant = [path.stem for path in HISTORY.glob("*.md") if path.name.startswith(tuple(beginnings))]
        ideal = sum(1 / math.log2(place + 2) for place in range(min(TOP, len(relevant))))
        gain = sum(1 / math.log2(place + 2) for place, one in enumerate(found) if one in relevant)
        gains.append(gain / ideal)
        recalls.append(len(set(found) & set(relevant)) / min(TOP, len(relevant)))
    return Quality(sum(gains) / len(gains), sum(recalls) / len(recalls))
