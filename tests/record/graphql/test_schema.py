"""The schema keeps the contract's names, nullability and defaults (specstory.md §2.1); the limits know all of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    build_schema,
    find_breaking_changes,
    is_leaf_type,
)

from specloop.app.graphql.limits.cost import PAGED, SIZES, WEIGHTS
from specloop.app.graphql.schema import SCHEMA, sdl

CONTRACT = build_schema((Path(__file__).parent / "contract.graphql").read_text("utf-8"))
ROOT = Path(__file__).parents[3]


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    """The types that are not GraphQL's own."""
    return [kind for kind in schema.type_map.values() if not kind.name.startswith("__")]


def test_nothing_that_the_real_service_allows_breaks() -> None:
    assert [change.description for change in find_breaking_changes(CONTRACT, SCHEMA)] == []


def test_every_type_of_the_contract_is_spelt_exactly_so() -> None:
    for kind in own_types(CONTRACT):
        ours = SCHEMA.type_map[kind.name]
        if isinstance(kind, GraphQLObjectType):
            assert isinstance(ours, GraphQLObjectType)
            assert {name: str(ours.fields[name].type) for name in kind.fields} == {
                name: str(one.type) for name, one in kind.fields.items()
            }
        if isinstance(kind, GraphQLInputObjectType):
            assert isinstance(ours, GraphQLInputObjectType)
            assert {name: str(ours.fields[name].type) for name in kind.fields} == {
                name: str(one.type) for name, one in kind.fields.items()
            }


def test_only_the_arguments_of_session_are_more_lenient() -> None:
    mine, theirs = SCHEMA.query_type, CONTRACT.query_type
    assert mine is not None
    assert theirs is not None
    for name, entrance in theirs.fields.items():
        for argument, one in entrance.args.items():
            shown = str(mine.fields[name].args[argument].type)
            assert shown == (str(one.type).rstrip("!") if name == "session" else str(one.type))
            assert mine.fields[name].args[argument].default_value is Undefined


def test_there_are_no_mutations_and_no_subscriptions() -> None:
    assert SCHEMA.mutation_type is None
    assert SCHEMA.subscription_type is None


def test_the_limits_know_the_size_of_every_list() -> None:
    lists = {
        f"{kind.name}.{name}"
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        for name, one in kind.fields.items()
        if re.match(r"\[", str(one.type)) and not is_leaf_type(SCHEMA.type_map[str(one.type).strip("[]!")])
    }
    connections = {"Query.sessions", "Query.searchSessions", "Project.sessions"}
    assert lists | connections == set(PAGED) | set(SIZES)


def test_every_field_that_takes_a_limit_is_paged() -> None:
    limited = {
        f"{kind.name}.{name}"
        for kind in own_types(SCHEMA)
        if isinstance(kind, GraphQLObjectType)
        for name, one in kind.fields.items()
        if {"limit", "first"} & set(one.args)
    }
    assert limited == set(PAGED)


def test_weights_are_of_fields_that_exist() -> None:
    for key in WEIGHTS:
        kind, _, name = key.partition(".")
        owner = SCHEMA.type_map[kind]
        assert isinstance(owner, GraphQLObjectType)
        assert name in owner.fields, key


def test_the_checked_in_schema_is_current_and_breaks_nothing() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "gen_graphql.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_change_that_breaks_queries_is_found() -> None:
    richer = build_schema(sdl().replace("type Stats {", "type Stats {\n  gone: Int"))
    assert [change.description for change in find_breaking_changes(richer, SCHEMA)] == ["Field Stats.gone was removed."]
