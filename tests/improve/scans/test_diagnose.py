"""Ablation: edits that do not earn their place are taken back, and the rest explains itself (spectral.md §2.2)."""

from typing import Any

from specloop.improve.evaluation.model import Evaluation
from specloop.improve.scans.diagnose import Lineage, explain_edits, regressions, shorten
from specloop.improve.scans.operators import Proposal, Reason
from specloop.improve.scans.operators.origin import Origin, Step
from specloop.improve.scans.space import Point, Space
from specloop.run.runtime import Component

WORTH = {"good": 0.10, "idle": 0.0, "bad": -0.02}


def space() -> Space:
    config: dict[str, Any] = {"threshold": 1.0, "hints": {}}
    hints = Component("hints", "/hints", "map<text,number>")
    return Space(config, (Component("threshold", "/threshold", "number"), hints))


def score(point: Point, near: Point) -> tuple[float, float]:
    del near
    value = 0.5 + sum(WORTH[word] for word in point.values["hints"])
    return value, value


def test_idle_and_harmful_edits_are_taken_back_and_the_gain_stays() -> None:
    places = space()
    winner = places.of_values({"threshold": 1.0, "hints": dict.fromkeys(WORTH, 0.5)})
    final, ablations = shorten(places, winner, score, lambda: True)
    assert final.values["hints"] == {"good": 0.5}
    assert {a.pointer: a.kept for a in ablations} == {"/hints/good": True, "/hints/idle": False, "/hints/bad": False}


def test_without_budget_nothing_is_taken_back() -> None:
    places = space()
    winner = places.of_values({"threshold": 1.0, "hints": dict.fromkeys(WORTH, 0.5)})
    assert shorten(places, winner, score, lambda: False) == (winner, ())


def test_an_edit_is_explained_by_the_step_that_set_it_last() -> None:
    places = space()
    first = places.of_values({"threshold": 1.0, "hints": {"good": 0.5}})
    second = places.of_values({"threshold": 0.8, "hints": {"good": 0.5}})
    reasons = {"hints/good": Reason("“good” speaks for it", ("s1", "s2"))}
    steps = (
        Origin(places.base, (Step("missed_call", "hint_add", Proposal({"hints": {}}, "words", ("s9",), reasons)),)),
        Origin(first, (Step("false_call", "threshold_step", Proposal({"threshold": 0.8}, "balance", ("s3",))),)),
    )
    origins = {first.config_hash: steps[0], second.config_hash: steps[1]}
    lineage = Lineage(origins, [first.config_hash, second.config_hash], (), {"s1": "c1", "s2": "c2", "s3": "c1"})
    threshold, hint = explain_edits(places, second, lineage)
    assert (hint.operator, hint.rationale) == ("hint_add", "“good” speaks for it")
    assert [item["cluster_id"] for item in hint.evidence] == ["c1", "c2"]
    assert (threshold.operator, threshold.rationale) == ("threshold_step", "balance")


def test_regressions_are_the_samples_that_got_worse() -> None:
    before = [Evaluation("b", "scored", 1.0), Evaluation("a", "scored", 1.0), Evaluation("c", "scored", 0.0)]
    after = [Evaluation("b", "scored", 0.0), Evaluation("a", "scored", 1.0), Evaluation("c", "error", None)]
    assert [r.sample_id for r in regressions(before, after)] == ["b"]
