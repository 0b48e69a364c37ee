"""Tool calls as a reader wants to see them: edits as diffs, to-do lists as lists, commands above their output.

Pure; tolerant of every agent's spelling. What is not understood is shown as the agent wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from specloop.app.web import diff
from specloop.app.web.recorded.highlight import language_of
from specloop.app.web.recorded.words import one_line, plain, squeezed
from specloop.record.sessions.transcript import Tool, output_text

BlockKind = Literal["code", "diff", "todos", "facts", "markdown", "output"]
CODE_MAX: Final = 40_000
DIFF_MAX: Final = 60_000
VALUE_MAX: Final = 4_000
FACTS_MAX: Final = 40
PATH_MAX: Final = 64
_PATHS: Final = ("file_path", "path", "filePath", "notebook_path", "relative_workspace_path", "target_file", "filename")
_BEFORE: Final = ("old_string", "oldString", "old_str", "oldText", "old_text")
_AFTER: Final = ("new_string", "newString", "new_str", "newText", "new_text")
_CONTENT: Final = ("content", "file_text", "contents", "code_edit", "new_source")
_COMMAND: Final = ("command", "cmd", "script")
_PATCH: Final = ("patch", "input", "diff")
_SUMMARY: Final = ("pattern", "query", "url", "description", "subject", "prompt", "title", "question", "skill", "name")
_NUMBERED: Final = re.compile(r"^\s*(\d+)(?:→|\t)(.*)$")
_TODO: Final = re.compile(r"^\s*[-*] \[(.)\] (.*)$", re.MULTILINE)
_STATES: Final = {"x": "done", "X": "done", "✓": "done", "⚡": "doing", "~": "doing"}
_STATUS: Final = {"completed": "done", "done": "done", "in_progress": "doing", "cancelled": "done"}
_TOLD: Final = frozenset({*_PATHS, "pattern", "query", "_cwd"})
"""What the line above the call says already."""
_PICTURES: Final = re.compile("^(?:🔥|🌡️|❄️)\\s*")


@dataclass(frozen=True, slots=True)
class Todo:
    """One task of a list; `state` is `open`, `doing` or `done`."""

    text: str
    state: str


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a call: `text` is code, output or markdown, `rows` a diff, `todos` tasks, `facts` named values."""

    kind: BlockKind
    text: str = ""
    label: str = ""
    language: str = ""
    rows: Sequence[diff.Row] = ()
    todos: Sequence[Todo] = ()
    facts: Sequence[tuple[str, str]] = ()

    @property
    def size(self) -> int:
        """About how many characters it takes to show."""
        rows = sum(len(piece.text) + 60 for row in self.rows for piece in row.pieces)
        todos = sum(len(one.text) + 60 for one in self.todos)
        return len(self.text) + rows + todos + sum(len(name) + len(value) for name, value in self.facts)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call: what it is called, what it was about in one line, and its parts."""

    name: str
    kind: str
    about: str
    is_error: bool
    blocks: Sequence[Block]
    added: int = 0
    removed: int = 0

    @property
    def size(self) -> int:
        """About how many characters it takes to show."""
        return sum(block.size for block in self.blocks)

    @property
    def is_edit(self) -> bool:
        """Whether its point is a change of files."""
        return any(block.kind == "diff" or "```diff\n" in block.text for block in self.blocks if block.kind != "output")


def call_of(tool: Tool, workspace_root: str | None = None) -> Call:
    """The call as it is shown."""
    path = shortened(_first(tool.input, _PATHS), workspace_root)
    blocks = list(_blocks(tool, path))
    rows = [row.kind for block in blocks for row in block.rows]
    about = _about(tool, path, blocks)
    name = squeezed(tool.name, 60) or "tool"
    return Call(name, tool.kind, about, tool.is_error, blocks, rows.count("add"), rows.count("del"))


def shortened(path: str, workspace_root: str | None) -> str:
    """A path below the project's folder without that folder."""
    path = plain(path)
    root = (workspace_root or "").rstrip("/")
    return path[len(root) + 1 :] if root and path.startswith(root + "/") else path.removeprefix("./")


def tail_of(path: str) -> str:
    """The end of a long path: its last parts say most."""
    if len(path) <= PATH_MAX:
        return path
    tail = path[-PATH_MAX:]
    return "…/" + tail.partition("/")[2] if "/" in tail else "…" + tail


def _about(tool: Tool, path: str, blocks: Sequence[Block]) -> str:
    if any(block.kind == "todos" for block in blocks):
        todos = next(block.todos for block in blocks if block.kind == "todos")
        return f"{sum(one.state == 'done' for one in todos)} of {len(todos)} done"
    command = _first(tool.input, _COMMAND)
    if command:
        return squeezed(_first(tool.input, ("description",)), 120) or squeezed(command, 120)
    pattern = squeezed(_first(tool.input, ("pattern", "query")), 80)
    if pattern or path:
        return f"{pattern} in {tail_of(path)}" if pattern and path not in {"", "."} else pattern or tail_of(path)
    if tool.summary:
        return one_line(tool.summary, 120)
    told = _first(tool.input, _SUMMARY) or next((block.label for block in blocks if block.kind == "diff"), "")
    return squeezed(told, 120) or one_line(re.sub(r"^```\w*", "", tool.formatted_markdown or ""), 120)


