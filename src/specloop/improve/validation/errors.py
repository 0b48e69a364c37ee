"""What can go wrong with holdout validation."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class ValidationRunNotFound(NotFound):
    """Validation run not found"""


class InsufficientSamples(BusinessRule):
    """The holdout is too small to prove anything"""

    code = "insufficient-samples"
    title = "Insufficient Samples"


class LooksSpent(BusinessRule):
    """This holdout version has been looked at as often as its proofs stay valid; draw a new one from new samples"""
