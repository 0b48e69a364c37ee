"""A transcript as pieces of a page: what is shown at once, what opens on demand, and where the next piece begins.

A session may hold megabytes in one exchange, so a page is cut by weight and not by exchanges. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Final, Literal

from markupsafe import Markup

from specloop.app.web.recorded.calls import Block, Call, call_of
from specloop.app.web.recorded.highlight import LENGTH_MAX
from specloop.app.web.recorded.markup import clean, code_html, diff_html, to_html
from specloop.app.web.recorded.titles import headline, unwrapped
from specloop.app.web.recorded.words import one_line, plain
from specloop.record import prices
from specloop.record.sessions import Exchange
from specloop.record.sessions.transcript import Message, Part, Transcript, TranscriptExchange, Usage
from specloop.record.sessions.transcript.files import files_of, guess_root

ItemKind = Literal["text", "thinking", "call"]
CHUNK_WEIGHT: Final = 36_000
TEXT_MAX: Final = 12_000
INLINE_MAX: Final = 1_200
EDIT_MAX: Final = 5_000
ROWS_OPEN_MAX: Final = 24
OUTLINE_MAX: Final = 400
FULL_MAX: Final = 2_000_000
ITEM_WEIGHT: Final = 450

Place = tuple[int, int]
"""Where a piece begins: the exchange's number from 0, and the item's within it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of an exchange as it is stored: a text, a thought or a call."""

    kind: ItemKind
    message: Message
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as a page shows it; with `is_folded` its body is asked for when somebody opens it."""

    kind: ItemKind
    place: str
    is_user: bool
    is_sidechain: bool
    speaker: str
    html: Markup
    call: Call | None
    size: int
    is_folded: bool
    is_open: bool
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """An exchange in the outline and above its items. `id` is of its row, "" where it cannot be edited."""

    number: int
    title: str
    id: str
    user_title: str
    is_hidden: bool
    has_error: bool
    started_at: datetime | None
    took_ms: float | None
    tokens: int
    usage: Usage
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Section:
    """The items of one exchange within a chunk."""

    heading: Heading
    items: Sequence[ItemView]
    is_continued: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the conversation. `start` and `next` are addresses of pieces: `from` and `skip` in URLs."""

    sections: Sequence[Section]
    start: Place
    next: Place | None
    previous: Place | None

    @property
    def is_last(self) -> bool:
        """Whether the session ends here."""
        return self.next is None


def items_of(exchange: TranscriptExchange) -> list[Item]:
    """Everything in an exchange that can be shown, in order."""
    found: list[Item] = []
    for message in exchange.messages:
        found += [
            Item("text" if part.kind == "text" else "thinking", message, part)
            for part in message.parts
            if part.text.strip()
        ]
        if message.tool is not None:
            found.append(Item("call", message))
    return found


def headings_of(transcript: Transcript, rows: Sequence[Exchange]) -> list[Heading]:
    """The outline; `rows` bring titles and marks when they are of the same exchanges."""
    is_same = len(rows) == len(transcript.exchanges)
    return [
        _heading(number, exchange, rows[number] if is_same else None)
        for number, exchange in enumerate(transcript.exchanges)
    ]


def _heading(number: int, exchange: TranscriptExchange, row: Exchange | None) -> Heading:
    user_title = (row.user_title or "") if row else ""
    took = None
    if exchange.started_at and exchange.ended_at and exchange.ended_at > exchange.started_at:
        took = (exchange.ended_at - exchange.started_at).total_seconds() * 1000
    usage = reduce(add, (message.usage for message in exchange.messages if message.usage), Usage())
    return Heading(
        number=number + 1,
        title=plain(user_title) or first_words(exchange) or "Without words",
        id=row.id if row else "",
        user_title=user_title,
        is_hidden=bool(row and row.is_hidden),
        has_error=row.has_error if row else any(one.tool and one.tool.is_error for one in exchange.messages),
        started_at=exchange.started_at,
        took_ms=took,
        tokens=usage.input + usage.output + usage.cache_read + usage.cache_write + usage.reasoning,
        usage=usage,
        cost_usd=cost_of(exchange),
    )


def first_words(exchange: TranscriptExchange) -> str:
    """What the user wanted, in one line; else what the agent said first."""
    texts = [
        (message.role, part.text) for message in exchange.messages for part in message.parts if part.kind == "text"
    ]
    asked = next((text for role, text in texts if role == "user" and one_line(text)), "")
    return headline(asked or (texts[0][1] if texts else ""))


def cost_of(exchange: TranscriptExchange) -> float | None:
    """US dollars, None when nothing was counted or a price is unknown."""
    total, is_known = Decimal(0), False
    for message in exchange.messages:
        used = message.usage
        if used is None or used.is_empty:
            continue
        everything = used.input + used.cache_read + used.cache_write
        tokens = prices.TokenUsage(
            everything, used.output + used.reasoning, used.cache_read, used.cache_write, used.reasoning
        )
        cost = prices.cost_usd(message.model or "", None, tokens, at=message.timestamp)
        if cost is None:
            return None
        total, is_known = total + cost, True
    return float(total) if is_known else None


def chunk_at(transcript: Transcript, headings: Sequence[Heading], start: Place, agent: str, root: str | None) -> Chunk:
    """The piece that begins at `start`, ready to be shown."""
    items = [items_of(exchange) for exchange in transcript.exchanges]
    start = _inside(items, start)
    end = _end_of(items, start)
    sections: list[Section] = []
    for number in range(start[0], min(end[0] + 1, len(items))):
        first = start[1] if number == start[0] else 0
        last = end[1] if number == end[0] else len(items[number])
        if first < last or (not items[number] and number != end[0]):
            views = [
                view_of(items[number][place], f"{headings[number].number}-{place}", root, agent)
                for place in range(first, last)
            ]
            sections.append(Section(headings[number], views, first > 0))
    return Chunk(sections, start, end if end[0] < len(items) else None, _before(items, start))


def _inside(items: Sequence[Sequence[Item]], start: Place) -> Place:
    number = min(max(start[0], 0), max(len(items) - 1, 0))
    if number != start[0] or not items or start[1] >= len(items[number]):
        return number, 0
    return number, max(start[1], 0)


def _end_of(items: Sequence[Sequence[Item]], start: Place) -> Place:
    """Where the piece after the one from `start` begins; beyond the last exchange when there is none."""
    weight = 0
    for number in range(start[0], len(items)):
        for place in range(start[1] if number == start[0] else 0, len(items[number])):
            weight += weight_of(items[number][place])
            if weight > CHUNK_WEIGHT and (number, place) != start:
                return number, place
    return len(items), 0


def _before(items: Sequence[Sequence[Item]], start: Place) -> Place | None:
    """The beginning of the piece that leads to `start`, counted from the front."""
    if start == (0, 0):
        return None
    here: Place = (0, 0)
    while True:
        following = _end_of(items, here)
        if following >= start:
            return here
        here = following


def weight_of(item: Item) -> int:
    """About how many characters an item brings to the page."""
    if item.part is not None:
        length = len(item.part.text)
        if item.kind == "thinking":
            return ITEM_WEIGHT + (length if length <= INLINE_MAX else 0)
        return ITEM_WEIGHT + min(length, TEXT_MAX) * 5 // 4
    tool = item.message.tool
    told = 0 if tool is None else sum(len(value) for value in tool.input.values() if isinstance(value, str))
    return ITEM_WEIGHT + min(told * 3, EDIT_MAX) // 2


def view_of(item: Item, place: str, root: str | None, agent: str, *, is_full: bool = False) -> ItemView:
    """The item as it is shown; `is_full` shows all of it, whatever it weighs."""
    message = item.message
    call = call_of(message.tool, root) if item.kind == "call" and message.tool is not None else None
    text = item.part.text if item.part is not None else ""
    text = unwrapped(text) if message.role == "user" else text
    size = len(text) if call is None else call.size
    is_folded = not is_full and _is_folded(item.kind, call, size)
    length = FULL_MAX if is_full else TEXT_MAX
    is_user = message.role == "user"
    rows = sum(len(block.rows) for block in call.blocks) if call else 0
    return ItemView(
        kind=item.kind,
        place=place,
        is_user=is_user,
        is_sidechain=message.is_sidechain,
        speaker="You" if is_user else plain(message.model or agent),
        html=Markup("") if is_folded else (to_html(text[:length]) if call is None else call_html(call)),
        call=call,
        size=size,
        is_folded=is_folded,
        is_open=is_full or (call is not None and not is_folded and call.is_edit and rows <= ROWS_OPEN_MAX),
        is_cut=not is_folded and call is None and len(text) > length,
    )


def _is_folded(kind: ItemKind, call: Call | None, size: int) -> bool:
    if kind == "text":
        return False
    return size > (EDIT_MAX if call is not None and call.is_edit else INLINE_MAX)


def call_html(call: Call) -> Markup:
    """The parts of a call below each other."""
    return Markup("").join(_block_html(block) for block in call.blocks)


def _block_html(block: Block) -> Markup:
    label = Markup('<p class="block-label">{}</p>').format(block.label) if block.label else Markup("")
    match block.kind:
        case "diff":
            return label + clean(diff_html(block.rows))
        case "markdown":
            return Markup('<div class="prose">{}</div>').format(to_html(block.text[:FULL_MAX]))
        case "code" if len(block.text) <= LENGTH_MAX:
            return label + code_html(block.text, block.language)
        case "code" | "output":
            return label + Markup('<pre class="code">{}</pre>').format(block.text[:FULL_MAX])
        case "facts":
            rows = Markup("").join(
                Markup("<dt>{}</dt><dd><pre>{}</pre></dd>").format(name, value) for name, value in block.facts
            )
            return label + Markup('<dl class="call-facts">{}</dl>').format(rows)
        case "todos":
            return _todos_html(block)


_TODO_SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    "done": ("☑", "done"),
    "doing": ("◐", "in progress"),
    "open": ("☐", "open"),
}


def _todos_html(block: Block) -> Markup:
    lines = Markup("").join(
        Markup(
            '<li class="{}"><span aria-hidden="true">{}</span> {}<span class="visually-hidden"> ({})</span></li>'
        ).format(one.state, _TODO_SIGNS[one.state][0], one.text, _TODO_SIGNS[one.state][1])
        for one in block.todos
    )
    return Markup('<ul class="todos">{}</ul>').format(lines)


def find_item(transcript: Transcript, place: str) -> Item | None:
    """The item that an address like `12-3` names."""
    number, _, index = place.partition("-")
    if not (place.isascii() and number.isdecimal() and index.isdecimal() and len(place) < 16):
        return None
    at, order = int(number) - 1, int(index)
    if not 0 <= at < len(transcript.exchanges):
        return None
    items = items_of(transcript.exchanges[at])
    return items[order] if order < len(items) else None


@dataclass(frozen=True, slots=True)
class TouchedFile:
    """A file that the agent wrote: how often, and in which exchange first."""

    path: str
    writes: int
    number: int


def root_of(transcript: Transcript) -> str | None:
    """The project's folder; where a transcript does not name it, it is guessed from the paths."""
    if transcript.workspace_root:
        return transcript.workspace_root
    messages = (message for exchange in transcript.exchanges for message in exchange.messages)
    return guess_root({path for message in messages for path in files_of(message, None)})


def touched_files(transcript: Transcript, root: str | None) -> list[TouchedFile]:
    """The files that were written, in order of their first write."""
    found: dict[str, TouchedFile] = {}
    for number, exchange in enumerate(transcript.exchanges, 1):
        for message in exchange.messages:
            if message.tool is None or message.tool.kind != "write" or message.tool.is_error:
                continue
            for path in dict.fromkeys(files_of(message, root)):
                known = found.get(path)
                found[path] = TouchedFile(path, known.writes + 1 if known else 1, known.number if known else number)
    return list(found.values())
