"""What is asked of the search and what it answers. Knows neither engine nor wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from specloop.record.sessions import Session, SessionFilters

LIMIT_MAX = 500


class SearchMode(StrEnum):
    """By words alone, or by words and meaning together."""

    TEXT = "text"
    HYBRID = "hybrid"


class SearchSort(StrEnum):
    """Best first or newest first."""

    RELEVANCE = "relevance"
    RECENT = "recent"


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search over the caller's sessions. Filters of the query and `filters` must both hold.

    `limit` None asks for every hit; `exchanges_max` bounds the matched exchanges that each names, the first ones.
    """

    query: str
    filters: SessionFilters = field(default_factory=SessionFilters)
    mode: SearchMode = SearchMode.TEXT
    sort: SearchSort = SearchSort.RELEVANCE
    limit: int | None = 20
    offset: int = 0
    has_facets: bool = False
    exchanges_max: int = 50


@dataclass(frozen=True, slots=True)
class MatchedExchange:
    """An exchange of a hit that matched; `rank` is higher for better ones."""

    id: str
    order_number: int
    rank: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A session that matched, with its matched exchanges in order. `snippet` is of the first of them.

    Found by meaning alone, `exchanges` holds the nearest one and the snippet has no marks.
    """

    session: Session
    exchanges: Sequence[MatchedExchange]
    snippet: str
    rank: float


Facets = Mapping[str, Sequence[tuple[str, int]]]
"""By facet name: values with the number of sessions, most first."""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """One page of hits; `total` counts every session that matches."""

    hits: Sequence[Hit] = ()
    total: int = 0
    facets: Facets = field(default_factory=dict[str, Sequence[tuple[str, int]]])
