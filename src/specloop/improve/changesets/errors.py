"""What can go wrong with change sets."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class ChangeSetNotFound(NotFound):
    """Change set not found"""


class AutonomyForbids(BusinessRule):
    """The workspace's autonomy mode does not allow this"""

    code = "autonomy-forbids"
    title = "Autonomy Forbids"


class GateFailed(BusinessRule):
    """The change set has no passing verdict; validate it, or override with a reason"""

    code = "gate-failed"
    title = "Gate Failed"


class StaleBase(BusinessRule):
    """The agent has moved on since the change set was made; rebase it first"""

    code = "stale-base"
    title = "Stale Base"


class RebaseConflict(BusinessRule):
    """The places that the change set edits hold other values now"""

    code = "rebase-conflict"
    title = "Rebase Conflict"


class RollbackConflict(BusinessRule):
    """A later change touches the same places; roll that back first, or cascade"""

    code = "rollback-conflict"
    title = "Rollback Conflict"


class NoTemplateTouched(BusinessRule):
    """The change set touches no managed template, so there is nothing to apply"""


class NoEdits(BusinessRule):
    """A change set needs at least one edit that changes something"""


class NothingToValidateOn(BusinessRule):
    """The change set names no sample set and objective to be validated on"""
