"""Field types that every dialect's schemas share: bounded text without control characters, emails, moments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, StringConstraints, model_validator

from specloop.kit.clock import format_time

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]]{1,64}@[^@\s\"(),:;<>\[\\\]]{1,255}")


def _without_control(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("this is not an e-mail address")
    return text.lower()


def _scalars(value: object) -> Iterator[object]:
    """Every scalar and every key inside a JSON value."""
    match value:
        case dict():
            for key, item in cast("dict[object, object]", value).items():
                yield key
                yield from _scalars(item)
        case list():
            for item in cast("list[object]", value):
                yield from _scalars(item)
        case _:
            yield value


def _storable(value: Any) -> Any:
    """Refuse what one of the stores cannot keep: control characters, numbers beyond 64 bits, NaN and infinity."""
    for scalar in _scalars(value):
        match scalar:
            case str():
                _without_control(scalar)
            case int() if not -(2**63) <= scalar < 2**63:
                raise ValueError("integers must fit 64 bits")
            case float() if not math.isfinite(scalar):
                raise ValueError("numbers must be finite")
            case _:
                pass
    return value


def _without_nul(value: Any) -> Any:
    """No text of a body may hold NUL, whatever its field says: PostgreSQL cannot keep it."""
    if any("\x00" in scalar for scalar in _scalars(value) if isinstance(scalar, str)):
        raise ValueError("NUL is not allowed")
    return value


Name = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), AfterValidator(_without_control)
]
ShortText = Annotated[str, StringConstraints(max_length=500), AfterValidator(_without_control)]
LongText = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_without_control)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254, strip_whitespace=True), AfterValidator(_email)]
JSONValue = Annotated[Any, AfterValidator(_storable)]
JSONObject = Annotated[dict[str, Any], AfterValidator(_storable)]
Moment = Annotated[datetime, PlainSerializer(format_time, return_type=str)]


class Input(BaseModel):
    """A request body: unknown members are refused, so that nobody assigns what a route does not offer."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unstorable(cls, value: Any) -> Any:
        return _without_nul(value)


class Output(BaseModel):
    """An answer: built from domain objects by attribute."""

    model_config = ConfigDict(from_attributes=True)
