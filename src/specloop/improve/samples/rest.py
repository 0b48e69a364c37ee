"""Router 14: sample sets over REST (spectral.md §1.3). Translates only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response

from specloop.db.context import Context
from specloop.db.paging import PageRequest
from specloop.errors import Forbidden
from specloop.identity.scopes import Scope
from specloop.improve.samples.division import Wanted
from specloop.improve.samples.importers import parse_items
from specloop.improve.samples.model import Split
from specloop.improve.samples.schema import (
    BulkOut,
    ItemBody,
    ItemOut,
    ItemUpdate,
    SampleSetCreate,
    SampleSetOut,
    SampleSetUpdate,
    SplitBody,
    StatsOut,
    VersionOut,
    read_items,
)
from specloop.improve.samples.service import SampleService
from specloop.transport.etag import check_if_match, etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, door_of, provided

router = api_router("/api/v1/workspaces/{workspace_id}/samples", tags=["samples"])
Samples = Annotated[SampleService, Depends(provided(SampleService))]
VersionParam = Annotated[int | None, Query(ge=1, le=2**31 - 1)]

_BULK = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["items"],
                    "additionalProperties": False,
                    "properties": {
                        "items": {
                            "type": "array",
                            "maxItems": 1000,
                            "items": ItemBody.model_json_schema(),
                        }
                    },
                }
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@router.post("/sets", status_code=201, summary="Create a sample set")
@requires(Scope.WRITE_WORKSPACE)
async def create_sample_set(ctx: Ctx, samples: Samples, body: SampleSetCreate, response: Response) -> SampleSetOut:
    """201 with an empty draft version 1."""
    found = await samples.create_set(ctx, body.name, body.description, body.labels)
    response.headers["Location"] = f"/api/v1/workspaces/{ctx.workspace_id}/samples/sets/{found.id}"
    response.headers["ETag"] = etag(found.revision)
    return SampleSetOut.of(found)


@router.get("/sets", response_model=PageBody[SampleSetOut], summary="List sample sets")
@requires(Scope.READ_WORKSPACE)
async def list_sample_sets(
    ctx: Ctx, samples: Samples, page: Annotated[PageRequest, sorted_by("created_at", "updated_at", "name")]
) -> dict[str, Any]:
    """Newest first."""
    return page_body(await samples.list_sets(ctx, page), SampleSetOut.of)


@router.get("/sets/{set_id}", summary="Read a sample set")
@requires(Scope.READ_WORKSPACE)
async def read_sample_set(
    ctx: Ctx, samples: Samples, set_id: str, response: Response, version: VersionParam = None
) -> SampleSetOut:
    """The newest version, or the one asked for."""
    found = await samples.read_set(ctx, set_id, version)
    response.headers["ETag"] = etag(found.revision)
    return SampleSetOut.of(found)


@router.patch("/sets/{set_id}", summary="Change a sample set")
@requires(Scope.WRITE_WORKSPACE)
async def update_sample_set(
    ctx: Ctx, samples: Samples, set_id: str, body: SampleSetUpdate, request: Request, response: Response
) -> SampleSetOut:
    """Name, description and labels."""
    check_if_match(request, (await samples.read_set(ctx, set_id)).revision)
    found = await samples.update_set(ctx, set_id, body.name, body.description, body.labels)
    response.headers["ETag"] = etag(found.revision)
    return SampleSetOut.of(found)


@router.delete("/sets/{set_id}", status_code=204, summary="Delete a sample set")
@requires(Scope.WRITE_WORKSPACE)
async def delete_sample_set(ctx: Ctx, samples: Samples, set_id: str, request: Request) -> None:
    """400 while an active scan uses it."""
    check_if_match(request, (await samples.read_set(ctx, set_id)).revision)
    await samples.delete_set(ctx, set_id)


@router.get("/sets/{set_id}/versions", response_model=PageBody[VersionOut], summary="List a set's versions")
@requires(Scope.READ_WORKSPACE)
async def list_sample_set_versions(
    ctx: Ctx, samples: Samples, set_id: str, page: Annotated[PageRequest, sorted_by("version")]
) -> dict[str, Any]:
    """Newest first."""
    return page_body(await samples.versions(ctx, set_id, page), VersionOut.of)


@router.post("/sets/{set_id}/versions", status_code=201, summary="Start the next version of a set")
@requires(Scope.WRITE_WORKSPACE)
async def make_sample_set_version(ctx: Ctx, samples: Samples, set_id: str) -> SampleSetOut:
    """A draft with the samples of the newest version; 400 while that is itself a draft."""
    return SampleSetOut.of(await samples.make_version(ctx, set_id))


@router.post("/sets/{set_id}/freeze", summary="Freeze the newest version")
@requires(Scope.WRITE_WORKSPACE)
async def freeze_sample_set(ctx: Ctx, samples: Samples, set_id: str) -> SampleSetOut:
    """Its samples never change from then on. The first scan does this by itself."""
    return SampleSetOut.of(await samples.freeze(ctx, set_id))


@router.post("/sets/{set_id}/split", summary="Divide the draft into train, val and holdout")
@requires(Scope.WRITE_WORKSPACE)
async def split_sample_set(ctx: Ctx, samples: Samples, set_id: str, body: SplitBody | None = None) -> SampleSetOut:
    """By the hash of group or content; near-duplicates stay together."""
    wanted = body or SplitBody()
    ratios = (wanted.ratios.train, wanted.ratios.val, wanted.ratios.holdout) if wanted.ratios else None
    return SampleSetOut.of(
        await samples.split(ctx, set_id, Wanted(ratios, wanted.group_by, wanted.stratify_by, wanted.seed))
    )


@router.get("/sets/{set_id}/stats", summary="Counts, duplicates, leakage and power")
@requires(Scope.READ_WORKSPACE)
async def sample_set_stats(
    ctx: Ctx,
    samples: Samples,
    set_id: str,
    version: VersionParam = None,
    label_by: Annotated[str, Query(min_length=1, max_length=100)] = "label",
) -> StatsOut:
    """`label_by` names the metadata key whose values are counted in the open parts."""
    return StatsOut.model_validate(await samples.stats(ctx, set_id, version, label_by))


@router.post(
    "/sets/{set_id}/items",
    status_code=201,
    summary="Add samples in bulk",
    openapi_extra=_BULK,
    responses={413: {"description": "More than 1,000 samples"}},
)
@requires(Scope.WRITE_WORKSPACE)
async def add_sample_items(ctx: Ctx, samples: Samples, set_id: str, request: Request) -> BulkOut:
    """Up to 1,000 samples as JSON, NDJSON or CSV; all or nothing. 400 on a frozen version."""
    items = parse_items(request.headers.get("content-type", "application/json"), await request.body())
    added = await samples.add_items(ctx, set_id, read_items(items))
    return BulkOut(accepted=len(added.ids), duplicates=added.duplicates, ids=added.ids)


@router.get("/sets/{set_id}/items", response_model=PageBody[ItemOut], summary="List samples")
@requires(Scope.READ_WORKSPACE)
async def list_sample_items(
    ctx: Ctx,
    samples: Samples,
    set_id: str,
    page: Annotated[PageRequest, sorted_by("ordinal", "created_at")],
    request: Request,
    split: Literal["train", "val", "holdout"] | None = None,
    version: VersionParam = None,
    reveal: Literal["holdout"] | None = None,
) -> dict[str, Any]:
    """Holdout samples are ids only. `reveal=holdout` shows them to an admin, is audited, and burns the version."""
    if reveal is not None:
        return await _reveal(ctx, samples, set_id, page, version, request)
    wanted = Split(split) if split is not None else None
    return page_body(await samples.items(ctx, set_id, wanted, page, version), ItemOut.of)


async def _reveal(
    ctx: Context, samples: SampleService, set_id: str, page: PageRequest, version: int | None, request: Request
) -> dict[str, Any]:
    if not ctx.principal.has_scope(Scope.ADMIN_WORKSPACE):
        raise Forbidden("revealing the holdout needs admin:workspace", required_scope=Scope.ADMIN_WORKSPACE.value)
    # A GET runs in a reading unit; the seal and the audit row need a writing one.
    async with door_of(request).database.writing(ctx.workspace_id) as unit:
        writing = Context(ctx.principal, unit, ctx.clock, ctx.request)
        return page_body(await samples.reveal_holdout(writing, set_id, page, version), ItemOut.of)


@router.patch("/sets/{set_id}/items/{item_id}", summary="Change a sample of the draft")
@requires(Scope.WRITE_WORKSPACE)
async def update_sample_item(ctx: Ctx, samples: Samples, set_id: str, item_id: str, body: ItemUpdate) -> ItemOut:
    """400 on a frozen version, and for a sealed sample."""
    changes = body.model_dump(exclude_unset=True)
    return ItemOut.of(await samples.update_item(ctx, set_id, item_id, changes))


@router.delete("/sets/{set_id}/items/{item_id}", status_code=204, summary="Remove a sample from the draft")
@requires(Scope.WRITE_WORKSPACE)
async def delete_sample_item(ctx: Ctx, samples: Samples, set_id: str, item_id: str) -> None:
    """400 on a frozen version."""
    await samples.delete_item(ctx, set_id, item_id)
