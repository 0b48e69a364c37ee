"""Tells a conversation the content blocks that several agents share: text, thinking, tool calls and their results."""

from __future__ import annotations

from typing import Any

from specloop.record.sessions.importers.conversation import About, Conversation
from specloop.record.sessions.importers.fields import as_document, children, joined, text
from specloop.record.sessions.importers.model import Document


def tell_results(talk: Conversation, content: Any) -> None:
    """The results of tools that stand in a message, which is the user's in name only."""
    for block in children({"content": content}, "content"):
        if block.get("type") == "tool_result":
            is_error = bool(block.get("is_error") or block.get("isError"))
            output = {"content": joined(block.get("content")), "is_error": is_error}
            talk.answer(text(block, "tool_use_id", "toolUseId"), output)


def tell_answer(
    talk: Conversation, content: Any, model: str, about: About, more_input: Document | None = None
) -> Document | None:
    """What the agent says, thinks and calls; `more_input` goes to every call. Returns the last message made."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else children({"_": content}, "_")
    last: Document | None = None
    for block in blocks:
        match block.get("type"):
            case "text":
                last = talk.say(text(block, "text"), model=model, **about) or last
            case "thinking":
                last = talk.say(text(block, "thinking"), kind="thinking", model=model, **about) or last
            case "tool_use" | "server_tool_use":
                tool_input = {**as_document(block.get("input")), **(more_input or {})}
                last = talk.call(text(block, "name"), tool_input, use_id=text(block, "id"), model=model, **about)
            case _:
                continue
    return last
