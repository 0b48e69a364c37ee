"""Reads one `<tool-use>` block: name and type are certain, input and output are what the formatters left (§7.2)."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from specloop.record.sessions.transcript.failures import is_failure_text
from specloop.record.sessions.transcript.model import Tool

_ATTRIBUTE = re.compile(r'data-tool-(type|name)="([^"]{0,500})"')
_NAMED = re.compile(r"Tool use: \*\*(.{1,300}?)\*\*[ \t]*(.*)", re.DOTALL)
_LABELLED = re.compile(r"\b(path|pattern|include|glob|url|query|URL|Query)[: ]+`([^`]*)`")
_PATCHED = re.compile(r"\*\*(?:Add|Update|Delete|Move)[^:*]{0,20}: `([^`]+)`\*\*")
_VERBED = re.compile(r"• (Read|Edit|Write|Create|Delete) file: (.+)|• Run command: (.+)", re.DOTALL)
_FENCE = re.compile(r"[ \t]*(`{3,})([^`]*)")
_LED_FENCE = re.compile(r"(Input|Output|Result)(?: \(truncated\))?: (`{3,})[\w-]*")
"""A fence behind words, as Codex CLI's formatter writes it; no fence for markdown."""
_RESULT_LABEL = re.compile(r"\*\*(Result|Error|Output):\*\*")
# Edits leave no input in the markdown, but the result of a successful one names the file.
_WRITTEN = re.compile(r"(?:The file|File created successfully at:) ([^\n]{1,1024}?)(?: has been |\n|$)")
_PLAIN = {"", "text", "json"}
_CLOSING_TAGS = re.compile(r"(?:</details>\s*)?</tool-use>\s*$")


def read_tool(lines: Sequence[str]) -> Tool:
    """The tool call of a block whose first line opens `<tool-use`; nothing between summary and end is lost."""
    text = _CLOSING_TAGS.sub("", "\n".join(lines)).rstrip("\n ")
    opening, _, rest = text.partition(">")
    attributes = {key: html.unescape(value) for key, value in _ATTRIBUTE.findall(opening)}
    summary, body = _split_summary(rest)
    named = _NAMED.fullmatch(summary)
    name = attributes.get("name") or (named[1] if named else summary) or "unknown"
    extra = (named[2] if named else "").strip()
    kind = attributes.get("type") or "unknown"
    result = _find_result(body)
    is_error = result is not None and (result[1] or is_failure_text(result[0]))
    return Tool(
        name=name,
        kind=kind,
        input=_read_input(kind, extra, body, None if result is None else result[0]),
        output=None if result is None else {"content": result[0], "is_error": is_error},
        summary=extra or None,
        formatted_markdown="\n".join(body) or None,
        is_error=is_error,
    )


def _split_summary(rest: str) -> tuple[str, list[str]]:
    """The text of `<summary>` and the lines after it."""
    head, found, tail = rest.partition("</summary>")
    if not found:
        body = rest.strip().removeprefix("<details>").strip("\n").split("\n")
        return "", body if any(body) else []
    before, _, summary = head.partition("<summary>")
    body = [*before.replace("<details>", "").strip().split("\n"), *tail.strip("\n").split("\n")]
    # Editor extensions escape the summary and put `<details>` on its own line; the command line does neither.
    text = summary.strip() if rest.startswith("<details>") else html.unescape(summary.strip())
    return text, _without_blank_ends(body)


def _without_blank_ends(lines: list[str]) -> list[str]:
    first, last = 0, len(lines)
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    return lines[first:last]


def _read_input(kind: str, extra: str, body: Sequence[str], result: str | None) -> Mapping[str, Any]:
    found: dict[str, Any] = _read_items(body)
    if found:
        return found
    found.update(_read_verb(extra))
    head = _head(body)
    found.update({label.lower(): value for line in head for label, value in _LABELLED.findall(line)})
    paths = [path for line in body if line.startswith("**") for path in _PATCHED.findall(line)]
    if paths:
        found["paths"] = paths
    for index, line in enumerate(body[:10]):
        led = _LED_FENCE.fullmatch(line)
        if led and led[1] == "Input":
            found["input"] = "\n".join(body[index + 1 : _closing(body, index, len(led[2]))])
    code = _code_span(extra) or _first_bash(body) or _only_code(head)
    key = {"shell": "command", "read": "path", "write": "path"}.get(kind)
    if code is not None and key is not None:
        found.setdefault(key, code)
    if kind == "write" and result is not None:
        written = _WRITTEN.match(result)
        if written:
            found.setdefault("path", written[1])
    return found


