"""What people and judges said about a trace, as lines of one list, newest last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from specloop.app.web import diff
from specloop.record.traces.opinions import Annotation, Feedback, FeedbackKind

_THUMBS: Final = {"up": "good answer", "down": "bad answer"}


@dataclass(frozen=True, slots=True)
class OpinionLine:
    """One opinion: who, what kind, a short headline with its tone, the longer text."""

    who: str
    kind: str
    headline: str
    tone: str
    text: str
    span_id: str
    at: datetime
    name: str = ""
    score: float | None = None


def lines_of(
    feedback: Sequence[Feedback], annotations: Sequence[Annotation], names: Mapping[str, str]
) -> list[OpinionLine]:
    """All of them by time; `names` are people by their id."""
    lines = [_of_feedback(one, names) for one in feedback] + [_of_annotation(one, names) for one in annotations]
    return sorted(lines, key=lambda line: line.at)


def own_thumb(feedback: Sequence[Feedback], user_id: str) -> str:
    """`up` or `down`, as the visitor voted on the whole trace; empty when not at all."""
    for one in feedback:
        said = one.opinion
        if said.kind is FeedbackKind.THUMBS and said.user_ref == user_id and not said.name and not said.span_id:
            return str(said.value)
    return ""


def _of_feedback(one: Feedback, names: Mapping[str, str]) -> OpinionLine:
    said = one.opinion
    headline, text = _told(said.kind, said.value)
    return OpinionLine(
        who=names.get(said.user_ref, said.user_ref[:80]) or "somebody",
        kind=said.kind.value,
        headline=headline,
        tone=_tone(one.score),
        text=text,
        span_id=said.span_id,
        at=one.updated_at,
        name=said.name,
        score=one.score if said.kind is FeedbackKind.SCORE else None,
    )


def _told(kind: FeedbackKind, value: Any) -> tuple[str, str]:
    match kind:
        case FeedbackKind.THUMBS:
            return _THUMBS.get(str(value), str(value)), ""
        case FeedbackKind.SCORE:
            return f"{float(value):.2g} of 1", ""
        case FeedbackKind.LABEL:
            return str(value), ""
        case FeedbackKind.COMMENT:
            return "", str(value)
        case FeedbackKind.CORRECTION:
            return "should have been", diff.as_text(value)


def _of_annotation(one: Annotation, names: Mapping[str, str]) -> OpinionLine:
    said = one.judgement
    score = "" if said.score is None else f"{said.score:.2g}"
    return OpinionLine(
        who=names.get(one.created_by, "")
        or {"human": "a person", "reported": "its own instrumentation"}.get(
            said.annotator.value, f"a {said.annotator.value} judge"
        ),
        kind="annotation",
        headline=" · ".join(part for part in (said.label or "", score) if part),
        tone=_tone(said.score),
        text=said.explanation or "",
        span_id=said.span_id,
        at=one.created_at,
        name=said.name,
        score=said.score,
    )


def _tone(score: float | None) -> str:
    if score is None or not 0 <= score <= 1:
        return "idle"  # instrumentation may score on any scale
    return "good" if score >= 0.75 else "bad" if score < 0.5 else "warn"
