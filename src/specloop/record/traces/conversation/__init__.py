"""What was said in a span, in one form, whatever convention the sender speaks (spectral.md §6.2, content).

Read when a span is shown; nothing of it is stored a second time. Every reader takes what it understands and leaves the
rest: a value of an unknown form becomes a message with its text, as it was sent. Nothing that a sender stores may make
this module raise, so depth and numbers in attribute names are bounded.
"""

from __future__ import annotations

from specloop.record.traces.conversation.model import ChatMessage, MessagePart
from specloop.record.traces.conversation.readers import messages_of

__all__ = ["ChatMessage", "MessagePart", "messages_of"]
