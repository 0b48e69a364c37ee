"""Counts what a document would become with its fragments written out, without writing them out.

Each definition is walked once; a fragment's figures are added wherever it is spread, so an exponential document takes
linear time. The numbers are checked as they grow.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from specloop.app.graphql.limits.bounds import Bounds, TooCostly, refuse

CHECKED: Final = ("depth", "fields", "aliases", "directives", "repeats", "spreads")
Definition = OperationDefinitionNode | FragmentDefinitionNode


@dataclass(slots=True)
class Shape:
    """The figures of a selection with everything below it."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    repeats: int = 0
    spreads: int = 0

    def add(self, other: Shape, *, deeper: int = 0) -> None:
        """Take in a part that stands `deeper` levels below."""
        self.depth = max(self.depth, other.depth + deeper)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.repeats += other.repeats
        self.spreads += other.spreads


class FragmentCycle(TooCostly):
    """The query has fragments that spread themselves."""


def check_shape(document: DocumentNode, bounds: Bounds) -> None:
    """Refuse a document that is too deep or too wide.

    Raises: TooCostly, FragmentCycle.
    """
    if len(document.definitions) > bounds.definitions:
        raise refuse("definitions", bounds.definitions)
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    counter = _Counter(fragments, bounds)
    whole = Shape()
    try:
        for name in fragments:  # unused ones cost validation as well
            counter.fragment(name)
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                if len(definition.variable_definitions or ()) > bounds.variables:
                    raise refuse("variables", bounds.variables)
                whole.add(counter.definition(definition))
                counter.check(whole)
    except RecursionError as error:  # a chain of fragments, each of them deep
        raise refuse("depth", bounds.depth) from error


class _Counter:
    """The figures of fragments that were met already."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode], bounds: Bounds) -> None:
        self._fragments = fragments
        self._bounds = bounds
        self._known: dict[str, Shape] = {}
        self._open: set[str] = set()

    def definition(self, node: Definition) -> Shape:
        """The figures of one definition."""
        shape = self._selections(node.selection_set, 1)
        shape.directives += len(node.directives or ())
        return shape

    def fragment(self, name: str) -> Shape:
        """The figures of a named fragment; an unknown one has none (validation will say so)."""
        if name in self._open:
            raise FragmentCycle(limit="fragments")
        known = self._known.get(name)
        if known is None:
            node = self._fragments.get(name)
            self._open.add(name)
            known = Shape() if node is None else self.definition(node)
            self._open.discard(name)
            self.check(known)
            self._known[name] = known
        return known

    def check(self, shape: Shape) -> None:
        """Raises: TooCostly."""
        for name in CHECKED:
            if getattr(shape, name) > getattr(self._bounds, name):
                raise refuse(name, getattr(self._bounds, name))

    def _selections(self, selections: SelectionSetNode, level: int) -> Shape:
        if level > self._bounds.depth:
            raise refuse("depth", self._bounds.depth)
        names = Counter(_response_name(node) for node in selections.selections if isinstance(node, FieldNode))
        shape = Shape(depth=1, repeats=names.total() - len(names))
        for node in selections.selections:
            self._add(shape, node, level)
            self.check(shape)
        return shape

    def _add(self, shape: Shape, node: SelectionNode, level: int) -> None:
        shape.directives += len(node.directives or ())
        if isinstance(node, FragmentSpreadNode):
            shape.spreads += 1
            shape.add(self.fragment(node.name.value))
            return
        if isinstance(node, InlineFragmentNode):
            shape.spreads += 1
            shape.add(self._selections(node.selection_set, level))
        if isinstance(node, FieldNode):
            shape.fields += 1
            shape.aliases += node.alias is not None
            if node.selection_set is not None:
                shape.add(self._selections(node.selection_set, level + 1), deeper=1)


def _response_name(node: FieldNode) -> str:
    return (node.alias or node.name).value
