"""How large a GraphQL request may be. Everything here is refused before anything is executed."""

from __future__ import annotations

from dataclasses import dataclass

from specloop.errors import BadRequest


class TooCostly(BadRequest):
    """The query asks for more than one request may; `limit` names the bound that it breaks."""

    code = "query-too-costly"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The default bounds: a few times what the full introspection query and the known clients need."""

    body_bytes: int = 256 * 1024
    document_chars: int = 32 * 1024
    tokens: int = 4000
    depth: int = 16
    """Nested selections; the usual introspection query has 15."""
    aliases: int = 50
    directives: int = 50
    fields: int = 700
    """Fields with every fragment written out where it is spread; what validation costs grows with its square."""
    repeats: int = 20
    """Fields that stand twice in the same selection: whether they can be merged is checked pair by pair."""
    spreads: int = 100
    """Fragments, named or inline, counted wherever they are written out, for the same reason."""
    definitions: int = 100
    """Operations and fragments of a document."""
    variables: int = 50
    """Variables of an operation."""
    values: int = 2000
    """Values in the variables, however they are nested."""
    cost: int = 72_000
    """Fields of the answer, estimated with the sizes that lists were asked for.

    All that there is of the sessions (50) of the projects (50), in Relay's form and with `__typename`, is 71,000.
    """


BOUNDS = Bounds()


def refuse(limit: str, highest: int, advice: str = "") -> TooCostly:
    """The error for a query that has more than `highest` of something."""
    text = f"the query is too large: {limit} may be at most {highest}"
    return TooCostly(f"{text}; {advice}" if advice else text, limit=limit, highest=highest)
