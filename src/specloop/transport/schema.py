"""Field types that every dialect's schemas share: bounded text without control characters, emails, moments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, cast, get_args
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from specloop.kit.clock import format_time
from specloop.kit.ids import parse_uuid

TIME_ZONE_FORMAT = "iana-time-zone"
JSON_VALUE_FORMAT = "json-value"
JSON_OBJECT_FORMAT = "json-object"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
# NEL and the byte order mark are white space in one dialect of regular expressions each, so both are named.
_MAILBOX = r"[^@\s\x00-\x1f\x7f\x85\ufeff\"(),:;<>\[\\\]]"
_EMAIL = re.compile(rf"{_MAILBOX}{{1,64}}@{_MAILBOX}{{1,255}}")
_PRINTABLE = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_VISIBLE = r"[^\x00-\x20\x7f\x85\xa0]"


def _without_control(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("this is not an e-mail address")
    return text.lower()


def _in_utc(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def _uuid(text: str) -> str:
    parsed = parse_uuid(text)
    if parsed is None:
        raise ValueError("this is not a UUID")
    return parsed


def identifier(schema: dict[str, Any]) -> None:
    """Write into `schema` what the id of a resource looks like."""
    schema.clear()
    schema.update({"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36})


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def shared_schemas() -> dict[str, dict[str, Any]]:
    """The schemas that the API document has once, by the format that marks the fields which mean them."""
    text = {"type": "string", "pattern": f"^{_PRINTABLE}*$"}
    value = {"$ref": "#/components/schemas/JSONValue"}
    thing = {"type": "object", "propertyNames": text, "additionalProperties": value}
    scalars = [{"type": kind} for kind in ("null", "boolean", "integer", "number")]
    return {
        TIME_ZONE_FORMAT: {"title": "TimeZone", "type": "string", "enum": sorted(_time_zones())},
        JSON_OBJECT_FORMAT: {"title": "JSONObject", **thing},
        JSON_VALUE_FORMAT: {"title": "JSONValue", "anyOf": [*scalars, text, {"type": "array", "items": value}, thing]},
    }


def _time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError("this is not an IANA time zone")
    return name


def _iso_text(value: Any) -> Any:
    """A moment is written as text; a bare number would be taken for seconds of some epoch."""
    if isinstance(value, int | float) or (isinstance(value, str) and "-" not in value[1:]):
        raise ValueError("write the moment as RFC 3339, such as 2026-01-31T12:00:00Z")
    return value


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


def _documented(pattern: str) -> Any:
    """A pattern for the API document; the validators say in words what is wrong."""
    return Field(json_schema_extra={"pattern": f"^{pattern}$"})


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True),
    AfterValidator(_without_control),
    _documented(f"{_PRINTABLE}*{_VISIBLE}{_PRINTABLE}*"),
]
_Text = AfterValidator(_without_control), _documented(f"{_PRINTABLE}*")
ShortText = Annotated[str, StringConstraints(max_length=500), *_Text]
LongText = Annotated[str, StringConstraints(max_length=20_000), *_Text]
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254, strip_whitespace=True),
    AfterValidator(_email),
    _documented(f"{_MAILBOX}{{1,64}}@{_MAILBOX}{{1,255}}"),
]
TimeZone = Annotated[str, AfterValidator(_time_zone), Field(json_schema_extra={"format": TIME_ZONE_FORMAT})]
JSONValue = Annotated[Any, AfterValidator(_storable), Field(json_schema_extra={"format": JSON_VALUE_FORMAT})]
JSONObject = Annotated[
    dict[str, Any], AfterValidator(_storable), Field(json_schema_extra={"format": JSON_OBJECT_FORMAT})
]
UUIDText = Annotated[str, AfterValidator(_uuid), Field(json_schema_extra=identifier)]
Moment = Annotated[
    datetime, BeforeValidator(_iso_text), AfterValidator(_in_utc), PlainSerializer(format_time, return_type=str)
]
Instant = Annotated[AwareDatetime, BeforeValidator(_iso_text)]
"""A moment that is worthless without its time zone: nobody knows the sender's."""


class Input(BaseModel):
    """A request body: unknown members are refused, so that nobody assigns what a route does not offer."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unstorable(cls, value: Any) -> Any:
        return _without_nul(value)

    @field_validator("*", mode="before")
    @classmethod
    def _tell_numbers_from_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        """JSON has two types where Python would take one for the other."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        kinds = {annotation, *get_args(annotation)}
        takes_numbers, takes_booleans = bool(kinds & {int, float}), bool in kinds
        if isinstance(value, bool):
            if takes_numbers and not takes_booleans:
                raise ValueError("this is a number, not a boolean")
        elif isinstance(value, int | float) and takes_booleans and not takes_numbers:
            raise ValueError("this is true or false, not a number")
        return value


class Output(BaseModel):
    """An answer: built from domain objects by attribute."""

    model_config = ConfigDict(from_attributes=True)
