"""What can go wrong, in words that every edge can render.

One base class carries a stable code, an HTTP status and a sentence for the caller. The wire form (problem+json,
envelope, OTLP status, exit code …) is chosen by the edge, never here. Domains subclass these beside their own code.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SpecloopError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Error"

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        """`detail` is shown to the caller (default: the class docstring); `members` are extra public fields."""
        self.detail = detail or self.default_detail()
        self.members = members
        super().__init__(self.detail)

    @classmethod
    def default_detail(cls) -> str:
        """What the class itself says."""
        return next(iter((cls.__doc__ or "").strip().splitlines()), "")


class BadRequest(SpecloopError):
    """The request cannot be understood."""

    code = "bad-request"
    status = 400
    title = "Bad Request"


class BusinessRule(BadRequest):
    """The request breaks a rule of the product."""

    code = "business-rule"
    title = "Business Rule Violation"


class InvalidTransition(BadRequest):
    """The object's state does not allow this step; `transition` names `from`, `to` and what is `allowed`."""

    code = "invalid-transition"
    title = "Invalid Transition"

    @classmethod
    def of(cls, what: str, current: str, wanted: str, allowed: list[str]) -> InvalidTransition:
        """The error for moving `what` from `current` to `wanted` (spectral.md §1.0)."""
        choices = ", ".join(allowed) or "nothing: the state is final"
        detail = f"{what} is {current} and cannot become {wanted}; allowed: {choices}"
        return cls(detail, transition={"from": current, "to": wanted, "allowed": allowed})


class WorkspaceMismatch(BadRequest):
    """X-Workspace-Id differs from the workspace that the request names."""

    code = "workspace-mismatch"
    title = "Workspace Mismatch"


class Unauthenticated(SpecloopError):
    """A valid credential is required."""

    code = "unauthenticated"
    status = 401
    title = "Unauthenticated"


class Forbidden(SpecloopError):
    """The credential does not allow this; `required_scope` names what is missing."""

    code = "forbidden"
    status = 403
    title = "Forbidden"


class NotFound(SpecloopError):
    """The resource does not exist."""

    code = "not-found"
    status = 404
    title = "Resource Not Found"


class MethodNotAllowed(SpecloopError):
    """The resource does not know this method."""

    code = "method-not-allowed"
    status = 405
    title = "Method Not Allowed"


class RequestTimeout(SpecloopError):
    """The request did not arrive in time."""

    code = "request-timeout"
    status = 408
    title = "Request Timeout"


class Conflict(SpecloopError):
    """The request contradicts an earlier one."""

    code = "conflict"
    status = 409
    title = "Conflict"


class IdempotencyConflict(Conflict):
    """This Idempotency-Key was used before with a different request."""

    code = "idempotency-conflict"
    title = "Idempotency Conflict"


class PreconditionFailed(SpecloopError):
    """The resource has changed since it was read: its ETag does not match If-Match."""

    code = "precondition-failed"
    status = 412
    title = "Precondition Failed"


class PayloadTooLarge(SpecloopError):
    """The body is larger than this route accepts."""

    code = "payload-too-large"
    status = 413
    title = "Payload Too Large"


class UnsupportedMediaType(SpecloopError):
    """The content type or encoding is not supported here."""

    code = "unsupported-media-type"
    status = 415
    title = "Unsupported Media Type"


class MisdirectedRequest(SpecloopError):
    """This server does not answer for that host name."""

    code = "misdirected-request"
    status = 421
    title = "Misdirected Request"


class ValidationFailed(SpecloopError):
    """The request has fields that are missing or wrong; `errors` lists them as {loc, msg, code}."""

    code = "validation-error"
    status = 422
    title = "Validation Error"

    @classmethod
    def of(cls, loc: list[str | int], msg: str, code: str = "value_error") -> ValidationFailed:
        """The error for one field at `loc`, as FastAPI names places: ["body", "name"]."""
        return cls(f"{'.'.join(str(part) for part in loc)}: {msg}", errors=[{"loc": loc, "msg": msg, "code": code}])


class RateLimited(SpecloopError):
    """Too many requests; `retry_after` says in how many seconds to come back."""

    code = "rate-limited"
    status = 429
    title = "Too Many Requests"


class Internal(SpecloopError):
    """Something went wrong on the server; the incident id finds it in the log."""


class Unavailable(SpecloopError):
    """The server cannot take this now; `retry_after` says in how many seconds to come back."""

    code = "unavailable"
    status = 503
    title = "Service Unavailable"


class StartupError(SpecloopError):
    """The program cannot start."""

    code = "startup"
    title = "Cannot Start"
    exit_code: ClassVar[int] = 1
