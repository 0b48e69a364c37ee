"""Answers of the dialect, written without a detour through validation: lists of thousands are common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from specloop.db.context import Context
from specloop.kit import json
from specloop.record.sessions.model import Session
from specloop.record.sessions.service.reading import SessionReader
from specloop.transport.routing import Ctx, provided
from specloop.transport.specstory import success

ProjectPath = Annotated[str, Path(alias="project", description="The project's id: the client's, an alias or the row's")]
SessionPath = Annotated[str, Path(alias="session", description="The session's id: the client's, else the row's")]
Reader = Annotated[SessionReader, Depends(provided(SessionReader))]


def enveloped(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`data` in the envelope."""
    return Response(json.dumps(success(data)), status, headers, "application/json")


def readable(
    router: APIRouter, path: str, **options: Any
) -> Callable[[Callable[..., Awaitable[Response]]], Callable[..., Awaitable[Response]]]:
    """A route for GET and for HEAD, which is GET without the body (RFC 9110 §9.3.2); the framework adds none itself."""

    def register(endpoint: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        router.add_api_route(path, endpoint, methods=["GET"], **options)
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        return endpoint

    return register


async def session_in_path(ctx: Ctx, reader: Reader, request: Request) -> Session:
    """The session that the path names.

    Raises: SessionNotFound.
    """
    return await find_session(ctx, reader, request)


async def find_session(ctx: Context, reader: SessionReader, request: Request) -> Session:
    """The session that the path names.

    Raises: SessionNotFound.
    """
    return await reader.find(ctx, request.path_params["project"], request.path_params["session"])


ThisSession = Annotated[Session, Depends(session_in_path)]
