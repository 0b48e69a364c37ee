"""The floors of spectral.md §2.6.5 on B1, and the laws of a seeded search."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from specloop.improve.scans.problem import Budget, ScanEvent, SearchResult
from specloop.improve.scans.search.checkpoint import CheckpointMismatch
from specloop.improve.scans.search.engine import run_search
from specloop.improve.validation.validate import NothingToValidate, validate
from specloop.kit.json import canonical, canonical_hash
from specloop.testing.datasets.b1 import B1, build_b1

SMALL = Budget(max_evaluations=6_000)


def scan(b1: B1, seed: int, budget: Budget = SMALL, **hooks: Any) -> SearchResult:
    return run_search(b1.problem, budget, seed, **hooks)


@pytest.fixture(scope="module")
def small(b1: B1) -> SearchResult:
    return scan(b1, 3)


def comparable(result: SearchResult) -> bytes:
    """Everything but the clock."""
    facts = asdict(replace(result, checkpoint={}))
    return canonical(facts)


def test_the_loop_gains_seven_points_on_sealed_samples(b1: B1) -> None:
    result = run_search(b1.problem, Budget(), 1)
    assert result.best_config is not None
    report = validate(b1.problem.runtime, b1.problem.scorer, b1.problem.base_config, result.best_config, b1.holdout)
    assert report.delta >= 0.07
    assert report.mcnemar.p_value < 1e-4
    assert report.verdict == "pass", [gate for gate in report.gates if not gate.passed]
    assert result.evaluations <= 20_000
    assert result.best is not None
    assert len(result.best.edits) <= b1.problem.strategy.max_edits


def test_the_same_seed_gives_the_same_bytes(b1: B1, small: SearchResult) -> None:
    assert comparable(scan(build_b1(), 3)) == comparable(small)


def test_another_seed_searches_elsewhere(b1: B1, small: SearchResult) -> None:
    assert comparable(scan(b1, 4)) != comparable(small)


def test_budgets_are_never_exceeded(small: SearchResult) -> None:
    assert 0 < small.evaluations <= 6_000


def test_a_budget_below_the_baseline_ends_the_scan_without_a_run(b1: B1) -> None:
    result = scan(b1, 0, Budget(max_evaluations=10))
    assert (result.outcome, result.evaluations, result.best) == ("budget_exhausted", 0, None)


def test_the_candidate_budget_stops_the_search(b1: B1) -> None:
    result = scan(b1, 0, Budget(max_evaluations=None, max_candidates=4))
    assert result.stopped_by == "budget"
    assert len([c for c in result.candidates if c.operator not in ("shorten", "merge")]) <= 5


def test_cancelling_stops_before_the_next_round(b1: B1) -> None:
    rounds = iter([False, False, True])
    result = scan(b1, 0, should_stop=lambda: next(rounds))
    assert (result.outcome, result.best) == ("cancelled", result.best)
    assert len(result.candidates) <= 4


def test_events_are_numbered_without_gaps_and_start_with_observe(b1: B1) -> None:
    events: list[ScanEvent] = []
    scan(b1, 3, Budget(max_evaluations=3_000), on_event=events.append)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    kinds = {event.type for event in events}
    assert {"scan.phase", "baseline.evaluated", "cluster.named", "candidate.proposed", "budget.updated"} <= kinds


def test_a_resumed_search_ends_where_an_unbroken_one_does(b1: B1, small: SearchResult) -> None:
    first: list[ScanEvent] = []
    rounds = iter([False, False, False, True])
    broken = scan(b1, 3, should_stop=lambda: next(rounds), on_event=first.append)
    assert broken.outcome == "cancelled"
    rest: list[ScanEvent] = []
    resumed = scan(b1, 3, checkpoint=broken.checkpoint, on_event=rest.append)
    assert comparable(resumed) == comparable(small)
    unbroken: list[ScanEvent] = []
    scan(b1, 3, on_event=unbroken.append)
    assert first + rest == unbroken


def test_a_checkpoint_of_another_seed_is_refused(b1: B1, small: SearchResult) -> None:
    with pytest.raises(CheckpointMismatch):
        scan(b1, 4, checkpoint=small.checkpoint)


def test_names_of_patterns_are_words_of_requests_and_not_of_the_judge(small: SearchResult) -> None:
    terms = {term for cluster in small.clusters for term in cluster.top_terms}
    assert terms
    assert terms.isdisjoint({"expected", "called", "none", "tool", "wrong"})


def test_every_edit_of_the_winner_says_who_proposed_it_and_from_which_train_samples(
    b1: B1, small: SearchResult
) -> None:
    assert small.best is not None
    train = {example.id for example in b1.problem.train}
    assert small.best.edits
    for edit in small.best.edits:
        assert edit.operator
        assert edit.rationale
        assert train.issuperset(i for item in edit.evidence for i in item["sample_ids"])


def test_kinds_cover_every_failure(b1: B1, small: SearchResult) -> None:
    roots = [cluster for cluster in small.clusters if cluster.parent_key is None]
    assert sum(root.share for root in roots) == pytest.approx(1.0)
    for root in roots:
        inside = [c for c in small.clusters if c.parent_key == root.key]
        assert not inside or sum(c.size for c in inside) == root.size


def test_validating_the_baseline_against_itself_is_refused(b1: B1) -> None:
    problem = b1.problem
    with pytest.raises(NothingToValidate):
        validate(problem.runtime, problem.scorer, problem.base_config, dict(problem.base_config), b1.holdout)


def test_the_hash_of_the_best_config_is_the_hash_of_its_content(small: SearchResult) -> None:
    assert small.best is not None
    assert small.best.config_hash == canonical_hash(small.best_config)
