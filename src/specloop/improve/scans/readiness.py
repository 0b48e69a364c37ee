"""Whether a scan's samples suffice, and what its holdout could prove (spectral.md §1.3 router 7, preflight). Pure."""

from __future__ import annotations

import asyncio
from typing import Any

from specloop.improve.validation.service import MIN_N, power_report


def readiness_of(counts: dict[str, int], power: dict[str, Any] | None = None) -> dict[str, Any]:
    """Counts, power and blockers. Samples that no split has placed yet are divided when the scan starts.

    `power` comes from `power_of`, which takes long: a request that must answer at once leaves it to the job.
    """
    total = sum(counts.values())
    unassigned = counts.get("unassigned", 0)
    blockers: list[str] = []
    if total == 0:
        blockers.append("the sample set is empty")
    elif not unassigned and (not counts.get("train") or not counts.get("val")):
        blockers.append("train and val need samples")
    holdout = counts.get("holdout", 0)
    warnings = [f"a holdout of {holdout} samples cannot pass; {MIN_N} are needed"] if 0 < holdout < MIN_N else []
    return {
        "mode": "full",
        "counts": counts,
        "power": power or {},
        "blockers": blockers,
        "warnings": warnings,
    }


async def power_of(counts: dict[str, int]) -> dict[str, Any]:
    """What a holdout of this size can certify; seconds of arithmetic at the first time, so in a thread."""
    return await asyncio.to_thread(power_report, counts.get("holdout", 0))
