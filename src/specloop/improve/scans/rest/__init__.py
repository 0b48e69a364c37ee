"""Routers 7 and 9: scans, what they found, and the clusters behind change sets (spectral.md §1.3)."""

from specloop.improve.scans.rest.clusters import router as clusters_router
from specloop.improve.scans.rest.findings import router as findings_router
from specloop.improve.scans.rest.scans import router as scans_router

routers = (scans_router, findings_router, clusters_router)

__all__ = ["routers"]
