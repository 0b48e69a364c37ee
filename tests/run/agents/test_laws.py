"""Laws of configs and dependencies, tried on many made-up cases."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.errors import ValidationFailed
from specloop.run.agents import apply, config_hash, diff
from specloop.run.agents.config import check_json, overlay, wrong_value
from specloop.run.agents.edits import Edit, is_same
from specloop.run.agents.graph import closes_a_cycle
from specloop.run.agents.model import ComponentSpec
from specloop.run.agents.naming import free_slug, slug_of

keys = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(-1e6, 1e6),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
)
configs = st.dictionaries(keys, documents, max_size=5)


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        items: list[tuple[str, Any]] = [(key, _shuffled(item, rng)) for key, item in value.items()]  # type: ignore[misc]
        rng.shuffle(items)
        return dict(items)
    return [_shuffled(item, rng) for item in value] if isinstance(value, list) else value  # type: ignore[misc]


@given(configs, st.randoms(use_true_random=False))
def test_the_hash_does_not_depend_on_the_order_of_keys(config: dict[str, Any], rng: random.Random) -> None:
    assert config_hash(_shuffled(config, rng)) == config_hash(config)


@given(configs, configs)
def test_configs_with_one_hash_are_the_same(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert (config_hash(left) == config_hash(right)) == is_same(left, right)


@given(documents, documents)
def test_applying_a_difference_leads_to_the_other_document(before: Any, after: Any) -> None:
    assert is_same(apply(diff(before, after), before), after)


@given(documents)
def test_a_document_does_not_differ_from_itself(document: Any) -> None:
    assert diff(document, document) == []


@given(documents, documents)
def test_differences_can_be_undone(before: Any, after: Any) -> None:
    flipped = {"add": "remove", "remove": "add", "replace": "replace"}
    undo = [Edit(e.pointer, flipped[e.op], e.after, e.before) for e in reversed(diff(before, after))]  # type: ignore[arg-type]
    assert is_same(apply(undo, after), before)


@given(configs, configs)
def test_laying_over_is_idempotent_and_the_upper_one_wins(below: dict[str, Any], above: dict[str, Any]) -> None:
    once = overlay(below, above)
    assert is_same(overlay(once, above), once)
    assert is_same(overlay(above, above), above)
    assert once.keys() == below.keys() | above.keys()


@given(st.lists(st.tuples(st.integers(0, 7), st.frozensets(st.integers(0, 7), max_size=4)), max_size=30))
def test_dependencies_never_form_a_circle(wishes: list[tuple[int, frozenset[int]]]) -> None:
    edges: dict[str, list[str]] = {}
    for agent, wanted in wishes:
        names = [str(other) for other in sorted(wanted)]
        if not closes_a_cycle(edges, str(agent), names):
            edges[str(agent)] = names
        assert _is_acyclic(edges)


def _is_acyclic(edges: dict[str, list[str]]) -> bool:
    waiting = {agent: set(others) for agent, others in edges.items()}
    while True:
        free = {agent for agent, others in waiting.items() if not others & waiting.keys()}
        if not free:
            return not waiting
        waiting = {agent: others for agent, others in waiting.items() if agent not in free}


@given(st.floats(-10, 10), st.floats(-5, 0), st.floats(0, 5))
def test_a_number_is_allowed_exactly_within_its_bounds(value: float, low: float, high: float) -> None:
    component = ComponentSpec("n", "/params/n", "number", minimum=low, maximum=high)
    assert (wrong_value(component, value) is None) == (low <= value <= high)


@given(configs)
def test_what_every_store_keeps_is_let_through(config: dict[str, Any]) -> None:
    check_json(config)


@pytest.mark.parametrize("bad", ["a\x00", "\ud800", float("nan"), float("inf"), 2**53, -1e17])
def test_what_no_store_keeps_is_refused_wherever_it_stands(bad: Any) -> None:
    documents: list[Any] = [bad, [bad], {"a": {"b": [bad]}}, *([{bad: 1}] if isinstance(bad, str) else [])]
    for document in documents:
        with pytest.raises(ValidationFailed):
            check_json(document)


@given(st.text(max_size=120), st.sets(st.from_regex(r"[a-z]{1,3}(-[2-9])?", fullmatch=True)))
def test_slugs_are_safe_and_free(name: str, taken: set[str]) -> None:
    slug = free_slug(name, taken)
    assert slug not in taken
    assert slug.isascii()
    assert slug == slug.strip("-").lower() != ""
    assert slug_of(slug) == slug
