"""The list envelope and its query parameters (spectral.md §1.0)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, SerializerFunctionWrapHandler, model_serializer

from specloop.db.paging import LIMIT_DEFAULT, LIMIT_MAX, Page, PageRequest, parse_sort
from specloop.errors import BadRequest

Item = TypeVar("Item")


class Pagination(BaseModel):
    """Where a page stands; `total` is null when it was not counted."""

    total: int | None
    limit: int
    offset: int
    next_cursor: str | None = None

    @model_serializer(mode="wrap")
    def _leave_out_cursor(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        members: dict[str, Any] = serialize(self)
        if members["next_cursor"] is None:
            del members["next_cursor"]
        return members


class PageBody(BaseModel, Generic[Item]):
    """A page on the wire."""

    results: list[Item]
    pagination: Pagination


def sorted_by(*names: str) -> Any:
    """`limit`, `offset` and `sort` as a dependency, for a list that can be ordered by any of `names`.

    The names stand in the API document only: the repository that owns the columns refuses others by name.
    """
    either = "|".join(names)
    pattern = rf"^(-?({either})(,-?({either}))*)?$" if names else "^$"
    words = f"Names separated by commas, `-` for descending: {', '.join(names)}" if names else "Not offered here"
    said = Query(max_length=200, description=words, json_schema_extra={"pattern": pattern})

    async def parameters(
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        sort: str = "",
    ) -> PageRequest:
        return PageRequest(limit=limit, offset=offset, sort=parse_sort(sort))

    parameters.__annotations__["sort"] = Annotated[str, said]
    return Depends(parameters)


async def cursor_parameters(
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    offset: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
    count: bool = True,
) -> PageRequest:
    """`limit`, `cursor` or `offset`, and `count=false`, for spans and events."""
    if cursor is not None and offset is not None:
        raise BadRequest("use cursor or offset, not both")
    return PageRequest(limit=limit, offset=offset or 0, cursor=cursor, is_counted=count)


PageParams = Annotated[PageRequest, sorted_by()]
CursorParams = Annotated[PageRequest, Depends(cursor_parameters)]


def page_body(page: Page[Any], render: Callable[[Any], Any]) -> dict[str, Any]:
    """The envelope of `page` with each row rendered; `next_cursor` appears only where there is one."""
    pagination: dict[str, Any] = {"total": page.total, "limit": page.limit, "offset": page.offset}
    if page.next_cursor is not None:
        pagination["next_cursor"] = page.next_cursor
    return {"results": [render(row) for row in page.results], "pagination": pagination}