def _blocks(tool: Tool, path: str) -> Iterator[Block]:
    source = tool.input
    todos = _todos(tool)
    edits = list(_edits(source))
    patch = next((text for name in _PATCH if _is_patch(text := _text(source, name))), "")
    command = _first(source, _COMMAND)
    is_shown = True
    if todos:
        yield Block("todos", todos=todos)
        return
    if edits:
        for before, after in edits:
            yield Block("diff", label=path, rows=rows_between(before, after))
    elif patch:
        yield from patch_blocks(patch)
    elif command:
        yield Block("code", plain(command)[:CODE_MAX], language="bash")
    elif content := _first(source, _CONTENT):
        yield Block("code", plain(content), label=path, language=language_of(path))
    else:
        is_shown = False
    yield from _result(tool, path, is_shown=is_shown)


def _result(tool: Tool, path: str, *, is_shown: bool) -> Iterator[Block]:
    """What came back, and the input where nothing better is known of it."""
    output = output_text(tool.output)
    written = tool.formatted_markdown or ""
    if not is_shown and written and not (output and tool.kind in {"read", "search"}):
        yield Block("markdown", plain(written))
        return
    is_told = is_shown or (tool.kind in {"read", "search"} and tool.input.keys() <= _TOLD)
    facts = [] if is_told else _facts(tool.input)
    if facts:
        yield Block("facts", facts=facts)
    if output.strip():
        yield _output(plain(output).strip("\n"), path, is_error=tool.is_error)
    elif tool.output and not output:
        rest = {name: value for name, value in tool.output.items() if name not in {"is_error", "isError"}}
        if any(rest.values()):
            yield Block("facts", facts=_facts(rest), label="Result")


def _output(output: str, path: str, *, is_error: bool) -> Block:
    """Files come with numbers in front of their lines; without them the code has its colours."""
    lines = output.split("\n")
    numbered = [_NUMBERED.match(line) for line in lines]
    if (
        path
        and lines
        and numbered[0]
        and all(match or not line.strip() for match, line in zip(numbered, lines, strict=True))
    ):
        first = next(match[1] for match in numbered if match)
        code = "\n".join(match[2] if match else "" for match in numbered)
        label = "" if first == "1" else f"from line {first}"
        return Block("code", code, label=label, language=language_of(path))
    return Block("output", output, label="Error" if is_error else "")


def _todos(tool: Tool) -> list[Todo]:
    for name in ("todos", "plan", "items", "tasks"):
        given = tool.input.get(name)
        if isinstance(given, list):
            found = [
                _todo(cast("Mapping[str, Any]", one)) for one in cast("list[Any]", given) if isinstance(one, Mapping)
            ]
            if found and all(one.text for one in found):
                return found
    if tool.kind != "task" or not tool.formatted_markdown:
        return []
    return [
        Todo(_PICTURES.sub("", plain(text)).strip(), _STATES.get(box, "open"))
        for box, text in _TODO.findall(tool.formatted_markdown)
    ]


def _todo(one: Mapping[str, Any]) -> Todo:
    text = _first(one, ("content", "step", "title", "text", "description", "subject"))
    return Todo(plain(text)[:VALUE_MAX], _STATUS.get(str(one.get("status", "")).lower(), "open"))


def _edits(source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of text before and after: of the call itself, or of its list of edits."""
    if any(name in source for name in _AFTER) and any(name in source for name in _BEFORE):
        yield _first(source, _BEFORE), _first(source, _AFTER)
    for name in ("edits", "replacements", "changes"):
        given = source.get(name)
        if isinstance(given, list):
            for one in cast("list[Any]", given):
                if isinstance(one, Mapping):
                    yield from _edits(cast("Mapping[str, Any]", one))


def rows_between(before: str, after: str) -> list[diff.Row]:
    """The rows between two texts; of very long ones that all lines went and came, for a diff would take minutes."""
    before, after = plain(before), plain(after)
    if len(before) + len(after) <= DIFF_MAX:
        return diff.rows_between(before, after)
    lines = [*(f"-{line}" for line in before.splitlines()), *(f"+{line}" for line in after.splitlines())]
    return unified("\n".join(lines[: 2 * VALUE_MAX]))


def unified(text: str) -> list[diff.Row]:
    """The rows of a unified diff; a long one is not searched for changed words."""
    if len(text) <= DIFF_MAX:
        return diff.rows_of_unified(text)
    return diff.rows_of_unified(text[:DIFF_MAX])


def _is_patch(text: str) -> bool:
    head = text[:2_000]
    return "*** Begin Patch" in head or head.startswith(("diff --git", "--- ", "@@ "))


def patch_blocks(patch: str) -> Iterator[Block]:
    """One diff for each file of a patch, in the form of `apply_patch` or of git."""
    label, lines = "", list[str]()
    for line in plain(patch).splitlines():
        found = re.match(r"\*\*\* (?:Add|Update|Delete) File: (.+)|diff --git a/\S+ b/(.+)", line)
        if found:
            if any(text.startswith(("+", "-")) for text in lines):
                yield Block("diff", label=label, rows=unified("\n".join(lines)))
            label, lines = found[1] or found[2], []
        elif not line.startswith(("*** ", "index ", "new file mode", "deleted file mode")):
            lines.append(line if line[:1] in "+-@ " and line else " " + line)
    if any(text.startswith(("+", "-")) for text in lines):
        yield Block("diff", label=label, rows=unified("\n".join(lines)))


def _facts(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (plain(str(name))[:200], plain(diff.as_text(value))[:VALUE_MAX])
        for name, value in list(source.items())[:FACTS_MAX]
        if not str(name).startswith("_") and value not in (None, "")
    ]


def _first(source: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((text for name in names if (text := _text(source, name))), "")


def _text(source: Mapping[str, Any], name: str) -> str:
    """A text, or a command given as a list of words."""
    value: Any = source.get(name)
    if isinstance(value, list) and name in _COMMAND:
        return " ".join(str(word) for word in cast("list[Any]", value))
    return value if isinstance(value, str) else ""
