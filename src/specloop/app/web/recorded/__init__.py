"""Pages of recorded coding sessions: lists and search, the reader, projects, shared sessions."""

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
