"""The search on SpecStory's wire (specstory.md §1.5), and our richer form of it in the same envelope."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from specloop.record.search.model import Hit, SearchAnswer
from specloop.record.sessions.schema import SessionBody, Wire, session_body
from specloop.transport.schema import ShortText


class ResumeQuery(BaseModel):
    """What is searched for while somebody types; unknown members are ignored."""

    model_config = ConfigDict(alias_generator=to_camel)

    # Whatever was typed, NUL too: what is no letter and no digit only ends a word.
    query: str = Field("", json_schema_extra={"pattern": r"^[\s\S]*$"})
    project_id: ShortText | None = None


class ResumeHit(SessionBody):
    """A session with the text of its first match; matches stand between U+0002 and U+0003."""

    snippet: str


class ResumeAnswer(Wire):
    """All hits, newest first."""

    results: list[ResumeHit]
    total: int


class MatchBody(Wire):
    """An exchange that matched; a higher rank is better."""

    id: str
    order_number: int
    rank: float


class HitBody(SessionBody):
    """A session that matched; a higher rank is better."""

    title: str
    snippet: str
    rank: float
    exchanges: list[MatchBody]


class FacetValue(Wire):
    """A value and how many of the matching sessions have it."""

    value: str
    count: int


class SearchBody(Wire):
    """One page of hits; `total` counts all, `facets` are by name and empty unless asked for."""

    hits: list[HitBody]
    total: int
    limit: int
    offset: int
    facets: dict[str, list[FacetValue]] = Field(default_factory=dict[str, list[FacetValue]])


def resume_body(answer: SearchAnswer) -> dict[str, Any]:
    """`ResumeAnswer`."""
    results = [{**session_body(hit.session), "snippet": hit.snippet} for hit in answer.hits]
    return {"results": results, "total": answer.total}


def search_body(answer: SearchAnswer, limit: int, offset: int) -> dict[str, Any]:
    """`SearchBody`."""
    return {
        "hits": [_hit(hit) for hit in answer.hits],
        "total": answer.total,
        "limit": limit,
        "offset": offset,
        "facets": {
            name: [{"value": value, "count": count} for value, count in values]
            for name, values in answer.facets.items()
        },
    }


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        **session_body(hit.session),
        "title": hit.session.display_title,
        "snippet": hit.snippet,
        "rank": round(hit.rank, 6),
        "exchanges": [
            {"id": one.id, "orderNumber": one.order_number, "rank": round(one.rank, 6)} for one in hit.exchanges
        ],
    }
