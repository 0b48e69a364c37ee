"""All routers of the pages of recorded sessions, for the assembly of the application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from specloop.app.web.recorded import about, downloads, editing, listing, projects, reader, sharing

routers: Final[Sequence[APIRouter]] = (
    listing.router,
    projects.router,
    reader.router,
    downloads.router,
    editing.router,
    sharing.router,
    about.router,
)
