"""Router 15's way in: traces in plain JSON. They take the same way as OTLP, so there is no transaction here either."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request

from specloop.errors import NotFound
from specloop.kit.context import Principal
from specloop.record.traces.otlp import IntakeRoute
from specloop.record.traces.schema_opinions import SubmitBody, SubmittedOut
from specloop.record.traces.service.intake import TraceIntake
from specloop.transport.guard import requires
from specloop.transport.routing import provided

PATH = re.compile(r"/api/v1/workspaces/[^/]+/traces")
"""Where bodies may be as large as those of OTLP."""

router = APIRouter(route_class=IntakeRoute, redirect_slashes=False, tags=["Traces"])
Intake = Annotated[TraceIntake, Depends(provided(TraceIntake))]


@router.post(
    "/api/v1/workspaces/{workspace_id}/traces", status_code=202, summary="Send traces", response_model=SubmittedOut
)
@requires("write:traces", "write:workspace")
async def submit_traces(
    workspace_id: str,
    request: Request,
    intake: Intake,
    body: SubmitBody,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> dict[str, Any]:
    """At most 500 at a time; 202 means that the accepted ones are on disk. They can be read within about a second."""
    principal: Principal = request.state.principal
    if principal.workspace_id is None:
        raise NotFound("Workspace not found")
    done = await intake.submit(principal, principal.workspace_id, body.traces, idempotency_key)
    return {
        "accepted": len(done.trace_ids),
        "trace_ids": done.trace_ids,
        "rejected": [{"index": index, "reason": reason} for index, reason in done.rejected],
    }
