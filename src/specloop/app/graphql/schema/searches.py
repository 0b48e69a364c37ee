"""What a search finds (specstory.md §2.1, §2.2): sessions with rank, snippet and the exchanges that matched."""

from __future__ import annotations

import strawberry

from specloop.app.graphql.reading import Info
from specloop.app.graphql.schema.objects import Session
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

    @strawberry.field(description="The id that the client gave the session")
    def session_id(self) -> str:
        """As in URLs."""
        return self.row.client_id

    @strawberry.field
    def user_title(self) -> str | None:
        """The title that a person gave it."""
        return self.row.user_title

    @strawberry.field(description="The conversation as Markdown, as it was uploaded")
    async def markdown_content(self, info: Info) -> str:
        """The stored text."""
        return await info.context.markdown(self.row)

    @strawberry.field(description="Relevance: higher is better")
    def rank(self) -> float:
        """Comparable within one search."""
        return self.hit.rank

    @strawberry.field(description="The words around the first match, matches between U+0002 and U+0003")
    def snippet(self) -> str:
        """Some 8 to 18 words."""
        return self.hit.snippet

    @strawberry.field(description="The exchanges that match, in the order of the conversation")
    async def matching_exchanges(self, info: Info) -> list[Exchange]:
        """What was said there."""
        found = await info.context.exchanges([one.id for one in self.hit.exchanges])
        return [Exchange.of(one, self.row) for one in found]


@strawberry.type(description="A page of what a search found")
class SearchResult:
    """`project_id` is set when the search was limited to one project."""

    results: list[SearchResultItem]
    total: int = strawberry.field(description="How many sessions match, on all pages")
    query: str
    project_id: str | None
