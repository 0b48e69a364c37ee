"""Messages of a span as bubbles: text as it is, thinking folded, tool calls with arguments, results beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from specloop.app.web import diff
from specloop.record.traces.conversation import ChatMessage, MessagePart

TEXT_MAX: Final = 20_000
PAIRS_MAX: Final = 12
PAIR_LENGTH_MAX: Final = 160


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a message. `pairs` are the members of a small flat object; else `text` says it all."""

    kind: str
    text: str
    name: str = ""
    call_id: str = ""
    pairs: Sequence[tuple[str, str]] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A message: who, in or out, and its pieces."""

    role: str
    is_output: bool
    pieces: Sequence[Piece]


def talk_of(messages: Sequence[ChatMessage]) -> list[Said]:
    """The messages for the page, without empty ones."""
    said = [Said(one.role[:60], one.is_output, [_piece(part) for part in one.parts]) for one in messages]
    return [one for one in said if any(piece.text or piece.pairs or piece.name for piece in one.pieces)]


def _piece(part: MessagePart) -> Piece:
    pairs = _pairs(part.content)
    text = "" if pairs else diff.as_text(part.content)
    return Piece(part.kind, text[:TEXT_MAX], part.name[:200], part.call_id[:200], pairs, len(text) > TEXT_MAX)


def _pairs(content: Any) -> Sequence[tuple[str, str]]:
    """A flat object of a few short values, as names and values."""
    if not isinstance(content, Mapping):
        return ()
    members = cast("Mapping[str, Any]", content)
    texts = [(str(name)[:200], diff.as_text(value)) for name, value in members.items()]
    is_small = 0 < len(texts) <= PAIRS_MAX and all(
        len(text) <= PAIR_LENGTH_MAX and "\n" not in text for _, text in texts
    )
    return texts if is_small else ()
