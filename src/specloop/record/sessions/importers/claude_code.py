"""Reads Claude Code's transcripts: `~/.claude/projects/<folder>/<session>.jsonl` (specstory.md §8.3).

A file is a log of records that form chains by `parentUuid`; sub-agents write chains of their own, into the same file,
beside it, or in a folder named for the session.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from specloop.record.sessions.importers.blocks import tell_answer, tell_results
from specloop.record.sessions.importers.conversation import About, Conversation, add_usage
from specloop.record.sessions.importers.fields import as_document, child, count, joined, moment, once, text
from specloop.record.sessions.importers.files import found_file, matching, walk
from specloop.record.sessions.importers.lines import JSONLines, first_record, read_lines
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places

_USAGE = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cacheCreationInputTokens": "cache_creation_input_tokens",
    "cacheReadInputTokens": "cache_read_input_tokens",
}
_COMMAND = re.compile(r"<command-name>([^<]*)</command-name>")
_ARGUMENTS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)
_SIDE_PREFIX = "agent-"
_SETTLED_NS = 2_000_000_000
_TAKEN_UP_SECONDS = (-5.0, 600.0)
"""A message that was queued and stands there as the user's own as well was taken up in this time."""
_OUTPUT_OF_COMMANDS = ("<local-command-stdout>", "<local-command-stderr>", "<local-command-caveat>")


class ClaudeCode:
    """Claude Code, in the terminal and in editors."""

    name = "claude"
    agent = "Claude Code"

    def __init__(self) -> None:
        self._sides = _SideFiles()

    def roots(self, places: Places) -> Iterable[Path]:
        """`CLAUDE_CONFIG_DIR` may name several folders."""
        moved = places.environment.get("CLAUDE_CONFIG_DIR", "")
        homes = [Path(each.strip()) for each in moved.split(",") if each.strip()] or [places.home / ".claude"]
        return [home / "projects" for home in homes]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every session's main file; what its sub-agents wrote counts to its size and time."""
        for root in self.roots(places):
            yield from self.find_in(root)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Sessions at or below the path."""
        for file in walk(path, ".jsonl"):
            if file.name.startswith(_SIDE_PREFIX) or file.parent.name == "subagents":
                continue
            if found := found_file(self.name, file, *_own_sides(file)):
                yield found

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session with its sub-agents' messages; None for a warm-up and for commands like /exit alone."""
        main = read_lines(found.path)
        records = _distinct(main.records)
        session_id = _session_id(records, found.path.stem)
        sides = [read_lines(path) for path in self._sides.of(found.path, session_id)]
        main_chain, side_chains = _chains(records)
        side_chains += [[record] for record in _queued(main.records, records)]
        side_chains += [_ordered(_distinct(side.records)) for side in sides]
        ordered = list(_merged(main_chain, [chain for chain in side_chains if chain]))
        talk = Conversation(session_id, "claude-code", self.agent, _first(ordered, "cwd"), _version(ordered))
        _tell(talk, ordered)
        if talk.is_empty or (_COMMAND.search(talk.prompt) and not talk.models):
            return None
        return LocalSession(
            self.name,
            self.agent,
            session_id,
            _whole_text(main, sides),
            session_data=talk.document(),
            cwd=talk.cwd,
            prompt=_typed(talk.prompt),
            summary=_summary(main.records),
            branches=once(text(record, "gitBranch") for record in ordered),
            models=talk.models,
            started_at=talk.started_at,
            skipped_lines=main.skipped + sum(side.skipped for side in sides),
        )


def _typed(prompt: str) -> str:
    """What stands in the title: a command as it was typed, not as it is recorded."""
    command, arguments = _COMMAND.search(prompt), _ARGUMENTS.search(prompt)
    if not command:
        return prompt
    return f"{command[1].strip()} {arguments[1].strip() if arguments else ''}".strip()


def _own_sides(file: Path) -> list[Path]:
    folder = file.with_suffix("") / "subagents"
    return matching(folder, "*.jsonl")


