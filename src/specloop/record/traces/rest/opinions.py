"""Router 15's feedback, annotations and deletion. Translates only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Response

from specloop.db.paging import Page, PageRequest
from specloop.errors import ValidationFailed
from specloop.record.traces.opinions import FeedbackKind
from specloop.record.traces.rest.reading import BASE, Opinions
from specloop.record.traces.schema_opinions import (
    AnnotationBody,
    AnnotationOut,
    FeedbackBody,
    FeedbackOut,
    render_annotation,
    render_feedback,
)
from specloop.record.traces.service.opinions import TraceRemoval
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, PageParams, page_body
from specloop.transport.routing import Ctx, api_router, provided

router = api_router(tags=["Traces"])
Item = TypeVar("Item")
Removal = Annotated[TraceRemoval, Depends(provided(TraceRemoval))]
Ref = Annotated[str | None, Query(max_length=200)]
SpanChoice = Annotated[
    str | None, Query(pattern=r"^([0-9a-fA-F]{16})?$", description="Empty: what is about no single span")
]


@router.post(BASE + "/{trace_id}/feedback", status_code=201, summary="Give feedback", response_model=FeedbackOut)
@requires("write:workspace", "write:traces")
async def give_feedback(
    workspace_id: str, trace_id: str, ctx: Ctx, opinions: Opinions, body: FeedbackBody
) -> dict[str, Any]:
    """The same user's feedback of that kind and name is replaced, so that sending again changes nothing."""
    feedback, _ = await opinions.give_feedback(ctx, trace_id, body.to_model())
    return render_feedback(feedback)


@router.get(BASE + "/{trace_id}/feedback", summary="List feedback", response_model=PageBody[FeedbackOut])
@requires("read:workspace")
async def list_feedback(
    workspace_id: str, trace_id: str, ctx: Ctx, opinions: Opinions, page: PageParams
) -> dict[str, Any]:
    """The oldest first."""
    return page_body(_part(await opinions.list_feedback(ctx, trace_id), page), render_feedback)


@router.delete(BASE + "/{trace_id}/feedback", status_code=204, summary="Delete feedback", response_class=Response)
@requires("write:workspace")
async def withdraw_feedback(
    workspace_id: str,
    trace_id: str,
    ctx: Ctx,
    opinions: Opinions,
    user_ref: Ref = None,
    kind: FeedbackKind | None = None,
    name: Ref = None,
    span_id: SpanChoice = None,
) -> Response:
    """All of it, or what has the given user, kind, name and span."""
    span = None if span_id is None else span_id.lower()
    await opinions.withdraw_feedback(ctx, trace_id, user_ref=user_ref, kind=kind, name=name, span_id=span)
    return Response(status_code=204)


@router.post(BASE + "/{trace_id}/annotations", status_code=201, summary="Annotate", response_model=AnnotationOut)
@requires("write:workspace")
async def annotate(
    workspace_id: str, trace_id: str, ctx: Ctx, opinions: Opinions, body: AnnotationBody
) -> dict[str, Any]:
    """A judgement of the trace, or of one of its spans."""
    return render_annotation(await opinions.annotate(ctx, trace_id, body.to_model()))


@router.get(BASE + "/{trace_id}/annotations", summary="List annotations", response_model=PageBody[AnnotationOut])
@requires("read:workspace")
async def list_annotations(
    workspace_id: str, trace_id: str, ctx: Ctx, opinions: Opinions, page: PageParams
) -> dict[str, Any]:
    """The stored ones, oldest first, then those that spans report."""
    return page_body(_part(await opinions.list_annotations(ctx, trace_id), page), render_annotation)


@router.delete(BASE + "/{trace_id}", status_code=204, summary="Delete a trace", response_class=Response)
@requires("admin:workspace")
async def delete_trace(workspace_id: str, trace_id: str, ctx: Ctx, removal: Removal) -> Response:
    """For good: later deliveries of the same trace are dropped."""
    await removal.delete(ctx, trace_id)
    return Response(status_code=204)


def _part(found: Sequence[Item], page: PageRequest) -> Page[Item]:
    """One page of a list that is read as a whole, since a trace has few opinions."""
    if page.sort:
        raise ValidationFailed.of(["query", "sort"], "this list has one order only")
    results = found[page.offset : page.offset + page.limit]
    return Page(results, len(found), page.limit, page.offset)
