"""Whatever goes wrong, `error` is a text in the contract's words (specstory.md §1.0)."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from specloop.app.specstory_errors import envelope
from specloop.errors import (
    BadRequest,
    Forbidden,
    Internal,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    SpecloopError,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from specloop.identity.tokens import BadToken, TokenExpired
from tests.record.specstory.go_decoding import ERROR, decode

PATH = "/api/v1/projects/p/sessions/s"


def everything() -> list[type[SpecloopError]]:
    """Each error of the program."""
    found: list[type[SpecloopError]] = []
    waiting: list[type[SpecloopError]] = [SpecloopError]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += one.__subclasses__()
    return found


def request(path: str = PATH, method: str = "GET") -> Request:
    """A request to `path`."""
    return Request({"type": "http", "method": method, "path": path, "headers": [], "query_string": b""})


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("GET", PATH, "Insufficient permissions to access this project"),
        ("PUT", PATH, "You do not have permission to update this project"),
        ("PATCH", "/api/v1/projects/p", "You do not have permission to update this project"),
        ("DELETE", "/api/v1/projects/p", "You do not have permission to delete this project"),
        ("DELETE", PATH, "Insufficient permissions to delete this session"),
        ("POST", "/api/v1/search/resume", "Insufficient permissions to access this project"),
    ],
)
def test_a_missing_scope_is_told_in_the_words_of_what_was_tried(method: str, path: str, text: str) -> None:
    error = Forbidden("this needs the scope write:workspace", required_scope="write:workspace")
    assert decode(bytes(envelope(error, request(path, method)).body), ERROR)["error"] == text


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (Unauthenticated(), 401, "Invalid or missing authentication token"),
        (Unauthenticated("The session has ended; sign in again"), 401, "Invalid session token"),
        (BadToken(), 401, "Invalid session token"),
        (TokenExpired(), 401, "Invalid session token"),
        (Forbidden(), 403, "Insufficient permissions to access this project"),
        (Forbidden("You do not have permission to update this project"), 403, None),
        (NotFound(), 404, "Not found"),
        (NotFound("Session not found"), 404, None),
        (MethodNotAllowed(), 405, "Method not allowed"),
        (PayloadTooLarge("x"), 413, f"413 Failure - size limit exceeded for {PATH}"),
        (RateLimited(retry_after=60), 429, "Rate limit exceeded. Try again in 60 seconds."),
        (UnsupportedMediaType("send the body as application/json"), 400, None),
        (BadRequest("no"), 400, None),
        (ValidationFailed.of(["body", "name"], "Field required", "missing"), 400, "Missing required field: name"),
        (ValidationFailed.of(["body"], "Field required", "missing"), 400, "Invalid JSON in request body"),
        (ValidationFailed.of(["body", 3], "JSON decode error", "json_invalid"), 400, "Invalid JSON in request body"),
        (Internal("Something went wrong on the server. Incident 1"), 500, None),
        (Unavailable(), 503, None),
    ],
)
def test_the_contracts_texts(error: SpecloopError, status: int, text: str | None) -> None:
    answer = envelope(error, request())
    assert answer.status_code == status
    assert decode(bytes(answer.body), ERROR) == {"success": False, "error": text or error.detail}


def test_no_error_of_the_program_has_another_form() -> None:
    for kind in everything():
        error = kind.__new__(kind)
        SpecloopError.__init__(error, None if kind.__doc__ else "no words", errors=[], headers={"Allow": "GET"})
        for path in (PATH, "/api/v1/graphql"):
            decoded = decode(bytes(envelope(error, request(path)).body), ERROR)
            assert decoded["success"] is False
            assert decoded["error"]
