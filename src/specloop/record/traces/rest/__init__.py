"""Routers 15 and 19 over HTTP; literal paths come before those with an id."""

from __future__ import annotations

from fastapi import APIRouter

from specloop.record.traces.rest.exports import router as exports_router
from specloop.record.traces.rest.opinions import router as opinions_router
from specloop.record.traces.rest.reading import router as reading_router
from specloop.record.traces.rest.submission import router as submission_router

routers: tuple[APIRouter, ...] = (submission_router, exports_router, reading_router, opinions_router)