class _SideFiles:
    """The sub-agents' files of sessions: in a session's own folder, or beside the session and naming it.

    Which session a file beside belongs to stands in its first line. A folder may hold thousands of sessions, so it is
    looked through once, and again when it has changed.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, dict[str, list[Path]]]] = {}

    def of(self, file: Path, session_id: str) -> list[Path]:
        """The files of one session."""
        return _own_sides(file) + self._beside(file.parent).get(session_id, [])

    def _beside(self, folder: Path) -> dict[str, list[Path]]:
        changed_at = folder.stat().st_mtime_ns
        if folder in self._known and self._known[folder][0] == changed_at:
            return self._known[folder][1]
        by_session: dict[str, list[Path]] = {}
        for path in sorted(folder.glob(f"{_SIDE_PREFIX}*.jsonl")):
            by_session.setdefault(text(first_record(path), "sessionId"), []).append(path)
        is_settled = time.time_ns() - changed_at > _SETTLED_NS and "" not in by_session
        if is_settled:  # else a file may come, or get its first line, without the folder's time showing it
            self._known[folder] = (changed_at, by_session)
        return by_session


def _whole_text(main: JSONLines, sides: list[JSONLines]) -> str:
    whole = main.text
    for side in sides:
        whole += ("" if whole.endswith("\n") or not whole else "\n") + side.text
    return whole


def _distinct(records: Iterable[Document]) -> list[Document]:
    """Messages once each: a session that was resumed may carry older records a second time."""
    by_id: dict[str, Document] = {}
    for record in records:
        if record.get("type") in ("user", "assistant") and (key := text(record, "uuid")):
            by_id.setdefault(key, record)
    return list(by_id.values())


def _queued(records: Iterable[Document], told: list[Document]) -> list[Document]:
    """What the user typed while the agent worked, as messages of theirs. The program hands it to the model as an
    attachment and makes no message of it, mostly; `told` are the messages that there are."""
    uses = [record for record in told if record.get("type") == "user" and not record.get("isMeta")]
    queued = list[Document]()
    seen = {record["uuid"] for record in told}
    for place, record in enumerate(records):
        attachment = child(record, "attachment")
        if not _is_typed(record, attachment) or (key := text(record, "uuid") or f"queued-{place}") in seen:
            continue
        seen.add(key)
        message = {"role": "user", "content": attachment.get("prompt")}
        typed = {**record, "type": "user", "uuid": key, "message": message}
        if (same := next((each for each in uses if _is_same(typed, each)), None)) is None:
            queued.append(typed)
        else:
            uses.remove(same)
    return queued


def _is_typed(record: Document, attachment: Document) -> bool:
    origin = child(attachment, "origin") or child(record, "origin")
    return (
        record.get("type") == "attachment"
        and attachment.get("type") == "queued_command"
        and attachment.get("commandMode") == "prompt"
        and origin.get("kind") in (None, "human")
        and not record.get("isMeta")
    )


def _is_same(queued: Document, told: Document) -> bool:
    if text(child(queued, "attachment"), "source_uuid") == told["uuid"]:
        return True
    typed, said = (joined(child(each, "message").get("content"), "text").strip() for each in (queued, told))
    first, later = moment(queued.get("timestamp")), moment(told.get("timestamp"))
    if typed != said or first is None or later is None:
        return typed == said
    return _TAKEN_UP_SECONDS[0] <= (later - first).total_seconds() <= _TAKEN_UP_SECONDS[1]


def _session_id(records: list[Document], stem: str) -> str:
    named = once(text(record, "sessionId") for record in records)
    return stem if stem in named or not named else named[-1]


def _chains(records: list[Document]) -> tuple[list[Document], list[list[Document]]]:
    """(the main line, each sidechain) of a file."""
    main = _ordered([record for record in records if not record.get("isSidechain")])
    sides = _ordered([record for record in records if record.get("isSidechain")])
    inside = {record["uuid"] for record in sides}
    chains = list[list[Document]]()
    for record in sides:
        if chains and record.get("parentUuid") in inside:
            chains[-1].append(record)
        else:
            chains.append([record])
    return main, chains


def _ordered(records: list[Document]) -> list[Document]:
    """Parents before children, each branch whole, otherwise as in the file. Nothing is left out: an answer that the
    user went back behind was given all the same."""
    known = {record["uuid"] for record in records}
    below: defaultdict[str, list[Document]] = defaultdict(list)
    for record in records:
        parent = text(record, "parentUuid")
        below[parent if parent in known and parent != record["uuid"] else ""].append(record)
    ordered, seen = list[Document](), set[str]()
    waiting = below[""][::-1]
    while waiting:
        record = waiting.pop()
        if record["uuid"] not in seen:
            seen.add(record["uuid"])
            ordered.append(record)
            waiting += below[record["uuid"]][::-1]
    return ordered + [record for record in records if record["uuid"] not in seen]  # a ring of parents has no root


def _merged(main: list[Document], sides: list[list[Document]]) -> Iterator[Document]:
    """Each sidechain, in one piece, before the first record of the main line that is later than its start."""
    waiting = sorted(sides, key=lambda chain: text(chain[0], "timestamp"))
    for record in main:
        while waiting and text(waiting[0][0], "timestamp") < text(record, "timestamp"):
            yield from waiting.pop(0)
        yield record
    for chain in waiting:
        yield from chain


def _tell(talk: Conversation, records: list[Document]) -> None:
    last_record = {_answer_id(record): record["uuid"] for record in records if record.get("type") == "assistant"}
    last_message = dict[str, Document]()
    for record in records:
        if record.get("type") == "user":
            _tell_user(talk, record)
            continue
        answer = _answer_id(record)
        if message := _tell_agent(talk, record):
            last_message[answer] = message
        if last_record[answer] == record["uuid"] and answer in last_message:
            add_usage(last_message[answer], _usage(child(record, "message")))


def _answer_id(record: Document) -> str:
    """Records of one answer share its id, and each repeats the answer's tokens so far: the last one counts."""
    return text(child(record, "message"), "id") or str(record["uuid"])


