"""A trace filter as conditions on the summary rows of `traces`. Values travel as parameters, never as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from specloop.db.telemetry import SCAN
from specloop.record.traces.model import AttributeCondition, Comparison, TraceFilter, TraceStatus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PHRASE = re.compile(r'"([^"]+)"')
_WORD = re.compile(r"[0-9a-z\x80-\U0010ffff]+")
_INTEGER = re.compile(r"[+-]?[0-9]+")
WORDS_MAX = 30

OWN = "workspace_id = {workspace_id:UUID}"
KNOWN = """
    t.workspace_id = {workspace_id:UUID}
    AND t.trace_id NOT IN (SELECT trace_id FROM deleted_traces WHERE workspace_id = {workspace_id:UUID})
"""
"""Which rows of `traces AS t` may be seen at all."""

# Conditions on whole traces, after their rows are added up.
_WHOLE = {
    "start": "first_ns >= {start_ns:UInt64}",
    "end": "first_ns < {end_ns:UInt64}",
    "latency_ms_min": "last_ns - first_ns >= {latency_ns_min:UInt64}",
    "latency_ms_max": "last_ns - first_ns <= {latency_ns_max:UInt64}",
}
# Lists of names in some row of a trace.
_LISTS = {
    "agent_name": "agent_names",
    "tag": "tags",
    "session_id": "session_ids",
    "user_id": "user_ids",
    "model": "models",
    "service": "service_names",
}
_COMPARED = {
    Comparison.EQUAL: "({same})",
    Comparison.NOT_EQUAL: "NOT ({same})",
    Comparison.CONTAINS: "positionCaseInsensitiveUTF8(attributes[{{key{n}:String}}], {{value{n}:String}}) > 0",
    Comparison.EXISTS: "1",
    Comparison.GREATER: "toFloat64OrNull(attributes[{{key{n}:String}}]) > toFloat64OrNull({{value{n}:String}})",
    Comparison.LESS: "toFloat64OrNull(attributes[{{key{n}:String}}]) < toFloat64OrNull({{value{n}:String}})",
}
# Numbers that are written in different ways are the same number. Integers are only compared so with fractions, since 64
# bits are more than a fraction can tell apart.
_SAME = """
    attributes[{{key{n}:String}}] = {{value{n}:String}} OR (
        attribute_types[indexOf(mapKeys(attributes), {{key{n}:String}})] IN ({types})
        AND ifNull(toFloat64OrNull(attributes[{{key{n}:String}}]) = toFloat64OrNull({{value{n}:String}}), 0))
