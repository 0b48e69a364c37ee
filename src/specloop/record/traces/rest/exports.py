"""Router 15's exports: ask, look, fetch. Translates only."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Response
from starlette.responses import StreamingResponse

from specloop.db.paging import PageRequest
from specloop.record.traces.exports import Export, ExportFormat
from specloop.record.traces.rest.reading import BASE
from specloop.record.traces.schema_filters import ExportRequestBody
from specloop.record.traces.schema_opinions import ExportOut, render_export
from specloop.record.traces.service.export import TraceExports
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router(tags=["Traces"])
Exports = Annotated[TraceExports, Depends(provided(TraceExports))]
_FILES = {
    ExportFormat.OTLP_JSON: ("application/x-ndjson", "jsonl"),
    ExportFormat.PARQUET: ("application/vnd.apache.parquet", "parquet"),
}


@router.post(BASE + "/export", status_code=202, summary="Export traces", response_model=ExportOut)
@requires("read:workspace")
async def request_export(
    workspace_id: str, ctx: Ctx, exports: Exports, body: ExportRequestBody, response: Response
) -> dict[str, Any]:
    """202: a job writes the newest matching traces, at most 10,000; `Location` tells where to look."""
    export = await exports.request(ctx, body.filter.to_model(), body.format)
    response.headers["Location"] = f"{_base(ctx.workspace_id)}/{export.id}"
    return render_export(export, _base(ctx.workspace_id))


@router.get(BASE + "/exports", summary="List exports", response_model=PageBody[ExportOut])
@requires("read:workspace")
async def list_exports(
    workspace_id: str, ctx: Ctx, exports: Exports, page: Annotated[PageRequest, sorted_by("created_at")]
) -> dict[str, Any]:
    """The newest first."""
    base = _base(ctx.workspace_id)

    def render(export: Export) -> dict[str, Any]:
        return render_export(export, base)

    return page_body(await exports.list_exports(ctx, page), render)


@router.get(BASE + "/exports/{export_id}", summary="Read an export", response_model=ExportOut)
@requires("read:workspace")
async def read_export(workspace_id: str, export_id: str, ctx: Ctx, exports: Exports) -> dict[str, Any]:
    """Where it stands."""
    return render_export(await exports.read(ctx, export_id), _base(ctx.workspace_id))


@router.get(BASE + "/exports/{export_id}/file", summary="Fetch an export", response_class=Response)
@requires("read:workspace")
async def fetch_export(workspace_id: str, export_id: str, ctx: Ctx, exports: Exports) -> Response:
    """The file; 400 until it is there."""
    export, size, chunks = await exports.content(ctx, export_id)
    media_type, ending = _FILES[export.form]
    headers = {
        "Content-Disposition": f'attachment; filename="traces-{export.id}.{ending}"',
        "Content-Length": str(size),
    }
    return StreamingResponse(chunks, media_type=media_type, headers=headers)


def _base(workspace_id: str) -> str:
    return BASE.format(workspace_id=workspace_id) + "/exports"
