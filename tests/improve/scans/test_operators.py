"""What each operator does, one behaviour each (spectral.md §2.4)."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from specloop.improve.scans.operators import (
    Bandit,
    Labelled,
    Operator,
    Proposal,
    Record,
    Situation,
    Vocabulary,
    all_operators,
    operators_for,
    operators_treating,
)
from specloop.improve.scans.operators.softmax import ChoicesBuilder, fit
from specloop.run.runtime import runtime_for
from specloop.run.runtime.tool_router import COMPONENTS

BASE: Mapping[str, Any] = {
    "weights": {"name": 1.0, "description": 1.0, "param": 1.0, "enum": 1.0},
    "threshold": 1.0,
    "margin": 0.1,
    "hints": {},
    "reject": {},
}
ROLES = {component.role: component for component in COMPONENTS}


def operator(name: str) -> Operator:
    return next(one for one in all_operators() if one.name == name)


def record(sample_id: str, chosen: str, expected: str, *words: str, top: str = "a", top_score: float = 0.9) -> Record:
    kind = "" if chosen == expected else "missed_call" if not chosen else "wrong_tool" if expected else "false_call"
    return Record(sample_id, kind, frozenset(words), chosen, expected, top, top_score, 0.5, float(not kind))


def situation(
    *records: Record, probe: Callable[[Mapping[str, Any]], float] = lambda changes: float(bool(changes)), **values: Any
) -> Situation:
    counted = [(frozenset({"film"}), "a"), (frozenset({"film"}), "a"), (frozenset({"poem"}), "")] * 2
    return Situation(
        values={**BASE, **values},
        base=BASE,
        components={component.name: component for component in COMPONENTS},
        records=records,
        vocabulary=Vocabulary([*counted, (frozenset({"rare"}), "a")]),
        rng=random.Random(1),
        probe=probe,
        roles=ROLES,
    )


def propose(name: str, of: Situation) -> Mapping[str, Any]:
    proposal = operator(name).propose(of)
    return proposal.changes if proposal else {}


MISSED = record("1", "", "a", "film", "rare")
FALSE = record("2", "a", "", "poem", "film")


def test_the_threshold_falls_when_calls_are_missed_and_rises_when_they_are_false() -> None:
    assert propose("threshold_step", situation(MISSED))["threshold"] < 1.0
    assert propose("threshold_step", situation(FALSE))["threshold"] > 1.0
    assert propose("threshold_step", situation(MISSED, FALSE)) == {}


def test_the_margin_follows_the_same_balance() -> None:
    assert propose("margin_step", situation(FALSE))["margin"] > 0.1
    assert propose("margin_step", situation(MISSED))["margin"] < 0.1


def test_the_threshold_is_refitted_to_where_calling_becomes_right() -> None:
    below = [record(f"n{i}", "", "", top_score=0.1 * i) for i in range(5)]
    above = [record(f"y{i}", "", "a", top_score=0.7 + 0.1 * i) for i in range(5)]
    assert propose("threshold_refit", situation(*below, *above)) == {"threshold": 0.55}


def test_hints_are_words_that_occur_in_two_train_samples_of_the_missed_tool() -> None:
    hints = propose("hint_add", situation(MISSED))["hints"]
    assert set(hints) == {"a:film"}


def test_reject_words_are_words_of_requests_without_a_fitting_tool() -> None:
    counted = [(frozenset({"poem"}), ""), (frozenset({"film"}), "a")] * 3
    asked = replace(situation(FALSE), vocabulary=Vocabulary(counted))
    assert set(propose("reject_add", asked)["reject"]) == {"poem"}


def test_words_that_help_on_no_other_sample_are_not_proposed() -> None:
    assert propose("hint_add", situation(MISSED, probe=lambda _: 0.5)) == {}


def test_words_are_not_added_beyond_the_longest_readable_diff() -> None:
    assert propose("hint_add", replace(situation(MISSED), edits=60, max_edits=60)) == {}


def test_hints_that_fired_on_a_false_call_are_halved_and_negligible_ones_dropped() -> None:
    hints = {"a:film": 0.8, "a:poem": 0.1, "b:film": 0.8}
    assert propose("hint_decay", situation(FALSE, hints=hints)) == {"hints": {"a:film": 0.4, "b:film": 0.8}}


def test_reject_words_that_fired_on_a_missed_call_are_halved() -> None:
    assert propose("reject_decay", situation(MISSED, reject={"film": 0.8})) == {"reject": {"film": 0.4}}


def test_golden_section_climbs_to_the_best_weight() -> None:
    def probe(changes: Mapping[str, Any]) -> float:
        weights: Mapping[str, float] = changes.get("weights", BASE["weights"])
        return -sum(abs(value - 2.0) for value in weights.values())

    weights: Mapping[str, float] = propose("weight_golden_section", situation(MISSED, probe=probe))["weights"]
    (moved,) = [value for value in weights.values() if value != 1.0]
    assert abs(moved - 2.0) < 0.5


def labelled(count: int = 60) -> tuple[Labelled, ...]:
    """`film` speaks for tool a although its overlap is low; `poem` for none although overlap is high."""
    film = {"a": {"name": 0.2}, "b": {"name": 0.4}}
    poem = {"a": {"name": 0.9}, "b": {"name": 0.1}}
    plain = {"a": {"name": 0.1}, "b": {"name": 0.8}}
    rows = [("film", film, "a"), ("poem", poem, ""), ("plain", plain, "b")]
    return tuple(
        Labelled(f"{word}-{i}", frozenset({word, f"noise{i % 7}"}), features, expected, expected == "a")
        for i in range(count)
        for word, features, expected in rows
    )


def refitted(samples: tuple[Labelled, ...]) -> Proposal:
    found = operator("joint_refit").propose(replace(situation(MISSED), train=samples))
    assert found is not None
    return found


def test_the_joint_fit_finds_the_words_that_decide_and_leaves_the_noise() -> None:
    changes = refitted(labelled()).changes
    assert "a:film" in changes["hints"]
    assert changes["reject"]["poem"] > 0
    assert not [key for key in (*changes["hints"], *changes["reject"]) if "noise" in key]


def test_the_joint_fit_gives_a_config_that_answers_rightly() -> None:
    changes = refitted(labelled()).changes
    for sample in labelled(1):
        scores = {
            tool: sum(changes["weights"][name] * value for name, value in features.items())
            + sum(changes["hints"].get(f"{tool}:{word}", 0.0) for word in sample.terms)
            - sum(changes["reject"].get(word, 0.0) for word in sample.terms)
            for tool, features in sample.features.items()
        }
        best = max(scores, key=lambda tool: scores[tool])
        assert (best if scores[best] >= changes["threshold"] else "") == sample.expected


def test_the_joint_fit_says_for_each_word_how_often_it_was_right() -> None:
    reason = refitted(labelled()).reasons["hints/a:film"]
    assert "it is right in" in reason.text
    assert reason.sample_ids
    assert all(sample_id.startswith("film") for sample_id in reason.sample_ids)


def test_the_joint_fit_never_sees_the_batch_it_is_tested_on() -> None:
    samples = labelled()
    asked = situation(*(record(sample.sample_id, "", "a", "film") for sample in samples))
    assert operator("joint_refit").propose(replace(asked, train=samples)) is None


def test_an_equal_fit_gives_equal_bits_and_a_heavy_penalty_moves_nothing() -> None:
    builder = ChoicesBuilder(2)
    for i in range(20):
        builder.case([(i % 2 == 0, [(0, 1.0), (1, float(i % 2))]), (False, [(0, 0.5)])])
    choices = builder.build()
    start, free = np.ones(2), np.zeros(2)
    bound = np.full(2, -np.inf)
    first = fit(choices, start, free, bound, free)
    assert np.array_equal(first, fit(choices, start, free, bound, free))
    assert not np.array_equal(first, start)
    assert np.array_equal(fit(choices, start, np.full(2, 1e6), bound, free), start)


def test_operators_need_their_components_and_kinds_know_their_operators() -> None:
    only = {"threshold": ROLES["abstain_threshold"]}
    assert [o.name for o in operators_for(only)] == ["threshold_refit", "threshold_step"]
    assert "hint_add" in operators_treating("missed_call")
    assert "hint_add" not in operators_treating("false_call")


def test_every_component_of_the_router_has_an_operator() -> None:
    router = runtime_for("tool-router")
    roles = {component.role for component in router.components({})}
    assert roles <= {role for one in all_operators() for role in one.roles}


def test_the_bandit_comes_to_prefer_what_was_accepted() -> None:
    bandit = Bandit(random.Random(0))
    names = ("hint_add", "threshold_step")
    for _ in range(40):
        bandit.learn("missed_call", names[0], accepted=True)
        bandit.learn("missed_call", names[1], accepted=False)
    ranked = [bandit.rank("missed_call", [operator(n) for n in names])[0].name for _ in range(20)]
    assert ranked.count("hint_add") == 20
