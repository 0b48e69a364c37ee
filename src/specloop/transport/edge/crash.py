"""The last resort: whatever the application raises becomes an answer, and what nobody expected stays in the log.

The caller of an unexpected failure learns an incident id; the trace is logged under the same id and never shown.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.errors import Internal, SpecloopError
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger
from specloop.transport.edge.messages import refuse
from specloop.transport.edge.policy import EdgePolicy

_log = get_logger(__name__)


class Crashes:
    """The middleware."""

    def __init__(self, app: ASGIApp, policy: EdgePolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        outlet = _Outlet(send)
        try:
            await self._app(scope, receive, outlet.send)
        except Exception as failure:  # the outermost loop: nothing above could do better
            error = failure if isinstance(failure, SpecloopError) else _masked(scope, failure)
            if not outlet.is_started:
                await refuse(scope, send, error, self._policy.render_error)
        else:
            await outlet.flush()


class _Outlet:
    """Sends on, but holds a 500 back until the application has returned.

    The framework answers a crash by itself in plain text before it raises; that answer is ours to give.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[Message] = []
        self.is_started = False

    async def send(self, message: Message) -> None:
        if self._held or (message["type"] == "http.response.start" and message["status"] == 500):
            self._held.append(message)
            return
        self.is_started = True
        await self._send(message)

    async def flush(self) -> None:
        for message in self._held:
            await self._send(message)


def _masked(scope: Scope, failure: Exception) -> Internal:
    incident_id = new_id()
    _log.error(
        "http.crash",
        incident_id=incident_id,
        method=scope["method"],
        path=scope["path"],
        exc_info=failure,
    )
    return Internal(incident_id=incident_id)
