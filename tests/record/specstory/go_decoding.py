"""Decodes an answer as SpecStory's command line does: Go's encoding/json into structs (specstory.md §9 item 8).

Unknown keys are ignored, absent ones and null give the zero value, and anything of another type is an error: a number
where a string is expected, `1.0` or `"1"` where an int is, an object where the text of an error is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class GoDecodeError(AssertionError):
    """The Go client could not decode this."""


class _Fraction:
    """A number that is written with a fraction or an exponent; Go puts none of those into an int."""

    def __init__(self, text: str) -> None:
        self.value = float(text)


@dataclass(frozen=True)
class Shape:
    """A Go type: its zero value, and how a JSON value other than null becomes one."""

    name: str
    zero: Callable[[], Any]
    read: Callable[[Any, str], Any]

    def decode(self, value: Any, place: str) -> Any:
        """The Go value at `place`."""
        return self.zero() if value is None else self.read(value, place)


def _expect(kind: type, name: str) -> Callable[[Any, str], Any]:
    def read(value: Any, place: str) -> Any:
        if type(value) is not kind:
            raise GoDecodeError(f"{place}: cannot unmarshal {value!r} into Go value of type {name}")
        return value

    return read


def _int64(value: Any, place: str) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise GoDecodeError(f"{place}: cannot unmarshal {value!r} into Go value of type int")
    return value


def _float64(value: Any, place: str) -> float:
    if type(value) is int:
        return float(value)
    if isinstance(value, _Fraction):
        return value.value
    raise GoDecodeError(f"{place}: cannot unmarshal {value!r} into Go value of type float64")


def _time(value: Any, place: str) -> datetime:
    if type(value) is not str or _RFC3339.fullmatch(value) is None:
        raise GoDecodeError(f"{place}: {value!r} is no RFC 3339 time")
    return datetime.fromisoformat(value)


STRING = Shape("string", str, _expect(str, "string"))
INT = Shape("int", int, _int64)
FLOAT = Shape("float64", float, _float64)
BOOL = Shape("bool", bool, _expect(bool, "bool"))
TIME = Shape("time.Time", lambda: None, _time)
ANY = Shape("any", lambda: None, lambda value, _place: value)


def list_of(item: Shape) -> Shape:
    """`[]item`."""

    def read(value: Any, place: str) -> list[Any]:
        values = cast("list[Any]", _expect(list, f"[]{item.name}")(value, place))
        return [item.decode(one, f"{place}[{number}]") for number, one in enumerate(values)]

    return Shape(f"[]{item.name}", list, read)


def map_of(item: Shape) -> Shape:
    """`map[string]item`."""

    def read(value: Any, place: str) -> dict[str, Any]:
        values = cast("dict[str, Any]", _expect(dict, f"map[string]{item.name}")(value, place))
        return {key: item.decode(one, f"{place}.{key}") for key, one in values.items()}

    return Shape(f"map[string]{item.name}", dict, read)


def struct(**members: Shape) -> Shape:
    """A struct by its JSON names; Go finds them whatever their case."""
    known = {name.lower(): (name, shape) for name, shape in members.items()}

    def zero() -> dict[str, Any]:
        return {name: shape.zero() for name, shape in members.items()}

    def read(value: Any, place: str) -> dict[str, Any]:
        given = cast("Mapping[str, Any]", _expect(dict, "struct")(value, place))
        decoded = zero()
        for key, one in given.items():
            if (found := known.get(key.lower())) is not None:
                decoded[found[0]] = found[1].decode(one, f"{place}.{found[0]}")
        return decoded

    return Shape("struct", zero, read)


def decode(body: bytes, shape: Shape) -> Any:
    """The Go value of a whole answer.

    Raises: GoDecodeError.
    """
    try:
        document = json.loads(body.decode("utf-8", "replace"), parse_float=_Fraction, parse_constant=_refuse)
    except ValueError as error:
        raise GoDecodeError(f"not JSON: {body[:200]!r}") from error
    return shape.decode(document, "$")


def _refuse(text: str) -> Any:
    raise ValueError(text)


def envelope(**members: Shape) -> Shape:
    """`{"success":…,"data":{…},"error":…}` as the client's one routine reads it."""
    return struct(success=BOOL, data=struct(**members), error=STRING)


ERROR = struct(success=BOOL, error=STRING)
DEVICE_LOGIN = struct(refreshToken=STRING, createdAt=TIME, expiresAt=TIME, user=struct(email=STRING), error=STRING)
DEVICE_REFRESH = struct(accessToken=STRING, createdAt=TIME, expiresAt=TIME, error=STRING)
SIZES = envelope(sessions=map_of(INT))
METADATA = struct(agentName=STRING, deviceId=STRING, machineName=STRING, title=STRING)
CLOUD_SESSION = struct(
    id=STRING,
    clientId=STRING,
    projectId=STRING,
    projectName=STRING,
    name=STRING,
    userTitle=STRING,
    markdownSize=INT,
    sessionDataSize=INT,
    createdAt=STRING,
    updatedAt=STRING,
    startedAt=STRING,
    endedAt=STRING,
    metadata=METADATA,
    snippet=STRING,
)
CLOUD_PROJECT = struct(
    id=STRING,
    name=STRING,
    icon=STRING,
    color=STRING,
    lastUpdated=STRING,
    sessionCount=INT,
    sessions=list_of(CLOUD_SESSION),
)
PROJECTS = envelope(projects=list_of(CLOUD_PROJECT), total=INT)
SESSIONS = envelope(sessions=list_of(CLOUD_SESSION), total=INT, projectId=STRING)
SEARCH = envelope(results=list_of(CLOUD_SESSION))
FEATURES = struct(resume=BOOL, skills=BOOL, analytics=BOOL, knowledge_base=BOOL, work_tracking=BOOL, governance=BOOL)
ENTITLEMENT = envelope(plan=STRING, features=FEATURES)
SHARD = struct(
    shardKey=STRING,
    scopeKind=STRING,
    scope=struct(project_id=STRING, project_ids=list_of(STRING)),
    status=STRING,
    sandboxId=STRING,
    sessionCount=INT,
    spanCount=INT,
    startedAt=STRING,
    endedAt=STRING,
    error=STRING,
)
DOSSIER = struct(name=STRING, clusterKey=STRING, verdict=STRING, confidence=STRING, adjudicated=BOOL, hasSkill=BOOL)
RUN = struct(
    id=STRING,
    status=STRING,
    trigger=STRING,
    shardCount=INT,
    shardsDone=INT,
    createdAt=STRING,
    startedAt=STRING,
    endedAt=STRING,
    updatedAt=STRING,
    error=STRING,
    sessionsMined=INT,
    dossierTotal=INT,
    dossierVerdicts=map_of(INT),
    shards=list_of(SHARD),
    dossiers=list_of(DOSSIER),
)
SKILL = struct(
    name=STRING,
    state=STRING,
    trigger=STRING,
    confidence=STRING,
    verdict=STRING,
    skillMd=STRING,
    clusterKey=STRING,
    fingerprint=STRING,
    contentSha=STRING,
    recommendation=STRING,
    dossierId=STRING,
    evidenceRefs=list_of(ANY),
    createdAt=STRING,
    kind=STRING,
)
LORE_RUN = struct(success=BOOL, runId=STRING, error=STRING)
LORE_RUNS = struct(success=BOOL, runs=list_of(RUN), error=STRING)
LORE_LIBRARY = struct(success=BOOL, skills=list_of(SKILL), error=STRING)
LORE_CHANGED = struct(success=BOOL, error=STRING)
