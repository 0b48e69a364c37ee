"""The traces of a recorded session, for its page: the rows and the template `parts/_session_traces.html`."""

from __future__ import annotations

from typing import Any, Final

from specloop.app.web.traces import row_of
from specloop.db.context import Context
from specloop.errors import Unavailable
from specloop.record.sessions import Session
from specloop.record.traces import TraceReader

SHOWN: Final = 20


async def session_traces(ctx: Context, traces: TraceReader, session: Session) -> dict[str, Any]:
    """Values for the template: at most `SHOWN` traces whose session or conversation id is the session's, newest first.

    Nothing when the telemetry store cannot answer: the session itself is readable without it.
    """
    try:
        found = await traces.traces_of_session(ctx, session.client_id, limit=SHOWN + 1)
    except Unavailable:
        found = ()
    rows = [row_of(one) for one in found[:SHOWN]]
    return {"session_traces": rows, "session_traces_more": len(found) > SHOWN, "session_client_id": session.client_id}
