"""Judgements that instrumentation reports inside spans (spectral.md §6.2, evaluation).

OpenTelemetry's event `gen_ai.evaluation.result`, and OpenInference's indexed attributes `evaluations.N.evaluation.*`
and `annotations.N.annotation.*`, also in `trace.` and `session.` scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from specloop.record.traces.model import Span
from specloop.record.traces.opinions import Annotator, Judgement

EVENT = "gen_ai.evaluation.result"
_INDEXED = re.compile(
    r"((?:trace\.|session\.)?(?:evaluations|annotations)\.\d+)\.(?:(?:evaluation|annotation)\.)?(\w+)"
)


def reported_judgements(span: Span) -> Iterator[Judgement]:
    """The judgements inside `span`; those without a name or without any content are left out."""
    for event in span.events:
        if event.name == EVENT:
            prefix = "gen_ai.evaluation."
            members = {key.removeprefix(prefix): value for key, value in event.attributes.items()}
            yield from _judgement(span, members, members.get("score.value"), members.get("score.label"))
    if "gen_ai.evaluation.name" in span.attributes:
        members = {key.removeprefix("gen_ai.evaluation."): value for key, value in span.attributes.items()}
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
    if name and (number is not None or label or explanation):
        yield Judgement(
            name=str(name),
            annotator=Annotator.REPORTED,
            score=number,
            label=None if label is None else str(label),
            explanation=None if explanation is None else str(explanation),
            span_id=span.span_id,
        )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None