"""


@dataclass(frozen=True, slots=True)
class TraceSets:
    """What a filter means beyond the summary rows: None or empty where it does not ask.

    The first two are traces by their ids, from the state store. `agent_words` are the names and ids by which spans may
    call the agent of the filter. `recovered` are the traces that are marked as failed and did not fail in the end.
    """

    with_feedback: Sequence[str] | None = None
    scored_below: Sequence[str] | None = None
    agent_words: Sequence[str] = ()
    recovered: Sequence[str] = ()


class Matching:
    """`where` for rows of `traces AS t`, `having` for traces grouped by id, and the parameters of both."""

    def __init__(self, chosen: TraceFilter, sets: TraceSets | None = None) -> None:
        self._where: list[str] = []
        self._having: list[str] = []
        self._lists: list[str] = []
        self._every_row: list[str] = []
        self._first_row: list[str] = []
        self._some_row: list[str] = []
        self.reads_text = bool(chosen.text or chosen.attributes)
        self.parameters: dict[str, Any] = {}
        sets = sets or TraceSets()
        self._add_whole(chosen)
        self._add_status(chosen.status, sets.recovered)
        self._add_lists(chosen)
        self._add_agent(chosen.agent_id, sets.agent_words)
        self._add_text(chosen)
        for number, condition in enumerate(chosen.attributes):
            self._add_attribute(number, condition)
        self._add_sets(chosen, sets)

    @property
    def where(self) -> str:
        """The conditions on rows."""
        return " AND ".join([KNOWN, *self._where, *(_has_row(row) for row in self._lists)])

    @property
    def where_row(self) -> str:
        """What at least one row of each matching trace shows. Of the traces found so, `KNOWN` and `having` choose."""
        shown = [*self._lists, *self._some_row]
        if len(shown) > 1 or self._first_row:  # it may take several rows to show all that
            shown = [_has_row(row) for row in shown]
        return " AND ".join([f"t.{OWN}", *self._where, *self._every_row, *self._first_row, *shown])

    @property
    def having(self) -> str:
        """The conditions on traces; `1` when there are none."""
        return " AND ".join(self._having) or "1"

    @property
    def settings(self) -> str:
        """What a query with these conditions ends with: text is read in small blocks, since values may be large."""
        return f" SETTINGS {SCAN}" + (", max_block_size = 1024" if self.reads_text else "")

    @property
    def is_by_row(self) -> bool:
        """Whether there are no conditions on whole traces."""
        return not self._having

    def add_before(self, start_ns: int, trace_id: str) -> None:
        """Only traces behind this one in a list with the newest first."""
        self._having.append(
            "(first_ns, t.trace_id) < ({before_ns:UInt64}, toFixedString(unhex({before_trace:String}), 16))"
        )
        self._first_row.append("t.start_ns <= {before_ns:UInt64}")
        self.parameters |= {"before_ns": start_ns, "before_trace": trace_id}

    def _add_whole(self, chosen: TraceFilter) -> None:
        for name, condition in _WHOLE.items():
            value = getattr(chosen, name)
            if value is not None:
                self._having.append(condition)
                self.parameters |= _whole_parameter(name, value)
        if chosen.start is not None:
            self._every_row.append("t.start_ns >= {start_ns:UInt64}")
        if chosen.end is not None:
            self._first_row.append("t.start_ns < {end_ns:UInt64}")

    def _add_status(self, status: TraceStatus | None, recovered: Sequence[str]) -> None:
        if status is None:
            return
        is_recovered = f"t.trace_id IN ({_unpacked('recovered')})" if recovered else "0"
        if recovered:
            self.parameters["recovered"] = list(recovered)
        if status is TraceStatus.ERROR:
            self._having.append(f"max(t.has_error) = 1 AND NOT {is_recovered}")
            self._some_row.append("has_error = 1")
        else:
            self._having.append(f"(max(t.has_error) = 0 OR {is_recovered})")
            self._every_row.append(f"(t.has_error = 0 OR {is_recovered})")

    def _add_lists(self, chosen: TraceFilter) -> None:
        for name, column in _LISTS.items():
            value = getattr(chosen, name)
            if value is not None:
                self._lists.append(f"has({column}, {{{name}:String}})")
                self.parameters[name] = value

    def _add_agent(self, agent_id: str | None, words: Sequence[str]) -> None:
        if agent_id is None:
            return
        self._lists.append("(hasAny(agent_ids, {agent:Array(String)}) OR hasAny(agent_names, {agent:Array(String)}))")
        self.parameters["agent"] = sorted({agent_id, *words})

    def _add_text(self, chosen: TraceFilter) -> None:
        words, phrases = split_text(chosen.text or "")
        if not words and not phrases:
            if (chosen.text or "").strip():
                self._where.append("0")  # a text without any word is in no span
            return
        literal: list[str] = []
        for number, text in enumerate(phrases):
            literal.append(f"position(content, {{phrase{number}:String}}) > 0")
            self.parameters[f"phrase{number}"] = text
        if not words:
            self._add_ids(f"{_IN_SPANS} AND {' AND '.join(literal)}")
            return
        self.parameters |= {"words": words, "longest_word": max(words, key=len)}
        within = "".join(f" AND {condition}" for condition in literal)
        self._add_ids(
            f"{_IN_SPANS} AND _part IN ({_INDEXED}) AND {_HAS_WORDS}{within} UNION ALL"
            f" {_IN_SPANS} AND _part NOT IN ({_INDEXED}) AND if({_MAY_HAVE}, {_HAS_WORDS}, 0){within}"
        )

    def _add_attribute(self, number: int, condition: AttributeCondition) -> None:
        is_integer = _INTEGER.fullmatch(condition.value)
        same = _SAME.format(n=number, types="'double'" if is_integer else "'int', 'double'")
        fits = _COMPARED[condition.comparison].format(n=number, same=same)
        has = f"mapContains(attributes, {{key{number}:String}})"
        self._add_ids(f"SELECT trace_id FROM spans WHERE {OWN} AND {has} AND {fits}")  # noqa: S608
        self.parameters |= {f"key{number}": condition.key, f"value{number}": condition.value}

    def _add_sets(self, chosen: TraceFilter, sets: TraceSets) -> None:
        if sets.with_feedback is not None:
            negation = "" if chosen.has_feedback else "NOT "
            self._where.append(f"t.trace_id {negation}IN ({_unpacked('with_feedback')})")
            self.parameters["with_feedback"] = list(sets.with_feedback)
        if chosen.score_below is not None:
            rated = f"SELECT trace_id FROM traces WHERE {OWN} AND score_min < {{score_below:Float64}}"  # noqa: S608
            self._where.append(f"(t.trace_id IN ({rated}) OR t.trace_id IN ({_unpacked('scored_below')}))")
            self.parameters |= {"score_below": chosen.score_below, "scored_below": list(sets.scored_below or ())}

    def _add_ids(self, query: str) -> None:
        self._where.append(f"t.trace_id IN ({query})")


_IN_SPANS = f"SELECT trace_id FROM spans WHERE {OWN}"  # noqa: S608
_HAS_WORDS = "hasAllTokens(content, {words:Array(String)})"
# Merges build the text index. In parts that have none yet, putting a text together and cutting it into words costs far
# more than looking for one word's letters in its pieces; structured pieces are only readable when put together.
_MAY_HAVE = """
    positionCaseInsensitive(name, {longest_word:String}) > 0
    OR positionCaseInsensitive(status_message, {longest_word:String}) > 0
    OR arrayExists(text -> positionCaseInsensitive(text, {longest_word:String}) > 0, mapValues(attributes))
    OR notEmpty(events) OR hasAny(attribute_types, ['array', 'kvlist'])
