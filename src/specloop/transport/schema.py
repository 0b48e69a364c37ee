"""Field types that every dialect's schemas share: bounded text without control characters, emails, moments."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, StringConstraints

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


def _without_nul(value: Any) -> Any:
    """PostgreSQL cannot keep NUL in JSON, and no user means it."""
    if isinstance(value, str):
        return _without_control(value)
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_without_nul(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


Name = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), AfterValidator(_without_control)
]
ShortText = Annotated[str, StringConstraints(max_length=500), AfterValidator(_without_control)]
LongText = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_without_control)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254, strip_whitespace=True), AfterValidator(_email)]
JSONValue = Annotated[Any, AfterValidator(_without_nul)]
JSONObject = Annotated[dict[str, Any], AfterValidator(_without_nul)]
Moment = Annotated[datetime, PlainSerializer(format_time, return_type=str)]


class Input(BaseModel):
    """A request body: unknown members are refused, so that nobody assigns what a route does not offer."""

    model_config = ConfigDict(extra="forbid")


class Output(BaseModel):
    """An answer: built from domain objects by attribute."""

    model_config = ConfigDict(from_attributes=True)
