"""Use cases of scans: steering them, reading what they found, curating clusters, reports."""

from specloop.improve.scans.service.curating import Clusters, Curation
from specloop.improve.scans.service.expiry import ScanEventExpiry
from specloop.improve.scans.service.lifecycle import JOB, Scans

__all__ = ["JOB", "Clusters", "Curation", "ScanEventExpiry", "Scans"]
