"""What people and judges say about traces, and forgetting a trace with all of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial

from specloop.db.context import Context
from specloop.db.telemetry import TelemetryStore
from specloop.errors import ValidationFailed
from specloop.identity import audit
from specloop.record.traces.evaluations import reported_judgements
from specloop.record.traces.model import Span
from specloop.record.traces.opinions import (
    Annotation,
    Annotator,
    Feedback,
    FeedbackKind,
    Judgement,
    Opinion,
    normalised,
)
from specloop.record.traces.repository import opinions, removal
from specloop.record.traces.service.reading import TraceReader

TraceDeleted = Callable[[Context, str], Awaitable[None]]
"""Called in the transaction that deletes a trace, so that other stages let go of what they hold of it."""


class TraceOpinions:
    """Feedback and annotations."""

    def __init__(self, reader: TraceReader) -> None:
        self._reader = reader

    async def give_feedback(self, ctx: Context, trace_id: str, opinion: Opinion) -> tuple[Feedback, bool]:
        """Keep it; the same user's feedback of that kind and name on that span is replaced. True when it is new.

        Without `user_ref` a signed-in caller speaks for itself.
        Raises: TraceNotFound; ValidationFailed when the value does not fit the kind.
        """
        value, score = normalised(opinion.kind, opinion.value)
        found = await self._reader.exists(ctx, trace_id)
        user_ref = opinion.user_ref or ctx.principal.user_id or ""
        kept = Opinion(opinion.kind, value, opinion.name, opinion.span_id, user_ref)
        return await opinions.put_feedback(ctx, found, kept, score, ctx.principal.actor_id)

    async def list_feedback(self, ctx: Context, trace_id: str) -> Sequence[Feedback]:
        """All feedback on a trace, oldest first.

        Raises: TraceNotFound.
        """
        return await opinions.list_feedback(ctx, [await self._reader.exists(ctx, trace_id)])

    async def withdraw_feedback(
        self,
        ctx: Context,
        trace_id: str,
        *,
        user_ref: str | None,
        kind: FeedbackKind | None,
        name: str | None,
        span_id: str | None = None,
    ) -> int:
        """Forget the trace's feedback that has all the given values; how many there were.

        An empty `span_id` means what was said about the whole trace.

        Raises: TraceNotFound.
        """
        found = await self._reader.exists(ctx, trace_id)
        gone = await opinions.delete_feedback(ctx, found, user_ref=user_ref, kind=kind, name=name, span_id=span_id)
        await audit.record(ctx, "trace.feedback-deleted", "trace", found, {"count": gone})
        return gone

    async def annotate(self, ctx: Context, trace_id: str, judgement: Judgement) -> Annotation:
        """Keep a judgement.

        Raises: TraceNotFound; ValidationFailed when it says nothing, or claims to be reported by a span.
        """
        if judgement.score is None and not judgement.label and not judgement.explanation:
            raise ValidationFailed.of(["body"], "give a score, a label or an explanation")
        if judgement.annotator is Annotator.REPORTED:
            raise ValidationFailed.of(["body", "annotator"], "only spans report")
        found = await self._reader.exists(ctx, trace_id)
        return await opinions.add_annotation(ctx, found, judgement, ctx.principal.actor_id)

    async def list_annotations(self, ctx: Context, trace_id: str) -> Sequence[Annotation]:
        """The stored annotations of a trace, then those that its spans report.

        Raises: TraceNotFound.
        """
        detail = await self._reader.list_all_spans(ctx, trace_id)
        return await self.annotations_of(ctx, trace_id.lower(), detail)

    async def annotations_of(self, ctx: Context, trace_id: str, spans: Iterable[Span]) -> Sequence[Annotation]:
        """The same for spans that are at hand."""
        reported = [
            Annotation("", trace_id, judgement, datetime.fromtimestamp(span.end_ns / 1e9, UTC), "")
            for span in spans
            for judgement in reported_judgements(span)
        ]
        return [*await opinions.list_annotations(ctx, trace_id), *reported]


class TraceRemoval:
    """Deletes traces for good: late deliveries of a deleted trace are dropped."""

    def __init__(self, telemetry: TelemetryStore, reader: TraceReader, observers: Sequence[TraceDeleted] = ()) -> None:
        self._telemetry = telemetry
        self._reader = reader
        self._observers = observers

    async def delete(self, ctx: Context, trace_id: str) -> None:
        """Delete the trace and everything that was said about it, and once that is committed its spans.

        Raises: TraceNotFound.
        """
        found = await self._reader.exists(ctx, trace_id)
        await opinions.delete_all(ctx, found)
        for tell in self._observers:
            await tell(ctx, found)
        await audit.record(ctx, "trace.deleted", "trace", found, None)
        # Not while the state store is held: the engine waits for every insert that is under way. If it then fails, the
        # caller learns it and finds the trace still there to be deleted.
        ctx.uow.after_commit(partial(removal.delete_trace, self._telemetry, ctx.workspace_id, found))

    async def purge(self) -> None:
        """Take deleted spans off the disk, where until now they were only hidden."""
        await removal.purge(self._telemetry)
