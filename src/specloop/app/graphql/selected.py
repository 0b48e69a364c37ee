"""What a field's selection asks for, for the few things that are dear to have ready in vain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
)


def is_selected(node: SelectionNode, name: str, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether a field with this name stands in `node` at any depth; `@include` and `@skip` are not looked at."""
    inner: Sequence[SelectionNode] = ()
    match node:
        case FragmentSpreadNode():
            inner = fragments[node.name.value].selection_set.selections
        case InlineFragmentNode():
            inner = node.selection_set.selections
        case FieldNode():
            if node.name.value == name:
                return True
            inner = node.selection_set.selections if node.selection_set is not None else ()
        case _:
            raise TypeError(type(node))
    return any(is_selected(one, name, fragments) for one in inner)
