"""Pages of recorded coding sessions: lists and search, the reader, projects, shared sessions."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from specloop.app.web.recorded import downloads, editing, reader

routers: Final[Sequence[APIRouter]] = (reader.router, downloads.router, editing.router)
