"""What can go wrong with objectives."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class ObjectiveNotFound(NotFound):
    """Objective not found"""


class ObjectiveArchived(BusinessRule):
    """The objective is archived"""


class ObjectiveInUse(BusinessRule):
    """An active scan uses the objective"""


class RubricNotUsable(BusinessRule):
    """The rubric is archived or has no active version"""
