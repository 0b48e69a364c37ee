"""Runs the gepa engine with our adapter, proposer, selection and limits (spectral.md §2.0, §2.3).

The engine's own state, a pickle in a run folder, is never used: no folder is given.
"""

import random
from typing import Any, cast

from gepa import api as gepa_api
from gepa.strategies.proposal_sampling import PxNSampling

from specloop.improve.scans.ledger import Ledger
from specloop.improve.scans.problem import SearchProblem
from specloop.improve.scans.search.adapter import SearchAdapter
from specloop.improve.scans.search.frontier import FrontierSelector
from specloop.improve.scans.search.limits import Limits
from specloop.improve.scans.search.proposer import OperatorProposer
from specloop.improve.scans.search.recorder import Recorder
from specloop.improve.scans.search.selection import PairedSelection
from specloop.improve.scans.space import Space


class _Silent:
    """gepa logs sentences; ours are events."""

    def log(self, message: str) -> None:
        """Drop it."""


def generate(
    problem: SearchProblem,
    space: Space,
    ledger: Ledger,
    proposer: OperatorProposer,
    recorder: Recorder,
    limits: Limits,
    seed: int,
) -> None:
    """Search until a limit stops it. Results are in `recorder`, the reason in `limits`."""
    strategy = problem.strategy
    limits.rounds_without_progress = lambda: recorder.idle_rounds
    limits.candidates = lambda: len(recorder.rows)
    # gepa's signature has parameters without types; everything passed here is checked by our own classes.
    optimize = cast("Any", gepa_api).optimize
    optimize(
        seed_candidate=space.encode(space.base.values),
        trainset=list(problem.train),
        valset=list(problem.val),
        adapter=SearchAdapter(space, ledger, proposer.parent_of),
        custom_candidate_proposer=proposer,
        candidate_selection_strategy=FrontierSelector(random.Random(f"frontier:{seed}")),
        module_selector="all",
        reflection_minibatch_size=min(strategy.minibatch, len(problem.train)),
        sampling_strategy=PxNSampling(strategy.parents, strategy.batches_per_parent),
        selection_strategy=PairedSelection(recorder, proposer, limits.affordable),
        perfect_score=strategy.target,
        use_merge=strategy.merge,
        max_merge_invocations=strategy.max_merges,
        stop_callbacks=[limits],
        callbacks=[recorder],
        logger=_Silent(),
        track_best_outputs=False,
        seed=seed,
    )
