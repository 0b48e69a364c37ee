"""What can go wrong with rubrics."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class RubricNotFound(NotFound):
    """Rubric not found"""


class RubricArchived(BusinessRule):
    """The rubric is archived"""


class RubricInUse(BusinessRule):
    """An active scan uses the rubric"""
