"""Pages of recorded coding sessions: lists and search, the reader, projects, shared sessions."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from specloop.app.web.recorded import downloads, editing, listing, projects, reader

routers: Final[Sequence[APIRouter]] = (listing.router, projects.router, reader.router, downloads.router, editing.router)
