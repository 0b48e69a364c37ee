"""Pages of rows: limit, offset and sort on a white-list (spectral.md §1.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from specloop.errors import ValidationFailed

T = TypeVar("T")
LIMIT_DEFAULT = 20
LIMIT_MAX = 100


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: `sort` is a tuple of (name, descending); `cursor` excludes `offset`."""

    limit: int = LIMIT_DEFAULT
    offset: int = 0
    sort: tuple[tuple[str, bool], ...] = ()
    cursor: str | None = None
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of results; `total` is None when it was not counted."""

    results: Sequence[T]
    total: int | None
    limit: int
    offset: int = 0
    next_cursor: str | None = None


async def paginate(
    session: AsyncSession,
    query: Select[Any],
    page: PageRequest,
    *,
    sortable: Mapping[str, Any],
    default_sort: str,
    tie_break: Any,
) -> Page[Any]:
    """The rows of `query` for `page`, in a total order (`tie_break` is a unique column).

    Rows are scalars when the query selects one entity, else SQLAlchemy rows.
    Raises: ValidationFailed for a sort name outside `sortable`.
    """
    total = None
    if page.is_counted:
        total = await session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    ordered = query.order_by(*_order(page.sort or parse_sort(default_sort), sortable), tie_break)
    result = await session.execute(ordered.limit(page.limit).offset(page.offset))
    rows = result.scalars().all() if len(query.column_descriptions) == 1 else result.all()
    return Page(rows, total, page.limit, page.offset)


def parse_sort(text: str) -> tuple[tuple[str, bool], ...]:
    """`-created_at,name` as ((created_at, True), (name, False))."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return tuple((part.lstrip("-"), part.startswith("-")) for part in parts)


def _order(sort: tuple[tuple[str, bool], ...], sortable: Mapping[str, Any]) -> list[Any]:
    unknown = [name for name, _ in sort if name not in sortable]
    if unknown:
        allowed = ", ".join(sorted(sortable))
        raise ValidationFailed.of(["query", "sort"], f"cannot sort by '{unknown[0]}'; allowed: {allowed}")
    return [sortable[name].desc() if descending else sortable[name].asc() for name, descending in sort]
