"""Bodies of Claude Code's own tools, for transcripts that bring none: one small formatter each (specstory.md §7.2).

A formatter shows the input; the result follows in a fence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, cast

from specloop.record.sessions.transcript.failures import output_text
from specloop.record.sessions.transcript.model import Tool
from specloop.record.sessions.transcript.render.fence import fence, inline

Formatter = Callable[[Mapping[str, Any]], str]

_LANGUAGES = {"js": "javascript", "ts": "typescript", "py": "python", "rb": "ruby", "yml": "yaml"}
_BOXES = {"in_progress": "- [⚡]", "completed": "- [X]"}
_PRIORITIES = {"high": "🔥", "medium": "🌡️", "low": "❄️"}


def claude_body(tool: Tool) -> str | None:
    """The body of a tool that Claude Code brings, None for any other tool."""
    formatter = _FORMATTERS.get(tool.name)
    if formatter is None:
        return None
    shown = formatter(tool.input)
    result = "" if tool.name in _SHOW_NO_RESULT else output_text(tool.output)
    blocks = [block for block in (shown, fence(result, "text") if result else "") if block]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _bash(source: Mapping[str, Any]) -> str:
    command, description = _text(source, "command"), _text(source, "description")
    shown = fence(command, "bash") if "\n" in command else inline(command)
    return "\n\n".join(block for block in (description, shown if command else "") if block)


def _write(source: Mapping[str, Any]) -> str:
    suffix = PurePath(_text(source, "file_path")).suffix.removeprefix(".")
    content = _text(source, "content")
    return "\n" + fence(content, _LANGUAGES.get(suffix, suffix)) if content else ""


def _file(source: Mapping[str, Any]) -> str:
    path = _text(source, "file_path") or _text(source, "notebook_path")
    return f" {inline(_relative(path, source))}" if path else ""


def _search(source: Mapping[str, Any]) -> str:
    path = _text(source, "path")
    shown = {"path": _relative(path, source) if path else ""}
    shown |= {key: _text(source, key) for key in ("pattern", "include")}
    return "".join(f" {key} {inline(value)}" for key, value in shown.items() if value)


def _field(key: str) -> Formatter:
    def show(source: Mapping[str, Any]) -> str:
        value = _text(source, key)
        return f" {inline(value)}" if value else ""

    return show


def _todos(source: Mapping[str, Any]) -> str:
    lines = [_todo(todo) for todo in _objects(source.get("todos"))]
    return "\n".join(["**Agent task list:**", *lines]) if lines else ""


def _todo(todo: Mapping[str, Any]) -> str:
    box = _BOXES.get(_text(todo, "status"), "- [ ]")
    sign = _PRIORITIES.get(_text(todo, "priority") or "medium", "")
    return f"{box} {sign} {_text(todo, 'content')}"


def _questions(source: Mapping[str, Any]) -> str:
    return "\n\n".join(_question(each) for each in _objects(source.get("questions")) if _text(each, "question"))


def _question(source: Mapping[str, Any]) -> str:
    several = " _(select multiple)_" if source.get("multiSelect") is True else ""
    options = [_option(each) for each in _objects(source.get("options")) if _text(each, "label")]
    lines = [f"**{_text(source, 'question')}**{several}", *(["", "Options:", *options] if options else [])]
    return "\n".join(lines)


def _option(source: Mapping[str, Any]) -> str:
    description = _text(source, "description")
    return f"- **{_text(source, 'label')}**" + (f" - {description}" if description else "")


def _relative(path: str, source: Mapping[str, Any]) -> str:
    """The path as seen from the working directory that the client notes as `_cwd`."""
    root = _text(source, "_cwd").rstrip("/")
    if root and (path == root or path.startswith(root + "/")):
        return "./" + path[len(root) + 1 :]
    return path


def _text(source: Mapping[str, Any], key: str) -> str:
    value = source.get(key)
    return value if isinstance(value, str) else ""


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for each in cast("list[object]", value):
            if isinstance(each, Mapping):
                yield cast("Mapping[str, Any]", each)


_SHOW_NO_RESULT = frozenset({"TodoWrite"})
_FORMATTERS: dict[str, Formatter] = {
    "AskUserQuestion": _questions,
    "Bash": _bash,
    "Edit": _file,
    "Glob": _search,
    "Grep": _search,
    "MultiEdit": _file,
    "NotebookEdit": _file,
    "Read": _file,
    "TodoWrite": _todos,
    "WebFetch": _field("url"),
    "WebSearch": _field("query"),
    "Write": _write,
}
