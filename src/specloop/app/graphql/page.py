"""The schema as the page shows it: every type of ours with its fields, readable without a script."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
)

from specloop.app.graphql.schema import SCHEMA

EXAMPLE: Final = """{
  sessions(limit: 5) {
    total
    sessions {
      id
      name
      startedAt
      project { name }
      metadata { agentName llmModels }
    }
  }
}"""


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field, an input or a value; `link` names the type on the same page that it leads to."""

    name: str
    type: str = ""
    arguments: str = ""
    description: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class ShownType:
    """A type and what it is: object, interface, input or enum."""

    name: str
    what: str
    description: str
    fields: tuple[ShownField, ...]


@cache
def shown_types() -> tuple[ShownType, ...]:
    """Our own types by name, Query first."""
    ours = [_shown(kind) for kind in SCHEMA.type_map.values() if not kind.name.startswith("__")]
    return tuple(sorted(filter(None, ours), key=lambda one: (one.name != "Query", one.name)))


def _shown(kind: GraphQLNamedType) -> ShownType | None:
    text = kind.description or ""
    match kind:
        case GraphQLObjectType() | GraphQLInterfaceType():
            what = "object" if isinstance(kind, GraphQLObjectType) else "interface"
            fields = tuple(
                _field(name, str(one.type), one.description, ", ".join(f"{at}: {a.type}" for at, a in one.args.items()))
                for name, one in kind.fields.items()
            )
            return ShownType(kind.name, what, text, fields)
        case GraphQLInputObjectType():
            fields = tuple(_field(name, str(one.type), one.description) for name, one in kind.fields.items())
            return ShownType(kind.name, "input", text, fields)
        case GraphQLEnumType():
            return ShownType(kind.name, "enum", text, tuple(ShownField(name) for name in kind.values))
        case _:
            return None


def _field(name: str, type_: str, description: str | None, arguments: str = "") -> ShownField:
    bare = type_.strip("[]!")
    target = SCHEMA.get_type(bare)
    is_ours = isinstance(target, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType | GraphQLEnumType)
    return ShownField(name, type_, arguments, description or "", bare if is_ours else "")
