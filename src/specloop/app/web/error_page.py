"""The page that explains an error: what happened, the request id, and a way on. One of the error renderers."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from specloop.app.web.rendering import page
from specloop.app.web.shell import Shell, Theme
from specloop.errors import SpecloopError

THEME_COOKIE = "specloop_theme"
_HEADLINES = {
    400: "That did not work",
    401: "You are signed out",
    403: "You may not do this",
    404: "There is nothing here",
    422: "Something in the form is not right",
    429: "Too many requests",
    503: "Not just now",
}


def render(error: SpecloopError, request: Request) -> Response:
    """The error as a page; a visitor who is not signed in is sent to the sign-in page and back afterwards."""
    if error.status == 401 and request.method in {"GET", "HEAD"}:
        return _to_sign_in(request)
    shell = Shell(theme=theme_of(request), path=request.url.path)
    return page(
        "pages/error.html",
        shell,
        status=error.status,
        status_code=error.status,
        again=request.url.path if request.method in {"GET", "HEAD"} else "",
        headline=_HEADLINES.get(error.status, "Something went wrong"),
        detail=error.detail,
        request_id=getattr(request.state, "request_id", ""),
        scope=error.members.get("required_scope"),
        allowed=error.members.get("transition", {}).get("allowed"),
    )


def theme_of(request: Request) -> Theme:
    """The visitor's choice of light or dark; `auto` follows the system."""
    match request.cookies.get(THEME_COOKIE):
        case "light":
            return "light"
        case "dark":
            return "dark"
        case _:
            return "auto"


def _to_sign_in(request: Request) -> Response:
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = "/login?" + urlencode({"next": asked})
    if "hx-request" in request.headers:  # a part of a page cannot show the sign-in form: the whole page goes there
        return Response(headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)
