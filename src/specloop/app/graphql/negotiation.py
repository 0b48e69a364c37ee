"""Which form of answer a caller reads (GraphQL over HTTP, media types). It knows headers only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from starlette.requests import HTTPConnection

PATH: Final = "/api/v1/graphql"
JSON: Final = "application/json"
GRAPHQL_JSON: Final = "application/graphql-response+json"
HTML: Final = "text/html"


def accepted(connection: HTTPConnection) -> list[str]:
    """The media ranges of the Accept headers, best first; those with q=0 are left out."""
    ranked = sorted(_ranges(", ".join(connection.headers.getlist("accept"))), key=lambda one: -one[1])
    return [name for name, quality in ranked if quality > 0]


def media_type_of(connection: HTTPConnection) -> str:
    """The type of the answer; application/json unless the newer one is named first."""
    wanted = accepted(connection)
    return next((name for name in wanted if name in {JSON, GRAPHQL_JSON}), JSON)


def reads_only_json(connection: HTTPConnection) -> bool:
    """Whether the caller names application/json and nothing else: then a bad document is answered with 200.

    GraphQL over HTTP asks for that, for the sake of old clients; everybody else gets the 400 that SpecStory's
    documents promise (specstory.md §2).
    """
    return accepted(connection) == [JSON]


def is_page_wanted(connection: HTTPConnection) -> bool:
    """Whether a browser opens the address: a GET that prefers HTML and brings no query."""
    is_ours = connection.scope.get("method") == "GET" and connection.url.path == PATH
    return is_ours and accepted(connection)[:1] == [HTML] and "query" not in connection.query_params


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        name, _, parameters = part.partition(";")
        if name.strip():
            yield name.strip().lower(), _quality(parameters)


def _quality(parameters: str) -> float:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
