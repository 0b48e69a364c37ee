"""Tells one of Copilot's answers: a list of parts. What a tool was given and what it returned stands apart from them.

Knows how VS Code writes an answer, nothing of files and sessions.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from specloop.record.sessions.importers.conversation import About, Conversation
from specloop.record.sessions.importers.fields import as_document, as_list, child, children, decoded, json_text, text
from specloop.record.sessions.importers.model import Document

_CALL_SUFFIX = "__vscode-"
_BARE_FENCE = re.compile(r"\s*`{3,}[^\s`]*\s*")
_EDITS = ("textEditGroup", "notebookEditGroup")
_DENIED = 0


class CopilotAnswer:
    """Tells the parts of one answer to a conversation."""

    def __init__(self, talk: Conversation, request: Document, about: About) -> None:
        self._talk = talk
        self._about = about
        self._parts = [as_document(part) for part in as_list(request.get("response"))]
        chosen = (name for part in reversed(self._parts) if (name := text(part, "resolvedModel")))
        self._model = next(chosen, "") or text(request, "modelId")
        metadata = child(child(request, "result"), "metadata")
        self._results = child(metadata, "toolCallResults")
        self._invocations = {_key(part, place): part for place, part in enumerate(self._parts) if _is_tool(part)}
        self._calls = _paired(list(self._invocations), metadata)
        self._words = list[str]()
        self._is_chip_last = True
        self._last: Document | None = None

    def tell(self) -> Document | None:
        """Tells all parts; returns the last message made."""
        for place, part in enumerate(self._parts):
            match part.get("kind"):
                case None:
                    self._write(text(part, "value"))
                case "markdownVuln":
                    self._write(text(child(part, "content"), "value"))
                case "inlineReference":
                    self._write(_chip(part), is_chip=True)
                case "thinking":
                    self._flush()
                    self._say("\n\n".join(_texts(part.get("value"))), "thinking")
                case "toolInvocationSerialized":
                    self._tool(_key(part, place))
                case kind if kind in _EDITS:
                    self._flush()
                    edit = {"filePath": _uri_path(part.get("uri")), "edits": as_list(part.get("edits"))}
                    self._last = self._talk.call(kind, edit, model=self._model, **self._about)
                case _:
                    continue
        self._flush()
        return self._last

    def _write(self, words: str, *, is_chip: bool = False) -> None:
        """A piece of text; a mention of a file stands within a sentence, other pieces are paragraphs. A fence alone
        only frames an edit."""
        if not words or _BARE_FENCE.fullmatch(words):
            return
        self._words += [words] if is_chip or self._is_chip_last else ["\n\n", words]
        self._is_chip_last = is_chip

    def _flush(self) -> None:
        self._say("".join(self._words))
        self._words.clear()
        self._is_chip_last = True

    def _say(self, words: str, kind: str = "text") -> None:
        self._last = self._talk.say(words, kind=kind, model=self._model, **self._about) or self._last

    def _tool(self, key: str) -> None:
        """A tool at its first place, as it was in the end: a part may stand there again with every new state."""
        part = self._invocations.pop(key, None)
        if part is None or part.get("presentation") == "hidden":
            return
        self._flush()
        call = self._calls.get(key, {})
        about: About = {
            **self._about,
            "is_sidechain": bool(part.get("subAgentInvocationId") or part.get("fromSubAgent")),
        }
        details = as_document(part.get("resultDetails"))
        tool_input = decoded(call.get("arguments")) or decoded(details.get("input")) or _command(part)
        use_id = text(part, "toolCallId")
        name = text(call, "name") or text(part, "toolId")
        self._last = self._talk.call(name, tool_input, use_id=use_id, model=self._model, **about)
        self._last["tool"]["output"] = _output(part, child(self._results, text(call, "id")))


def _is_tool(part: Document) -> bool:
    return part.get("kind") == "toolInvocationSerialized"


def _key(part: Document, place: int) -> str:
    return text(part, "toolCallId") or str(place)


def _paired(keys: list[str], metadata: Document) -> dict[str, Document]:
    """What the model called, by the tools' ids. Older versions gave ids of their own: there the order tells."""
    calls = [call for each in children(metadata, "toolCallRounds") for call in children(each, "toolCalls")]
    by_id = {text(call, "id").partition(_CALL_SUFFIX)[0]: call for call in calls}
    return by_id if any(key in by_id for key in keys) else dict(zip(keys, calls, strict=False))


def _command(part: Document) -> Document:
    data = child(part, "toolSpecificData")
    command = text(child(data, "commandLine"), "userEdited", "toolEdited", "original") or text(data, "command")
    return {"command": command} if command else {}


def _output(part: Document, result: Document) -> Document:
    details = as_document(part.get("resultDetails"))
    terminal = child(part, "toolSpecificData")
    said = [_value_text(each.get("value")) for each in children(result, "content")]
    shown = [text(each, "value") for each in children(details, "output") if not each.get("mimeType")]
    code = child(terminal, "terminalCommandState").get("exitCode")
    exit_code = {"exit_code": code} if isinstance(code, int) and not isinstance(code, bool) else {}
    words = "\n".join(filter(None, said)) or "\n".join(filter(None, shown))
    return {
        "content": words or text(child(terminal, "terminalCommandOutput"), "text"),
        "is_error": bool(details.get("isError")) or _was_denied(part) or any(exit_code.values()),
        **exit_code,
    }


def _was_denied(part: Document) -> bool:
    confirmed = part.get("isConfirmed")
    return confirmed is False or ("type" in as_document(confirmed) and as_document(confirmed)["type"] == _DENIED)


def _value_text(value: Any) -> str:
    """A result as it is, the texts of a tree of them, or anything else as JSON."""
    if isinstance(value, str):
        return value
    words, nodes = "", [as_document(value).get("node")]
    while nodes:
        node = as_document(nodes.pop())
        words += ("\n" if node.get("lineBreakBefore") and words else "") + text(node, "text")
        nodes += as_list(node.get("children"))[::-1]
    return words or (json_text(value) if value is not None else "")


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [each for each in as_list(value) if isinstance(each, str)]


def _chip(part: Document) -> str:
    target = child(part, "inlineReference")
    name = text(part, "name") or text(target, "name") or PurePosixPath(_uri_path(target.get("uri") or target)).name
    return f"`{name}`" if name else ""


def _uri_path(uri: Any) -> str:
    return text(as_document(uri), "fsPath", "path")
