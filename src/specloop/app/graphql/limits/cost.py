"""Estimates how many fields an answer would have, from the sizes that lists are asked for.

A paged field multiplies what stands below it by its `limit` or `first`; other lists by a size that is usual for them,
those of introspection by the sizes of our own schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from specloop.app.graphql.limits.bounds import Bounds, refuse
from specloop.app.graphql.paging import LIMIT_DEFAULT, LIMIT_MAX, NESTED_DEFAULT, OFFSET_MAX, bounded

PAGED: Final[Mapping[str, int]] = {
    "Query.sessions": LIMIT_DEFAULT,
    "Query.searchSessions": LIMIT_DEFAULT,
    "Project.sessions": NESTED_DEFAULT,
    "SessionDetail.relatedSessions": 5,
    "ProjectStats.topTags": 10,
    "Stats.topLLMModels": 10,
}
"""Fields that take `limit` or `first`, with what they give without."""
SIZES: Final[Mapping[str, int]] = {
    "Query.projects": 50,
    "SessionConnection.sessions": 1,
    "SessionConnection.edges": 1,
    "SearchResult.results": 1,
    "SearchResultItem.matchingExchanges": 4,
    "ProjectStats.sessionsByDay": 30,
    "Analytics.sessionsByModel": 20,
    "Analytics.sessionsByClient": 20,
    "Analytics.activityByDay": 60,
    "__Schema.types": 45,
    "__Schema.directives": 6,
    "__Directive.args": 2,
    "__Type.fields": 8,
    "__Type.interfaces": 1,
    "__Type.possibleTypes": 1,
    "__Type.enumValues": 2,
    "__Type.inputFields": 2,
    "__Field.args": 1,
}
"""Other lists, with their usual size; of a page its size was counted where it was asked for."""
WEIGHTS: Final[Mapping[str, int]] = {
    "Query.analytics": 200,
    "Query.searchSessions": 500,
    "Query.sessions": 20,
    "Query.stats": 20,
    "Project.stats": 20,
    "SearchResultItem.markdownContent": 20,
    "SessionDetail.markdownContent": 20,
    "SessionDetail.relatedSessions": 100,
}
"""Fields that take more work than reading a value."""
_BOUNDS_OF_ARGUMENTS: Final[Mapping[str, tuple[int, int]]] = {
    "limit": (0, LIMIT_MAX),
    "first": (0, LIMIT_MAX),
    "offset": (0, OFFSET_MAX),
    "page": (1, OFFSET_MAX),
    "days": (1, 3660),
}
_META: Final = {"__schema": "__Schema", "__type": "__Type"}


class CostMeter:
    """Measures operations of valid documents with the values of their variables."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._known: dict[str, int] = {}

    def check(self, operation: OperationDefinitionNode, bounds: Bounds) -> int:
        """The estimated cost.

        Raises: TooCostly; ValidationFailed for a list argument out of its bounds.
        """
        cost = self._selections(operation.selection_set, self._schema.query_type)
        if cost > bounds.cost:
            raise refuse("cost", bounds.cost, "ask for shorter lists or fewer fields")
        return cost

    def _selections(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> int:
        total = 0
        for node in selections.selections:
            match node:
                case FieldNode():
                    total += self._field(node, parent)
                case InlineFragmentNode():
                    condition = node.type_condition
                    inside = self._schema.get_type(condition.name.value) if condition else parent
                    total += self._selections(node.selection_set, inside)
                case FragmentSpreadNode():
                    total += self._fragment(node.name.value)
                case _:
                    raise TypeError(type(node))
        return total

    def _fragment(self, name: str) -> int:
        if name not in self._known:
            fragment = self._fragments[name]
            inside = self._schema.get_type(fragment.type_condition.name.value)
            self._known[name] = self._selections(fragment.selection_set, inside)
        return self._known[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> int:
        name = node.name.value
        key = f"{parent.name if parent else ''}.{name}"
        arguments = self._arguments(node)
        weight = WEIGHTS.get(key, 1)
        if node.selection_set is None:
            return weight
        size = SIZES.get(key, 1)
        if key in PAGED:
            size = max(1, arguments.get("first", arguments.get("limit", PAGED[key])))
        return weight + size * self._selections(node.selection_set, self._type_of(parent, name))

    def _type_of(self, parent: GraphQLNamedType | None, name: str) -> GraphQLNamedType | None:
        """The type of a field's value without its lists and exclamation marks."""
        if name in _META:
            return self._schema.get_type(_META[name])
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and name in parent.fields:
            return self._schema.get_type(str(parent.fields[name].type).strip("[]!"))
        return None

    def _arguments(self, node: FieldNode) -> dict[str, int]:
        """The bounded arguments of a field that were given."""
        found: dict[str, int] = {}
        for one in node.arguments or ():
            name = one.name.value
            value = self._integer(one.value) if name in _BOUNDS_OF_ARGUMENTS else None
            if value is not None:
                lowest, highest = _BOUNDS_OF_ARGUMENTS[name]
                found[name] = bounded(name, value, highest, lowest)
        return found

    def _integer(self, value: object) -> int | None:
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, VariableNode):
            found = self._variables.get(value.name.value)
            return found if isinstance(found, int) else None
        return None
