"""Router 5 over HTTP (spectral.md §1.3). Literal paths come first: `templates` is no agent id."""

from specloop.run.agents.rest.agents import router as agents_router
from specloop.run.agents.rest.configs import router as configs_router
from specloop.run.agents.rest.runs import router as runs_router
from specloop.run.agents.rest.templates import router as templates_router

routers = (templates_router, agents_router, configs_router, runs_router)

__all__ = ["routers"]
