"""Opinions about traces: feedback of people, annotations of judges. Pure rules, no store.

The file name stands beside `model.py`: opinions live in the state store and change, spans do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import nan
from typing import Any

from specloop.errors import ValidationFailed

TEXT_LENGTH_MAX = 20_000
LABEL_LENGTH_MAX = 200


class FeedbackKind(StrEnum):
    """What a feedback says, and with it the type of its value (spectral.md §1.3, router 15)."""

    THUMBS = "thumbs"
    SCORE = "score"
    LABEL = "label"
    CORRECTION = "correction"
    COMMENT = "comment"


class Annotator(StrEnum):
    """Who judged: `reported` came inside the spans, from the sender's own instrumentation."""

    HUMAN = "human"
    CODE = "code"
    MODEL = "model"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A feedback as it is given; one per span (or trace), user, kind and name."""

    kind: FeedbackKind
    value: Any
    name: str = ""
    span_id: str = ""
    user_ref: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A stored feedback. `score` is the value in [0, 1] where it is a number."""

    id: str
    trace_id: str
    opinion: Opinion
    score: float | None
    created_at: datetime
    updated_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """An annotation as it is given: at least one of score, label, explanation."""

    name: str
    annotator: Annotator
    score: float | None = None
    label: str | None = None
    explanation: str | None = None
    span_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Annotation:
    """A stored annotation, or one that was found in a span (then `id` is empty)."""

    id: str
    trace_id: str
    judgement: Judgement
    created_at: datetime
    created_by: str


_THUMBS: dict[object, float] = {"up": 1.0, "down": 0.0, True: 1.0, False: 0.0, -1: 0.0}
"""1 and 0 are equal to true and false, and so count too."""


def normalised(kind: FeedbackKind, value: Any) -> tuple[Any, float | None]:
    """The value as it is kept, and as a score.

    Raises: ValidationFailed when the value does not fit the kind.
    """
    match kind:
        case FeedbackKind.THUMBS if isinstance(value, (str, bool, int)) and value in _THUMBS:
            return ("up" if _THUMBS[value] else "down"), _THUMBS[value]
        case FeedbackKind.SCORE if 0 <= _number(value) <= 1:
            return float(value), float(value)
        case FeedbackKind.LABEL if isinstance(value, str) and 0 < len(value) <= LABEL_LENGTH_MAX:
            return value, None
        case FeedbackKind.COMMENT if isinstance(value, str) and 0 < len(value) <= TEXT_LENGTH_MAX:
            return value, None
        case FeedbackKind.CORRECTION if value is not None:
            return value, None
        case _:
            raise ValidationFailed.of(["body", "value"], _EXPECTED[kind])


_EXPECTED = {
    FeedbackKind.THUMBS: "thumbs are 'up' or 'down'",
    FeedbackKind.SCORE: "a score is a number from 0 to 1",
    FeedbackKind.LABEL: f"a label is a text of 1 to {LABEL_LENGTH_MAX} characters",
    FeedbackKind.COMMENT: f"a comment is a text of 1 to {TEXT_LENGTH_MAX} characters",
    FeedbackKind.CORRECTION: "a correction is what the output should have been, not null",
}


def _number(value: Any) -> float:
    """The number that `value` is, else NaN, which is in no range."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else nan