def _head(body: Sequence[str]) -> list[str]:
    """The lines before the first fence, at most ten: what the formatters say of the input."""
    head: list[str] = []
    for line in body[:10]:
        if _FENCE.fullmatch(line):
            break
        head.append(line[:4000])
    return head


def _only_code(lines: Sequence[str]) -> str | None:
    return next((code for code in map(_code_span, lines) if code), None)


def _code_span(text: str) -> str | None:
    """The content of a text that is inline code from end to end, None for any other text.

    The client puts single marks around commands that hold backticks themselves, so only the ends count.
    """
    tight = text.strip()
    length = len(tight) - len(tight.lstrip("`"))
    marks = "`" * length
    if length == 0 or len(tight) <= 2 * length or not tight.endswith(marks):
        return None
    inner = tight[length:-length]
    is_padded = length > 1 and inner.startswith(" ") and inner.endswith(" ") and inner.strip()
    return inner[1:-1] if is_padded else inner


def _first_bash(body: Sequence[str]) -> str | None:
    """A command of several lines: the first fence, when it is one of a shell."""
    for index, line in enumerate(body[:10]):
        fence = _FENCE.fullmatch(line) if "```" in line else None
        if fence:
            is_shell = fence[2].strip() in {"bash", "sh", "shell"}
            return "\n".join(body[index + 1 : _closing(body, index, len(fence[1]))]) if is_shell else None
    return None


def _read_items(body: Sequence[str]) -> dict[str, Any]:
    """The generic list below `**Input:**`: a value with line breaks stands in a fence below its key."""
    if not _is_listing(body):
        return {}
    found: dict[str, Any] = {}
    index, key = 1, None
    while index < len(body) and not _RESULT_LABEL.fullmatch(body[index].strip()):
        fence = _FENCE.fullmatch(body[index]) if "```" in body[index] else None
        item = _read_item(body[index])
        if fence and key is not None:
            closing = _closing(body, index, len(fence[1]))
            found[key] = "\n".join(body[index + 1 : closing])
            index, key = closing, None
        elif item:
            found[item[0]] = item[1]
        elif body[index].startswith("- ") and body[index].endswith(":"):
            key = body[index][2:-1]
        index += 1
    return found


def _is_listing(body: Sequence[str]) -> bool:
    return bool(body) and body[0].strip() == "**Input:**"


def _read_item(line: str) -> tuple[str, str] | None:
    """Key and value of a line ``- key: `value` ``."""
    key, found, rest = line.partition(": `")
    if not found or not key.startswith("- "):
        return None
    return key[2:], _code_span("`" + rest) or ""


def _read_verb(extra: str) -> dict[str, str]:
    """The summaries of editor extensions: "• Read file: PATH", "• Run command: TEXT"."""
    verb = _VERBED.fullmatch(extra)
    if verb is None:
        return {}
    return {"path": verb[2].strip()} if verb[2] else {"command": verb[3].strip()}


def _find_result(body: Sequence[str]) -> tuple[str, bool] | None:
    """The result's text and whether it is labelled an error, None when the block shows no result.

    The first plain fence opens it and the last fence line of the block closes it: results hold fences of their own,
    and not every formatter makes the outer one longer.
    """
    index, is_error, is_input = 0, False, _is_listing(body)
    while index < len(body):
        line = body[index]
        if _RESULT_LABEL.fullmatch(line.strip()):
            is_error, is_input = "Error" in line, False
        fence = _FENCE.fullmatch(line) if "```" in line else None
        led = _LED_FENCE.fullmatch(line) if "```" in line else None
        if led and led[1] == "Input":
            index = _closing(body, index, len(led[2])) + 1
        elif led or (fence and fence[2].strip() in _PLAIN and not is_input):
            return "\n".join(body[index + 1 : _last_fence(body, index)]), is_error
        else:
            index = _closing(body, index, len(fence[1])) + 1 if fence else index + 1
    return None


def _closing(body: Sequence[str], opening: int, length: int) -> int:
    for index in range(opening + 1, len(body)):
        line = body[index].strip()
        if line.startswith("```") and not line.strip("`") and len(line) >= length:
            return index
    return len(body)


def _last_fence(body: Sequence[str], opening: int) -> int:
    for index in range(len(body) - 1, opening, -1):
        line = body[index].strip()
        if line.startswith("```") and not line.strip("`"):
            return index
    return len(body)
