"""The texts of a document in the form in which secrets show: strings decoded, each with the name it stands under."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from specloop.kit import json

NAMED_CHARACTERS_MAX = 400
"""Up to here a value is shown with its name, for `"password": "…"` is known by its name only."""
_OPAQUE = frozenset({"signature", "encrypted_content", "data"})
_STRUCTURE = frozenset({"uuid", "parentUuid", "timestamp", "type", "role", "sessionId"})
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]{512,}")


def texts_of_json(text: str) -> Iterator[str]:
    """The texts in a JSON document or in JSON lines; a line that is no JSON as it is."""
    for document in json_parts(text):
        yield from texts_of_document(document) if not isinstance(document, str) else (document,)


def texts_of_document(value: Any, name: str = "") -> Iterator[str]:
    """The texts in a JSON value: short ones as `"name": "text"`, long ones alone. Left out are what models sign and
    encrypt for themselves, pictures, and the marks that link records."""
    if isinstance(value, str):
        yield from _shown(name, value)
    elif isinstance(value, dict):
        for key, inner in cast(dict[str, Any], value).items():
            yield from texts_of_document(inner, key)
    elif isinstance(value, list):
        for inner in cast(list[Any], value):
            yield from texts_of_document(inner, name)


def json_parts(text: str) -> Iterator[Any]:
    """The document, or the document of each line; a line that is no JSON object or list as text."""
    whole = _parsed(text)
    if whole is not None:
        yield whole
        return
    for line in text.split("\n"):
        if line.strip():
            document = _parsed(line)
            yield line if document is None else document


def _parsed(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def with_name(name: str, value: str) -> str:
    """The text as it is looked through: a short one with the name that it stands under."""
    is_short = len(value) <= NAMED_CHARACTERS_MAX and "\n" not in value
    return f'"{name}": "{value}"' if is_short else value


def _shown(name: str, value: str) -> Iterator[str]:
    if name not in _STRUCTURE and not (name in _OPAQUE and _BASE64.fullmatch(value)):
        yield with_name(name, value)
