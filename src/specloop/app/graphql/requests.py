"""Reads a GraphQL request from HTTP: a JSON body, or the query string of a GET (GraphQL over HTTP, §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from starlette.requests import Request

from specloop.app.graphql.limits import BOUNDS
from specloop.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType
from specloop.kit import json

_UTF_8: Final = frozenset({"utf-8", "utf8"})
_ABSENT: Final = frozenset({"", "null"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants executed."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    operation_name: str | None = None


class BadParameters(BadRequest):
    """The request is not a GraphQL request."""

    code = "bad-graphql-request"


async def read_asked(request: Request) -> Asked:
    """The parameters of a GET or POST.

    Raises: BadParameters, UnsupportedMediaType, PayloadTooLarge.
    """
    return _checked(_from_query(request) if request.method == "GET" else await _from_body(request))


async def _from_body(request: Request) -> Mapping[str, Any]:
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "application/json" or not _charsets(parameters) <= _UTF_8:
        raise UnsupportedMediaType("send the query as application/json in UTF-8")
    body = await request.body()
    if len(body) > BOUNDS.body_bytes:
        raise PayloadTooLarge(f"the body is larger than {BOUNDS.body_bytes} bytes")
    return _as_object(body, "the body")


def _from_query(request: Request) -> Mapping[str, Any]:
    given = request.query_params
    found: dict[str, Any] = {name: given[name] for name in ("query", "operationName") if name in given}
    for name in ("variables", "extensions"):
        if given.get(name, "").strip() not in _ABSENT:
            found[name] = _as_object(given[name].encode("utf-8", "replace"), name)
    return found


def _charsets(parameters: str) -> set[str]:
    """The values of `charset`; other parameters say nothing about how to read the body."""
    pairs = (one.partition("=") for one in parameters.lower().split(";"))
    return {value.strip().strip('"') for name, _, value in pairs if name.strip() == "charset"}


def _as_object(text: bytes, place: str) -> Mapping[str, Any]:
    try:
        value: object = json.loads(text)
    except ValueError as error:
        raise BadParameters("Invalid JSON in request body" if place == "the body" else f"{place} is no JSON") from error
    if isinstance(value, list):
        raise BadParameters("batches are not accepted: send one query per request")
    if not isinstance(value, dict):
        raise BadParameters(f"{place} must be a JSON object")
    return cast("dict[str, Any]", value)


def _checked(given: Mapping[str, Any]) -> Asked:
    query, name = given.get("query"), given.get("operationName")
    variables, extensions = given.get("variables"), given.get("extensions")
    if not isinstance(query, str):
        raise BadParameters("query must be a string")
    if name is not None and not isinstance(name, str):
        raise BadParameters("operationName must be a string")
    for place, value in (("variables", variables), ("extensions", extensions)):
        if value is not None and not isinstance(value, dict):
            raise BadParameters(f"{place} must be an object")
    return Asked(query, cast("dict[str, Any]", variables or {}), name or None)
