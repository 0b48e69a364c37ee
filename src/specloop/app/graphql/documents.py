"""From the text of a query to an operation that may be executed: bounded, parsed, validated, its variables coerced.

The checks stand in the order of their price, so that a hostile text costs little. Documents that passed are kept:
clients send the same few again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    MaxIntrospectionDepthRule,
    OperationDefinitionNode,
    get_variable_values,
    parse,
    specified_rules,
    validate,
)

from specloop.app.graphql.limits import BOUNDS, CostMeter, check_shape, refuse
from specloop.errors import BadRequest

KEPT: Final = 128
ERRORS_MAX: Final = 10
INTROSPECTION: Final = frozenset({"__schema", "__type", "__typename"})
_RULES: Final = (*specified_rules, *({MaxIntrospectionDepthRule} - set(specified_rules)))


class BadQuery(BadRequest):
    """Invalid GraphQL query or variables."""

    code = "bad-query"

    def __init__(self, errors: list[GraphQLError]) -> None:
        """`errors` say what is wrong where."""
        super().__init__()
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that passed, with its fragments by name."""

    document: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]

    @property
    def operations(self) -> list[OperationDefinitionNode]:
        """What it could execute."""
        return [one for one in self.document.definitions if isinstance(one, OperationDefinitionNode)]


def prepare(schema: GraphQLSchema, text: str) -> Prepared:
    """Parse and validate `text`.

    Raises: TooCostly, FragmentCycle, BadQuery.
    """
    if len(text) > BOUNDS.document_chars:
        raise refuse("characters", BOUNDS.document_chars)
    return _prepared(schema, text)


@lru_cache(maxsize=KEPT)
def _prepared(schema: GraphQLSchema, text: str) -> Prepared:
    try:
        document = parse(text, max_lexical_tokens=BOUNDS.tokens, max_comments=BOUNDS.tokens)
    except GraphQLError as error:
        raise BadQuery([error]) from error
    check_shape(document, BOUNDS)
    errors = validate(schema, document, _RULES, max_errors=ERRORS_MAX)
    if errors:
        raise BadQuery(errors)
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    return Prepared(document, fragments)


def operation_of(prepared: Prepared, name: str | None) -> OperationDefinitionNode:
    """The operation that is meant (GraphQL §6.1).

    Raises: BadQuery.
    """
    if name is None:
        if len(prepared.operations) == 1:
            return prepared.operations[0]
        raise BadQuery([GraphQLError("Must provide operation name if query contains multiple operations.")])
    found = next((one for one in prepared.operations if one.name is not None and one.name.value == name), None)
    if found is None:
        raise BadQuery([GraphQLError(f"Unknown operation named '{name[:100]}'.")])
    return found


def check_variables(
    schema: GraphQLSchema, prepared: Prepared, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> None:
    """Coerce the variables and estimate with them what the answer costs.

    Raises: BadQuery, TooCostly, ValidationFailed.
    """
    if _count(given) > BOUNDS.values:
        raise refuse("values", BOUNDS.values, "send fewer values in the variables")
    values = get_variable_values(schema, operation.variable_definitions or (), dict(given), max_errors=ERRORS_MAX)
    if isinstance(values, list):
        raise BadQuery(values)
    CostMeter(schema, prepared.fragments, values.coerced).check(operation, BOUNDS)


def _count(given: object) -> int:
    """How many values there are, at every depth."""
    count, pending = 0, [given]
    while pending and count <= BOUNDS.values:
        value = pending.pop()
        count += 1
        if isinstance(value, dict):
            pending.extend(cast("dict[str, object]", value).values())
        elif isinstance(value, list):
            pending.extend(cast("list[object]", value))
    return count


def is_introspection_only(prepared: Prepared, operation: OperationDefinitionNode) -> bool:
    """Whether the operation asks for nothing but the schema itself."""
    pending = [operation.selection_set]
    while pending:
        for node in pending.pop().selections:
            name: str = getattr(getattr(node, "name", None), "value", "")
            if node.kind == "field" and name not in INTROSPECTION:
                return False
            if node.kind == "inline_fragment":
                pending.append(node.selection_set)  # type: ignore[attr-defined]
            elif node.kind == "fragment_spread" and name in prepared.fragments:
                pending.append(prepared.fragments[name].selection_set)
    return True
