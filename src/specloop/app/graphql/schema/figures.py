"""Figures over everything the caller recorded (specstory.md §2.3)."""

from __future__ import annotations

import strawberry

from specloop.app.graphql.paging import size_of
from specloop.app.graphql.reading import Info
from specloop.app.graphql.schema.values import amount
from specloop.record import sessions

MODELS_DEFAULT = 10
WEEK_DAYS = 7


@strawberry.type
class ModelUse:
    """Sessions in which a model answered."""

    model: str
    count: int
    total_size: int = strawberry.field(description="Bytes of Markdown")


@strawberry.type
class ClientUse:
    """Sessions that a client uploaded."""

    client: str
    count: int
    average_size: int = strawberry.field(description="Bytes of Markdown")


@strawberry.type
class DayActivity:
    """One day (UTC)."""

    date: str
    sessions: int
    projects: int


@strawberry.type
class ModelCount:
    """A model with its sessions."""

    model: str
    count: int


@strawberry.type(description="What began in a span of time")
class Analytics:
    """One span."""

    activity: strawberry.Private[sessions.Activity]

    @strawberry.field
    def total_sessions(self) -> int:
        """Sessions."""
        return self.activity.sessions

    @strawberry.field
    def total_projects(self) -> int:
        """Projects with at least one of them."""
        return self.activity.projects

    @strawberry.field
    def sessions_by_model(self) -> list[ModelUse]:
        """Most frequent first."""
        return [ModelUse(model=name, count=n, total_size=amount(size)) for name, n, size in self.activity.by_model]

    @strawberry.field
    def sessions_by_client(self) -> list[ClientUse]:
        """Most frequent first."""
        rows = self.activity.by_client
        return [ClientUse(client=name, count=n, average_size=amount(round(size / n))) for name, n, size in rows]

    @strawberry.field
    def activity_by_day(self) -> list[DayActivity]:
        """Days that have sessions, oldest first."""
        rows = self.activity.by_day
        return [DayActivity(date=day, sessions=count, projects=projects) for day, count, projects in rows]


@strawberry.type(description="Figures over everything")
class Stats:
    """All sessions of the caller."""

    total_sessions: int
    total_projects: int
    sessions_this_week: int = strawberry.field(description="Uploaded in the last seven days")

    @strawberry.field(name="topLLMModels", description="The models (10) with the most sessions")
    async def top_models(self, info: Info, limit: int | None = None) -> list[ModelCount]:
        """Most frequent first."""
        shown = size_of(MODELS_DEFAULT if limit is None else limit)
        return [ModelCount(model=name, count=n) for name, n in (await info.context.models())[:shown]]
