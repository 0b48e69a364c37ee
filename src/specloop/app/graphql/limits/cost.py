"""Estimates how many fields an answer would have, from the sizes that lists are asked for.

The rows of a page are read whatever is asked of it, so a paged field costs its `limit` or `first`; what stands below is
multiplied by that where the rows come out, in `sessions`, `edges` and `results`. Other lists have a size that is usual
for them, those of introspection the sizes of our own schema. What `@include` and `@skip` leave out costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
)

from specloop.app.graphql.limits.bounds import Bounds, refuse
from specloop.app.graphql.paging import LIMIT_DEFAULT, NESTED_DEFAULT, OFFSET_MAX, bounded, size_of

PAGED: Final[Mapping[str, int]] = {
    "Query.sessions": LIMIT_DEFAULT,
    "Query.searchSessions": LIMIT_DEFAULT,
    "Project.sessions": NESTED_DEFAULT,
    "SessionDetail.relatedSessions": 5,
    "ProjectStats.topTags": 10,
    "Stats.topLLMModels": 10,
}
"""Fields that take `limit` or `first`, with what they give without."""
ROW_COSTS: Final[Mapping[str, int]] = {"SessionConnection": 1, "SearchResult": 2}
"""Types that are a page, with what reading a row costs; a hit is read with its snippet."""
OF_PAGE: Final = 0
"""As many as the page was asked to have."""
SIZES: Final[Mapping[str, int]] = {
    "Query.projects": 50,
    "SessionConnection.sessions": OF_PAGE,
    "SessionConnection.edges": OF_PAGE,
    "SearchResult.results": OF_PAGE,
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
"""Other lists, with their usual size."""
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
_SIZE_ARGUMENTS: Final = ("first", "limit")
_BOUNDS_OF_ARGUMENTS: Final[Mapping[str, tuple[int, int]]] = {
    "offset": (0, OFFSET_MAX),
    "page": (1, OFFSET_MAX),
    "days": (1, 3660),
}
_META: Final = {"__schema": "__Schema", "__type": "__Type"}
_OMITTING: Final = {"include": False, "skip": True}
"""Directives with the value of `if` that leaves a node out."""


class CostMeter:
    """Measures operations of valid documents with the values of their variables."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._known: dict[tuple[str, int], int] = {}

    def check(self, operation: OperationDefinitionNode, bounds: Bounds) -> int:
        """The estimated cost.

        Raises: TooCostly; ValidationFailed for a list argument out of its bounds.
        """
        cost = self._selections(operation.selection_set, self._schema.query_type)
        if cost > bounds.cost:
            raise refuse("cost", bounds.cost, "ask for shorter lists or fewer fields")
        return cost

    def _selections(self, selections: SelectionSetNode, parent: GraphQLNamedType | None, page: int = 1) -> int:
        """What is selected of an object; of one that is a page, `page` is how many rows it has."""
        return sum(self._selection(node, parent, page) for node in selections.selections if self._is_wanted(node))

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType | None, page: int) -> int:
        match node:
            case FieldNode():
                return self._field(node, parent, page)
            case InlineFragmentNode():
                condition = node.type_condition
                inside = self._schema.get_type(condition.name.value) if condition else parent
                return self._selections(node.selection_set, inside, page)
            case FragmentSpreadNode():
                return self._fragment(node.name.value, page)
            case _:
                raise TypeError(type(node))

    def _fragment(self, name: str, page: int) -> int:
        known = self._known.get((name, page))
        if known is None:
            fragment = self._fragments[name]
            inside = self._schema.get_type(fragment.type_condition.name.value)
            known = self._known[name, page] = self._selections(fragment.selection_set, inside, page)
        return known

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, page: int) -> int:
        name = node.name.value
        key = f"{parent.name if parent else ''}.{name}"
        size = self._asked_size(node)  # looked at first, for it may be refused
        weight = WEIGHTS.get(key, 1)
        if key == "Query.sessions" and self._has_text(node):
            weight = WEIGHTS["Query.searchSessions"]
        if node.selection_set is None:
            return weight
        inside = self._type_of(parent, name)
        if size is None:
            size = PAGED[key] if key in PAGED else SIZES.get(key, 1) or page
        if inside is not None and inside.name in ROW_COSTS:
            return weight + size * ROW_COSTS[inside.name] + self._selections(node.selection_set, inside, size)
        return weight + size * self._selections(node.selection_set, inside)

    def _type_of(self, parent: GraphQLNamedType | None, name: str) -> GraphQLNamedType | None:
        """The type of a field's value without its lists and exclamation marks."""
        if name in _META:
            return self._schema.get_type(_META[name])
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and name in parent.fields:
            return self._schema.get_type(str(parent.fields[name].type).strip("[]!"))
        return None

    def _is_wanted(self, node: SelectionNode) -> bool:
        """Whether `@include` and `@skip` leave the node in; in doubt they do."""
        return not any(
            self._boolean(one.arguments[0].value) is _OMITTING[one.name.value]
            for one in node.directives or ()
            if one.name.value in _OMITTING and one.arguments
        )

    def _asked_size(self, node: FieldNode) -> int | None:
        """How many the field is asked for, if it says so; the other bounded arguments are checked as well."""
        found: int | None = None
        for one in node.arguments or ():
            name = one.name.value
            if name in _SIZE_ARGUMENTS and (size := self._integer(one.value)) is not None:
                found = size_of(size)
            if name in _BOUNDS_OF_ARGUMENTS and (value := self._integer(one.value)) is not None:
                lowest, highest = _BOUNDS_OF_ARGUMENTS[name]
                bounded(name, value, highest, lowest)
        return found

    def _has_text(self, node: FieldNode) -> bool:
        """Whether the filters of a list of sessions name words: then it is a search, and one for every match."""
        for one in node.arguments or ():
            if one.name.value == "filters":
                return self._names_text(one.value)
        return False

    def _names_text(self, filters: object) -> bool:
        if isinstance(filters, ObjectValueNode):
            return any(one.name.value == "searchText" and self._is_filled(one.value) for one in filters.fields)
        values = self._variable(filters)
        return isinstance(values, dict) and bool(cast("dict[str, Any]", values).get("searchText"))

    def _is_filled(self, value: object) -> bool:
        return bool(value.value if isinstance(value, StringValueNode) else self._variable(value))

    def _integer(self, value: object) -> int | None:
        if isinstance(value, IntValueNode):
            return int(value.value)
        found = self._variable(value)
        return found if isinstance(found, int) else None

    def _boolean(self, value: object) -> bool | None:
        if isinstance(value, BooleanValueNode):
            return value.value
        found = self._variable(value)
        return found if isinstance(found, bool) else None

    def _variable(self, value: object) -> Any:
        return self._variables.get(value.name.value) if isinstance(value, VariableNode) else None
