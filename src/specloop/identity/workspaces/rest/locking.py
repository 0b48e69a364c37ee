"""`If-Match` as something a service can call once it holds the row, and the `ETag` of an answer."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from specloop.identity.workspaces.service.lifecycle import VersionCheck
from specloop.transport.etag import check_if_match


async def if_match(request: Request) -> VersionCheck:
    """The check of the request's `If-Match` against a version."""
    return partial(check_if_match, request)


IfMatch = Annotated[VersionCheck, Depends(if_match)]
