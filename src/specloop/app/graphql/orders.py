"""In which order sessions are listed: the contract's two texts, or an enum that says both (specstory.md §2.3)."""

from __future__ import annotations

from typing import Final

from specloop.app.graphql.schema.inputs import SessionOrder as Named
from specloop.errors import ValidationFailed
from specloop.record.sessions import SessionOrder

_COLUMNS: Final = {
    "createdat": SessionOrder.CREATED,
    "updatedat": SessionOrder.UPDATED,
    "lastupdated": SessionOrder.UPDATED,
    "startedat": SessionOrder.STARTED,
    "endedat": SessionOrder.ENDED,
    "name": SessionOrder.NAME,
    "markdownsize": SessionOrder.MARKDOWN_SIZE,
}
_DIRECTIONS: Final = {"desc": True, "asc": False}


def order_of(named: Named | None, column: str | None, direction: str | None) -> tuple[SessionOrder, bool]:
    """The column, and whether the highest come first. `CREATED_AT_DESC` is understood as a text as well.

    Raises: ValidationFailed.
    """
    if named is not None:
        return SessionOrder(named.value[0]), named.value[1]
    plain = (column or "createdAt").replace("_", "").lower()
    for suffix, is_descending in _DIRECTIONS.items():
        if plain.endswith(suffix) and plain.removesuffix(suffix) in _COLUMNS:
            return _COLUMNS[plain.removesuffix(suffix)], is_descending
    if plain not in _COLUMNS:
        known = "createdAt, updatedAt, startedAt, endedAt, name, markdownSize"
        raise ValidationFailed.of(["orderBy"], f"must be one of {known}")
    wanted = (direction or "desc").lower()
    if wanted not in _DIRECTIONS:
        raise ValidationFailed.of(["orderDirection"], "must be asc or desc")
    return _COLUMNS[plain], _DIRECTIONS[wanted]