"""
_INDEXED = """
    SELECT name FROM system.parts WHERE active AND database = currentDatabase() AND table = 'spans'
        AND secondary_indices_compressed_bytes > 0
"""


def _has_row(condition: str) -> str:
    return f"t.trace_id IN (SELECT trace_id FROM traces WHERE {OWN} AND {condition})"  # noqa: S608


def _unpacked(name: str) -> str:
    return f"SELECT toFixedString(unhex(arrayJoin({{{name}:Array(String)}})), 16)"


def split_text(text: str) -> tuple[list[str], list[str]]:
    """The words that must all occur, and the quoted phrases, as the text index spells them (ASCII letters lowered)."""
    lowered = "".join(char.lower() if char.isascii() else char for char in text)
    phrases = _PHRASE.findall(lowered)
    return list(dict.fromkeys(_WORD.findall(lowered.replace('"', " "))))[:WORDS_MAX], phrases[:WORDS_MAX]


def nanoseconds(moment: datetime) -> int:
    """Nanoseconds since 1970, within what 63 bits can hold (1970 to 2262)."""
    return min(max(0, (moment - _EPOCH) // timedelta(microseconds=1)) * 1_000, (1 << 63) - 1)


def _whole_parameter(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "start" | "end":
            return {f"{name}_ns": nanoseconds(value)}
        case _:
            return {name.replace("_ms_", "_ns_"): round(value * 1_000_000)}
