"""What a search finds (specstory.md §2.1, §2.2): sessions with rank, snippet and the exchanges that matched."""

from __future__ import annotations

import strawberry

from specloop.app.graphql.reading import Info
from specloop.app.graphql.schema.objects import Session, shared_values
from specloop.app.graphql.schema.values import moment
from specloop.record import search, sessions


@strawberry.type(description="One user turn with everything until the next")
class Exchange:
    """What was said; `session_id` is the client's own id of the session, as in search results."""

    id: str
    session_id: str
    content: str
    created_at: str
    updated_at: str
    order_number: int

    @classmethod
    def of(cls, exchange: sessions.Exchange, session: sessions.Session) -> Exchange:
        """An exchange as the graph shows it."""
        return cls(
            id=exchange.id,
            session_id=session.client_id,
            content=exchange.text,
            created_at=moment(exchange.created_at),
            updated_at=moment(exchange.updated_at),
            order_number=exchange.order_number,
        )


@strawberry.type(description="A session that matches; `id` is the server's id, `sessionId` the client's")
class SearchResultItem(Session):
    """One hit."""

    hit: strawberry.Private[search.Hit]

    session_id: str = strawberry.field(description="The id that the client gave the session")
    user_title: str | None
    rank: float = strawberry.field(description="Relevance: higher is better")
    snippet: str = strawberry.field(description="The words around the first match, matches between U+0002 and U+0003")

    @strawberry.field(description="The conversation as Markdown, as it was uploaded")
    async def markdown_content(self, info: Info) -> str:
        """The stored text."""
        return await info.context.markdown(self.row)

    @strawberry.field(description="The exchanges that match, in the order of the conversation")
    async def matching_exchanges(self, info: Info) -> list[Exchange]:
        """What was said there."""
        found = await info.context.exchanges([one.id for one in self.hit.exchanges])
        return [Exchange.of(one, self.row) for one in found]

    @classmethod
    def of(cls, hit: search.Hit) -> SearchResultItem:
        """A hit as the graph shows it."""
        row = hit.session
        return cls(
            hit=hit,
            session_id=row.client_id,
            user_title=row.user_title,
            rank=hit.rank,
            snippet=hit.snippet,
            **shared_values(row),
        )


@strawberry.type(description="A page of what a search found")
class SearchResult:
    """`project_id` is set when the search was limited to one project."""

    results: list[SearchResultItem]
    total: int = strawberry.field(description="How many sessions match, on all pages")
    query: str
    project_id: str | None
