"""Bulk samples as JSON, NDJSON or CSV into one form (spectral.md §1.3 router 14). Knows no store."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, cast

from specloop.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType
from specloop.kit import json

ITEMS_MAX = 1000
_COLUMNS = ("input", "reference", "metadata", "split", "group_key", "source", "trace_id")


def parse_items(media_type: str, body: bytes) -> list[Any]:
    """The items of a bulk body, not yet validated.

    Raises: UnsupportedMediaType; BadRequest when the body cannot be read; PayloadTooLarge above 1,000 items.
    """
    parser = _PARSERS.get(media_type.partition(";")[0].strip().lower())
    if parser is None:
        raise UnsupportedMediaType(f"send the items as one of: {', '.join(sorted(_PARSERS))}")
    try:
        items = parser(body)
    except (json.JSONDecodeError, UnicodeDecodeError, csv.Error) as error:
        raise BadRequest(f"the items cannot be read: {error}") from error
    if len(items) > ITEMS_MAX:
        raise PayloadTooLarge(f"at most {ITEMS_MAX} items in one request")
    return items


def _json(body: bytes) -> list[Any]:
    document = json.loads(body)
    items: Any = cast("dict[str, Any]", document).get("items") if isinstance(document, dict) else document
    if not isinstance(items, list):
        raise BadRequest('send {"items": [...]}')
    return cast("list[Any]", items)


def _ndjson(body: bytes) -> list[Any]:
    return [json.loads(line) for line in body.splitlines() if line.strip()]


def _csv(body: bytes) -> list[Any]:
    rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    if "input" not in (rows.fieldnames or ()):
        raise BadRequest("the CSV needs a header line with a column 'input'")
    unknown = set(rows.fieldnames or ()) - set(_COLUMNS)
    if unknown:
        raise BadRequest(f"unknown columns: {', '.join(sorted(unknown))}; known: {', '.join(_COLUMNS)}")
    return [_csv_item(row) for row in rows]


def _csv_item(row: dict[str, str | None]) -> dict[str, Any]:
    texts = {"split", "group_key", "source", "trace_id"}
    return {name: value if name in texts else _cell(value) for name, value in row.items() if value}


def _cell(text: str) -> Any:
    """JSON where the cell holds JSON, else its text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


_PARSERS: dict[str, Callable[[bytes], list[Any]]] = {
    "application/json": _json,
    "application/x-ndjson": _ndjson,
    "text/csv": _csv,
}
