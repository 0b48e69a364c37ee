"""What stands between the network and the application: pure ASGI middlewares, one rule each, without domain words.

`wrap(app, policy)` puts them around an application. Errors are rendered by the policy's `render_error`, so that every
refusal speaks the dialect of its path.
"""

from __future__ import annotations

from starlette.types import ASGIApp

from specloop.transport.edge.bodies import Bodies
from specloop.transport.edge.crash import Crashes
from specloop.transport.edge.depth import JSONDepth, json_depth
from specloop.transport.edge.headers import SecurityHeaders
from specloop.transport.edge.hosts import Authority, Hosts, parse_authority
from specloop.transport.edge.origins import OriginKind, Origins, parse_origin
from specloop.transport.edge.policy import BodyLimit, EdgePolicy, RenderedError, RenderError
from specloop.transport.edge.request_id import RequestIds

__all__ = [
    "Authority",
    "BodyLimit",
    "EdgePolicy",
    "OriginKind",
    "RenderError",
    "RenderedError",
    "json_depth",
    "parse_authority",
    "parse_origin",
    "wrap",
]


def wrap(app: ASGIApp, policy: EdgePolicy) -> ASGIApp:
    """`app` behind the whole edge.

    From the outside in: what decorates every answer, refusals and crashes included (request id, security headers);
    the net under everything that can fail; then the checks from cheap to dear (Host, Origin, body, JSON depth).
    """
    inner = JSONDepth(app, policy)
    inner = Bodies(inner, policy)
    inner = Origins(inner, policy)
    inner = Hosts(inner, policy)
    inner = Crashes(inner, policy)
    inner = SecurityHeaders(inner, policy)
    return RequestIds(inner)
