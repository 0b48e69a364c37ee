"""The deterministic proposer: one operator per idea, chosen by Thompson sampling (spectral.md §2.4)."""

from specloop.improve.scans.operators.bandit import Bandit
from specloop.improve.scans.operators.operator import Labelled, Operator, Proposal, Reason, Record, Situation
from specloop.improve.scans.operators.registry import all_operators, operators_for, operators_treating
from specloop.improve.scans.operators.vocabulary import Vocabulary

__all__ = [
    "Bandit",
    "Labelled",
    "Operator",
    "Proposal",
    "Reason",
    "Record",
    "Situation",
    "Vocabulary",
    "all_operators",
    "operators_for",
    "operators_treating",
]