def _tell_user(talk: Conversation, record: Document) -> None:
    content = child(record, "message").get("content")
    is_sidechain = bool(record.get("isSidechain"))
    tell_results(talk, content)
    words = joined(content, "text")
    at, key = record.get("timestamp"), text(record, "uuid")
    if record.get("isCompactSummary"):  # the program's summary of what came before, in the user's name
        talk.say(words, kind="thinking", at=at, key=key)
    elif not record.get("isMeta") and not words.startswith(_OUTPUT_OF_COMMANDS):
        talk.hear(words, at=at, key=key, is_sidechain=is_sidechain)


def _tell_agent(talk: Conversation, record: Document) -> Document | None:
    message = child(record, "message")
    about: About = {
        "at": record.get("timestamp"),
        "key": text(record, "uuid"),
        "is_sidechain": bool(record.get("isSidechain")),
    }
    where = {"_cwd": talk.cwd} if talk.cwd else {}
    return tell_answer(talk, message.get("content"), text(message, "model"), about, where)


def _usage(message: Document) -> dict[str, int]:
    usage = child(message, "usage")
    return {ours: count(usage, theirs) for ours, theirs in _USAGE.items()}


def _first(records: list[Document], name: str) -> str | None:
    return next((value for record in records if (value := text(record, name))), None)


def _version(records: list[Document]) -> str:
    return _first(records, "version") or "unknown"


def _summary(records: Sequence[Document]) -> str | None:
    """A name that the user or the program gave the session; the newest counts, the user's before the program's. A file
    may begin with summaries of other sessions: one of this session names a message of its own."""
    known = {text(record, "uuid") for record in records} - {""}
    given = {
        kind: record
        for record in records
        if (kind := text(record, "type")) != "summary" or text(record, "leafUuid") in known
    }
    for kind, name in (("custom-title", "customTitle"), ("ai-title", "aiTitle"), ("summary", "summary")):
        if said := text(as_document(given.get(kind)), name):
            return said
    return None
