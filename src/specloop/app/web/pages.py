"""All page routers, for the assembly of the application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from specloop.app.web import (
    account,
    agents,
    analytics,
    changesets,
    devices,
    home,
    keys,
    members,
    palette,
    scans,
    session,
    trace,
    traces,
    workspaces,
)
from specloop.app.web.recorded.pages import routers as recorded_routers

routers: Final[Sequence[APIRouter]] = (
    session.router,
    account.router,
    devices.router,
    workspaces.router,
    home.router,
    palette.router,
    members.router,
    keys.router,
    agents.router,
    traces.router,
    trace.router,
    analytics.router,
    scans.router,
    changesets.router,
    *recorded_routers,
)
