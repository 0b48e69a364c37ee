"""Optimistic locking and conditional reads by ETag (RFC 9110 §8.8, §13; spectral.md §1.0)."""

from __future__ import annotations

from starlette.requests import Request

from specloop.errors import PreconditionFailed


def etag(version: str | int) -> str:
    """The header value of a version."""
    return f'"{version}"'


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def check_if_match(request: Request, version: str | int) -> None:
    """Refuse a change that was based on another version.

    Raises: PreconditionFailed.
    """
    header = request.headers.get("if-match")
    if header is not None and header.strip() != "*" and etag(version) not in _tags(header):
        raise PreconditionFailed


def is_not_modified(request: Request, version: str | int) -> bool:
    """Whether `If-None-Match` names this version, so that 304 is the answer."""
    header = request.headers.get("if-none-match")
    return header is not None and (header.strip() == "*" or etag(version) in _tags(header))
