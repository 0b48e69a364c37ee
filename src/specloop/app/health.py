"""Is the program well? Real checks of each engine, for the two public health routes, readiness and the doctor."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from specloop import __version__
from specloop.errors import NotFound, Unavailable
from specloop.kit import json
from specloop.kit.log import get_logger
from specloop.transport.guard import public
from specloop.transport.net.addresses import is_loopback
from specloop.transport.routing import api_router, provided

log = get_logger(__name__)

Check = Callable[[], Awaitable[None]]
CHECK_SECONDS_MAX = 3.0
ROOM_BYTES_MIN = 16 << 20
"""With less than this on the disk, the next upload may be refused."""


@dataclass(frozen=True, slots=True)
class Health:
    """Named checks; a check raises when its engine is not well."""

    checks: Mapping[str, Check]

    async def report(self) -> dict[str, Any]:
        """`{status, version, checks}` (spectral.md §1.3 router 1)."""
        results = await asyncio.gather(*(self._run(name, check) for name, check in self.checks.items()))
        outcome = dict(zip(self.checks, results, strict=True))
        status = "ok" if all(result == "ok" for result in results) else "degraded"
        return {"status": status, "version": __version__, "checks": outcome}

    async def _run(self, name: str, check: Check) -> str:
        try:
            await asyncio.wait_for(check(), CHECK_SECONDS_MAX)
        except Exception as error:  # whatever is wrong with an engine is the finding, not a crash of the check
            log.warning("health.failed", check=name, error=str(error))
            return "failed"
        return "ok"


router = api_router(tags=["Health"])
HealthDep = Annotated[Health, Depends(provided(Health))]


@router.get("/api/v1/health", summary="Health of the engines")
@public()
async def read_health(health: HealthDep) -> dict[str, Any]:
    """200 even when degraded."""
    return await health.report()


@router.get("/api/health", summary="Health of the engines")
@public()
async def read_health_alias(health: HealthDep) -> dict[str, Any]:
    """The same, where older clients look for it."""
    return await health.report()


@router.get("/health/ready", include_in_schema=False)
@public()
async def read_readiness(request: Request, health: HealthDep) -> Response:
    """503 while a check fails; answered to this machine only."""
    require_loopback(request)
    report = await health.report()
    return Response(json.dumps(report), 200 if report["status"] == "ok" else 503, media_type="application/json")


def require_room(folder: Path) -> None:
    """Look at the disk below `folder`.

    Raises: Unavailable when it is full, or nearly so.
    """
    free = shutil.disk_usage(folder).free
    if free < ROOM_BYTES_MIN:
        raise Unavailable(f"{free >> 20} MiB free at {folder}: nothing more can be recorded")


def require_loopback(request: Request) -> None:
    """Hide a route from other machines.

    Raises: NotFound.
    """
    if request.client is None or not is_loopback(request.client.host):
        raise NotFound
