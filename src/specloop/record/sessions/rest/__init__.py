"""The routes of projects, sessions and shared sessions in SpecStory's dialect; literal paths come first."""

from specloop.record.sessions.rest.contents import router as contents_router
from specloop.record.sessions.rest.document import router as document_router
from specloop.record.sessions.rest.edits import router as edits_router
from specloop.record.sessions.rest.lists import router as lists_router
from specloop.record.sessions.rest.projects import router as projects_router
from specloop.record.sessions.rest.sharing import router as sharing_router

routers = [lists_router, projects_router, contents_router, edits_router, sharing_router, document_router]

__all__ = ["routers"]
