"""Messages and their parts, in one form for every convention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

PartKind = Literal["text", "reasoning", "tool_call", "tool_result", "media"]


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One piece of a message. `name` and `call_id` belong to tool calls and results.

    The `content` of text and reasoning is a text; of the other kinds it is text or JSON.
    """

    kind: PartKind
    content: Any
    name: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """Who said what: `role` is system, user, assistant, tool, or what the sender called it."""

    role: str
    parts: Sequence[MessagePart]
    is_output: bool = False
