"""Judgements that instrumentation reports inside spans (spectral.md §6.2, evaluation).

OpenTelemetry's event `gen_ai.evaluation.result` or the same attributes on the span itself, and OpenInference's indexed
attributes `evaluations.N.evaluation.*` and `annotations.N.annotation.*`, also in `trace.` and `session.` scope. The
column `scores` of the telemetry store reads the same keys, so that a search by score finds what is shown here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from specloop.record.traces.model import Span
from specloop.record.traces.opinions import Annotator, Judgement

EVENT = "gen_ai.evaluation.result"
_PREFIX = "gen_ai.evaluation."
_INDEXED = re.compile(
    r"((?:trace\.|session\.)?(?:evaluations|annotations)\.[0-9]+)\.(?:(?:evaluation|annotation)\.)?(\w+)"
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def reported_judgements(span: Span) -> Iterator[Judgement]:
    """The judgements inside `span`; those without a name or without any content are left out."""
    for attributes in (*(event.attributes for event in span.events if event.name == EVENT), span.attributes):
        members = {key.removeprefix(_PREFIX): value for key, value in attributes.items() if key.startswith(_PREFIX)}
        yield from _judgement(span, members, members.get("score.value"), members.get("score.label"))
    for members in _groups(span.attributes).values():
        yield from _judgement(span, members, members.get("score"), members.get("label"))


def _groups(attributes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for key, value in attributes.items():
        match = _INDEXED.fullmatch(key)
        if match is not None:
            groups.setdefault(match[1], {})[match[2]] = value
    return groups


def _judgement(span: Span, members: Mapping[str, Any], score: Any, label: Any) -> Iterator[Judgement]:
    number = _number(score)
    explanation = members.get("explanation")
    name = members.get("name")
    if name not in (None, "") and (number is not None or label or explanation):
        yield Judgement(
            name=str(name),
            annotator=Annotator.REPORTED,
            score=number,
            label=None if label is None else str(label),
            explanation=None if explanation is None else str(explanation),
            span_id=span.span_id,
        )


def _number(value: Any) -> float | None:
    """A finite number, or a text that is one; true and false are none."""
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = float(value)
    return number if isfinite(number) else None
