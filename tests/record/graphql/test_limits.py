"""What asks for too much is refused before anything runs, and quickly (specstory.md §2.4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_introspection_query,
    get_variable_values,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from specloop.app.graphql.documents import check_variables, operation_of, prepare
from specloop.app.graphql.limits import BOUNDS, Bounds, CostMeter, TooCostly, check_shape
from specloop.app.graphql.limits.cost import WEIGHTS
from specloop.app.graphql.schema import SCHEMA
from specloop.errors import SpecloopError
from tests.record.graphql.world import PATH, Shelf
from tests.work import counted

CALLS_MAX = 400_000
"""Of functions, for one document: well below 200 ms (`benchmarks/bench_graphql.py` takes the time)."""
WIDE = dict.fromkeys(Bounds.__dataclass_fields__, 10**9)


def cascade(count: int) -> str:
    """Fragments that each spread the next twice: 2^count fields when written out."""
    parts = [f"fragment F{n} on Project {{ ...F{n + 1} ...F{n + 1} }}" for n in range(count)]
    return "{ projects { ...F0 } } " + " ".join(parts) + f" fragment F{count} on Project {{ id }}"


def nest(levels: int) -> str:
    """Sessions of projects of sessions …"""
    return (
        "{ sessions { sessions { " + "project { sessions { sessions { " * levels + "id" + " } } }" * levels + " } } }"
    )


def chain(count: int) -> str:
    """Fragments that spread the next from the bottom of some levels of their own."""
    inside = "sessions { sessions { project { sessions { sessions { project { "
    parts = [f"fragment F{n} on Project {{ {inside} ...F{n + 1} }} }} }} }} }} }} }}" for n in range(count)]
    return "{ projects { ...F0 } } " + " ".join(parts) + f" fragment F{count} on Project {{ id }}"


META = "metadata { clientName clientVersion agentName deviceId summary gitBranches llmModels tags __typename }"
SESSION = f"id projectId name createdAt updatedAt markdownSize rawDataSize startedAt endedAt {META} __typename"
PROJECT = "id ownerId name icon color lastUpdated sessionCount totalMarkdownSize __typename"
NAMED = "id name __typename"
PAGE = "total hasNextPage hasPreviousPage __typename"
RELAY = "total pageInfo { hasNextPage endCursor __typename } __typename"
ROWS = "fragment S on SessionConnection { total sessions { id name } }"
ORDINARY: dict[str, str] = {
    "projects with their sessions": f"{{ projects {{ {PROJECT} sessions {{ {PAGE} sessions {{ {SESSION} }} }} }} }}",
    "projects with their sessions by edges": (
        f"{{ projects {{ {PROJECT} sessions {{ {RELAY} edges {{ cursor __typename node {{ {SESSION} }} }} }} }} }}"
    ),
    "projects with their sessions and theirs": (
        f"{{ projects {{ {PROJECT} sessions {{ {PAGE} sessions {{ {SESSION} project {{ {NAMED} }} }} }} }} }}"
    ),
    "all that there is by edges": (
        f"{{ projects {{ {PROJECT} sessions {{ {RELAY} edges {{ cursor __typename"
        f" node {{ {SESSION} project {{ {NAMED} }} }} }} }} }} }}"
    ),
    "a part left out": f"{{ projects {{ sessions(limit: 500) @include(if: false) {{ sessions {{ {SESSION} }} }} }} }}",
}
HOSTILE: dict[str, tuple[str, str]] = {
    "depth": (nest(6), "depth"),
    "aliases": ("{" + " ".join(f"a{n}: projects {{ id }}" for n in range(60)) + "}", "aliases"),
    "directives": ("{ projects { id " + "@include(if: true) " * 200 + "} }", "directives"),
    "repeated fields": ("{ projects {" + "id " * 690 + "} }", "repeats"),
    "repeated objects": ("{" + "projects { id name } " * 300 + "}", "repeats"),
    "many tokens": ("{" + "a " * 15_000 + "}", "more than 4000 tokens"),
    "many comments": ("{" + "#\n" * 15_000 + "projects { id } }", "more than 4000 comments"),
    "a long document": ("{" + "," * 40_000 + "projects { id } }", "characters"),
    "a fragment cycle": (
        "{ projects { ...A } } fragment A on Project { sessions { sessions { project { ...A } } } }",
        "spread themselves",
    ),
    "a cycle of two": (
        "{ projects { ...A } } fragment A on Project { ...B } fragment B on Project { ...A }",
        "spread themselves",
    ),
    "a chain of deep fragments": (chain(80), "depth"),
    "an explosion of fragments": (cascade(40), "spreads"),
    "many definitions": (
        "{ projects { id } } " + " ".join(f"fragment F{n} on T {{ id }}" for n in range(200)),
        "definitions",
    ),
    "many operations": (" ".join(f"query Q{n} {{ projects {{ id }} }}" for n in range(200)), "definitions"),
    "inline fragments": ("{" + "... {" * 150 + "projects { id }" + "}" * 150 + "}", "spreads"),
    "deep brackets": ("{" * 20_000, "Syntax Error"),
    "a deep value": ("{ sessions(filters: {tags: " + "[" * 9000 + "]" * 9000 + "}) { total } }", "nested too deeply"),
    "introspection in circles": (
        "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }",
        "introspection depth",
    ),
    "nested lists": ("{ projects { sessions(limit: 500) { sessions { id name } } } }", "cost"),
    "nested edges": (
        "{ sessions(first: 500) { edges { node { project { sessions(first: 500) { edges { node { id } } } } } } } }",
        "cost",
    ),
    "many searches": (
        "{"
        + " ".join(f'a{n}: searchSessions(query: "x") {{ results {{ id name createdAt }} }}' for n in range(50))
        + "}",
        "cost",
    ),
    "a negative limit": ("{ sessions(limit: -1) { total } }", "limit: must be between"),
    "a negative offset": ("{ sessions(offset: -1) { total } }", "offset: must be between"),
    "page zero": ('{ searchSessions(query: "x", page: 0) { total } }', "page: must be between"),
    "unknown fields": ("{ projects {" + " ".join(f"sesionCouny{n}" for n in range(690)) + "} }", "Cannot query field"),
    "many variables": (
        "query(" + " ".join(f"$v{n}: Int" for n in range(900)) + ") { projects { id } }",
        "variables",
    ),
}


FIELDS = "id name icon color ownerId lastUpdated sessionCount totalMarkdownSize createdAt updatedAt"
LARGEST = "{" + " ".join(f"a{n}: project(id: {n}) {{ {FIELDS} }}" for n in range(BOUNDS.aliases)) + "}"


def refused(query: str, variables: dict[str, Any] | None = None) -> tuple[str, int]:
    """The words of the refusal, and how many calls of functions it took."""
    with counted() as work, pytest.raises(SpecloopError) as caught:
        prepared = prepare(SCHEMA, query)
        check_variables(SCHEMA, prepared, operation_of(prepared, None), variables or {})
    errors: list[Any] = getattr(caught.value, "errors", [])
    return " ".join([caught.value.detail, *(error.message for error in errors)]), work.calls


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_with_little_work(name: str) -> None:
    query, words = HOSTILE[name]
    text, calls = refused(query)
    assert words in text
    assert calls <= CALLS_MAX


def cost_of(query: str, variables: dict[str, Any] | None = None) -> int:
    """What the limits think a query costs."""
    prepared = prepare(SCHEMA, query)
    operation = operation_of(prepared, None)
    values = get_variable_values(SCHEMA, operation.variable_definitions or (), variables or {})
    assert not isinstance(values, list)
    return CostMeter(SCHEMA, prepared.fragments, values.coerced).check(operation, Bounds(**WIDE))


def test_list_bounds_hold_for_variables_too() -> None:
    text, _ = refused("query($n: Int) { sessions(limit: $n) { total } }", {"n": -1})
    assert "limit: must be between 0 and 500" in text


@pytest.mark.parametrize("field", ["sessions", "projects { sessions", 'session(id: "a") { relatedSessions'])
def test_a_limit_beyond_the_highest_costs_what_the_highest_costs(field: str) -> None:
    query = f"query($n: Int) {{ {field}(limit: $n) {{ __typename }} {'}' * field.count('{')} }}"
    assert cost_of(query, {"n": 100_000}) == cost_of(query, {"n": 500}) > cost_of(query, {"n": 499})


@pytest.mark.parametrize("name", ORDINARY)
def test_what_people_ordinarily_ask_for_passes(name: str) -> None:
    prepared = prepare(SCHEMA, ORDINARY[name])
    check_variables(SCHEMA, prepared, operation_of(prepared, None), {})


def test_a_page_costs_its_rows_and_its_own_fields_once() -> None:
    rows = cost_of("{ sessions(limit: 100) { total } }")
    assert cost_of("{ sessions(limit: 100) { total hasNextPage pageInfo { endCursor } } }") == rows + 3
    assert cost_of("{ sessions(limit: 100) { total sessions { id name } } }") == rows + 1 + 2 * 100
    assert cost_of("{ ...P } fragment P on Query { sessions(limit: 100) { ...S } } " + ROWS) == rows + 1 + 2 * 100
    both = "{ a: sessions(limit: 100) { ...S } b: sessions(limit: 1) { ...S } } " + ROWS
    assert cost_of(both) == rows + 1 + 2 * 100 + cost_of("{ sessions(limit: 1) { ...S } } " + ROWS)


def test_rows_are_paid_for_when_nothing_of_them_is_asked() -> None:
    pages = " ".join(f"a{n}: sessions(limit: {500 - n}) {{ total }}" for n in range(10))
    assert "cost" in refused(f"{{ projects {{ {pages} }} }}")[0]


@pytest.mark.parametrize(
    ("directive", "is_wanted"),
    [
        ("@include(if: false)", False),
        ("@include(if: true)", True),
        ("@include(if: $no)", False),
        ("@skip(if: true)", False),
        ("@skip(if: $no)", True),
        ("@include(if: true) @skip(if: true)", False),
    ],
)
def test_what_is_left_out_costs_nothing(directive: str, *, is_wanted: bool) -> None:
    parts = (
        f"sessions(limit: 500) {directive} {{ sessions {{ id }} }}",
        f"... {directive} {{ sessions(limit: 500) {{ sessions {{ id }} }} }}",
        f"...F {directive}",
    )
    fragment = "fragment F on Query { sessions(limit: 500) { sessions { id } } }"
    for part in parts:
        query = f"query($no: Boolean = false) {{ ... @include(if: $no) {{ ...F }} {part} __typename }} {fragment}"
        assert (cost_of(query) > 500) is is_wanted, part


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ('{ sessions(filters: {searchText: "word"}) { total } }', {}),
        ("query($t: String) { sessions(filters: {tags: [], searchText: $t}) { total } }", {"t": "word"}),
        ("query($f: SessionFilters) { sessions(filters: $f) { total } }", {"f": {"searchText": "word"}}),
    ],
)
def test_a_list_with_words_costs_what_a_search_costs(query: str, variables: dict[str, Any]) -> None:
    plain = cost_of("{ sessions { total } }") - WEIGHTS["Query.sessions"]
    assert cost_of(query, variables) == plain + WEIGHTS["Query.searchSessions"]
    assert cost_of(query.replace('"word"', "null")) == plain + WEIGHTS["Query.sessions"]


def test_cost_grows_with_variables() -> None:
    query = "query($n: Int) { projects { sessions(first: $n) { sessions { id name createdAt } } } }"
    assert "cost" in refused(query, {"n": 500})[0]
    prepared = prepare(SCHEMA, query)
    check_variables(SCHEMA, prepared, operation_of(prepared, None), {"n": 10})


def test_many_values_in_variables_are_refused_with_little_work() -> None:
    query = "query($f: SessionFilters) { sessions(filters: $f) { total } }"
    text, calls = refused(query, {"f": {"tags": ["x"] * 40_000}})
    assert "values" in text
    assert calls <= CALLS_MAX


def test_the_largest_document_that_passes_is_checked_with_little_work() -> None:
    with counted() as work:
        prepared = prepare(SCHEMA, LARGEST)
        check_variables(SCHEMA, prepared, operation_of(prepared, None), {})
    assert work.calls <= CALLS_MAX


@pytest.mark.parametrize("is_full", [False, True])
def test_the_usual_introspection_query_passes(is_full: bool) -> None:
    query = get_introspection_query(
        specified_by_url=is_full,
        directive_is_repeatable=is_full,
        schema_description=is_full,
        input_value_deprecation=is_full,
    )
    prepared = prepare(SCHEMA, query)
    check_variables(SCHEMA, prepared, operation_of(prepared, None), {})


async def test_a_megabyte_of_tokens_is_refused_with_little_work(shelf: Shelf) -> None:
    body = json.dumps({"query": "{" + "a " * 500_000 + "}"})
    await shelf.ask("{ projects { id } }")
    headers = {"Authorization": f"Bearer {shelf.visitor.token}", "Content-Type": "application/json"}
    with counted() as work:
        answer = await shelf.visitor.client.post(PATH, content=body, headers=headers)
    assert work.calls <= CALLS_MAX
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"


async def test_a_refusal_says_what_is_too_large(shelf: Shelf) -> None:
    answer = await shelf.send("{ projects { sessions(limit: 500) { sessions { id name } } } }")
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    error = answer.json()["errors"][0]
    assert error["extensions"] == {"code": "VALIDATION_ERROR", "limit": "cost", "highest": BOUNDS.cost}
    assert "shorter lists" in error["message"]


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Documents with fields, aliases, inline fragments and fragments that spread later ones only."""
    count = draw(st.integers(0, 4))

    def selections(after: int, depth: int) -> str:
        kinds = ["field", "alias"] + (["object", "inline"] if depth else []) + (["spread"] if after < count else [])
        parts: list[str] = []
        for index, kind in enumerate(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))):
            match kind:
                case "field":
                    parts.append(f"f{index}")
                case "alias":
                    parts.append(f"x{index}: f")
                case "object":
                    parts.append(f"o{index} {{ {selections(after, depth - 1)} }}")
                case "inline":
                    parts.append(f"... @a {{ {selections(after, depth - 1)} }}")
                case _:
                    parts.append(f"...F{draw(st.integers(after, count - 1))}")
        return " ".join(parts)

    fragments = [f"fragment F{n} on T {{ {selections(n + 1, 2)} }}" for n in range(count)]
    return f"{{ {selections(0, 3)} }} " + " ".join(fragments)


