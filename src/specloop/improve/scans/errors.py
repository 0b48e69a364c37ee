"""What can go wrong with scans."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class ScanNotFound(NotFound):
    """Scan not found"""


class CandidateNotFound(NotFound):
    """Candidate not found"""


class ClusterNotFound(NotFound):
    """Cluster not found"""


class ScanActive(BusinessRule):
    """Another scan of this agent is active"""


class ScanNotEnded(BusinessRule):
    """The scan has not ended yet, so there is no report"""


class NotReady(BusinessRule):
    """The scan cannot start: the samples, the objective or the agent do not allow it"""

    code = "insufficient-samples"
    title = "Insufficient Samples"


class CurationClosed(BusinessRule):
    """The change set is decided, so its clusters are no longer curated"""
