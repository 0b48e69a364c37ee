"""Router 3 over HTTP (spectral.md §1.3): thin, one file per group of routes.

`webhooks_router` is apart: it needs a `WebhookService`, and its deliveries a worker.
"""

from specloop.identity.workspaces.rest.events import router as events_router
from specloop.identity.workspaces.rest.members import router as members_router
from specloop.identity.workspaces.rest.rooms import router as rooms_router
from specloop.identity.workspaces.rest.settings import router as settings_router
from specloop.identity.workspaces.rest.webhooks import router as webhooks_router

routers = (rooms_router, members_router, settings_router, events_router)

__all__ = ["routers", "webhooks_router"]