def written_out(document: DocumentNode, count: Callable[[Any], int]) -> int:
    """The slow and obvious way: write every fragment out and add up what `count` says of each selection.

    The larger of all operations together and the largest fragment: an unused fragment is held to the bounds as well.
    """
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}

    def total(selection_set: Any) -> int:
        found = 0
        for node in selection_set.selections:
            found += count(node)
            if isinstance(node, FragmentSpreadNode):
                found += total(fragments[node.name.value].selection_set)
            elif node.selection_set is not None:
                found += total(node.selection_set)
        return found

    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    largest = max((total(one.selection_set) for one in fragments.values()), default=0)
    return max(sum(total(one.selection_set) for one in operations), largest)


@given(documents())
def test_shapes_are_counted_as_if_fragments_were_written_out(text: str) -> None:
    document = parse(text)
    expected = {
        "fields": written_out(document, lambda node: isinstance(node, FieldNode)),
        "aliases": written_out(document, lambda node: isinstance(node, FieldNode) and node.alias is not None),
        "directives": written_out(document, lambda node: len(node.directives or ())),
        "spreads": written_out(document, lambda node: isinstance(node, FragmentSpreadNode | InlineFragmentNode)),
    }
    for name, count in expected.items():
        check_shape(document, Bounds(**{**WIDE, name: count}))
        if count:
            with pytest.raises(TooCostly):
                check_shape(document, Bounds(**{**WIDE, name: count - 1}))
