"""The schema, built once, and its text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    lexicographic_sort_schema,
    print_schema,
)

from specloop.app.graphql.schema.objects import RelatedSession, SessionSummary
from specloop.app.graphql.schema.query import Query


def build() -> GraphQLSchema:
    """graphql-core's form, which is what requests are checked and executed with."""
    made = strawberry.Schema(Query, types=[SessionSummary, RelatedSession])
    schema = cast(GraphQLSchema, vars(made)["_schema"])
    for slot in _slots(schema):
        if slot.default_value is None:  # the contract's arguments may be left out, they do not default to null
            slot.default_value = Undefined
    return schema


def sdl() -> str:
    """The schema definition language of the whole graph, sorted by name."""
    return print_schema(lexicographic_sort_schema(SCHEMA)).rstrip() + "\n"


def _slots(schema: GraphQLSchema) -> Iterator[GraphQLArgument | GraphQLInputField]:
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        if isinstance(kind, GraphQLInputObjectType):
            yield from kind.fields.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for one in kind.fields.values():
                yield from one.args.values()


SCHEMA: Final = build()
