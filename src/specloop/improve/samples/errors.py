"""What can go wrong with samples."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class SampleSetNotFound(NotFound):
    """Sample set not found"""


class SampleNotFound(NotFound):
    """Sample not found"""


class VersionFrozen(BusinessRule):
    """This version is frozen: its samples never change; make a new version"""


class HoldoutSealed(BusinessRule):
    """Holdout samples are sealed"""

    code = "holdout-sealed"


class SetInUse(BusinessRule):
    """An active scan uses the sample set"""


class NothingToSplit(BusinessRule):
    """The version has no samples"""
