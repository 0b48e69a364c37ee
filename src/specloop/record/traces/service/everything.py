"""All traces of an account, for the export of everything that the account has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from specloop.db.context import Context
from specloop.db.telemetry import TelemetryStore
from specloop.identity.workspaces.keeping import ids_of_account
from specloop.record.traces.repository import spans
from specloop.record.traces.repository.choosing import place
from specloop.record.traces.repository.expiry import page_ids
from specloop.record.traces.service.otlp_lines import otlp_line

TRACES_AT_ONCE = 1_000
SPANS_AT_ONCE = 500


class TraceSection:
    """A section of the export (see `identity.accounts`): each row is an OTLP request with spans of one trace."""

    name = "traces"

    def __init__(self, telemetry: TelemetryStore) -> None:
        self._telemetry = telemetry

    async def rows(self, ctx: Context, account_id: str) -> AsyncIterator[dict[str, Any]]:
        """`{workspace_id, trace_id, resourceSpans}`; a large trace takes several rows."""
        for workspace_id in await ids_of_account(ctx, account_id):
            after = ""
            while found := await page_ids(self._telemetry, workspace_id, after, TRACES_AT_ONCE):
                for trace_id in found:
                    async for row in self._trace(workspace_id, trace_id):
                        yield row
                after = found[-1]

    async def _trace(self, workspace_id: str, trace_id: str) -> AsyncIterator[dict[str, Any]]:
        placed, after = await place(self._telemetry, workspace_id, trace_id), (0, "")
        while placed is not None:
            page = await spans.page_spans(self._telemetry, workspace_id, placed, limit=SPANS_AT_ONCE, after=after)
            if page:
                yield {"workspace_id": workspace_id, "trace_id": trace_id, **otlp_line(page)}
            if len(page) < SPANS_AT_ONCE:
                return
            after = (page[-1].start_ns, page[-1].span_id)
