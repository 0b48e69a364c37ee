"""`/api/v1/lore/*` and `/api/v1/billing/entitlement` for SpecStory's clients (specstory.md §1.5, §1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from specloop.record.skills.errors import DossierNotFound, MiningDisabled, SkillNotFound
from specloop.record.skills.schema import (
    DoneBody,
    DossierPatch,
    DossiersBody,
    Entitlement,
    EntitlementBody,
    RunsBody,
    SkillPatch,
    SkillsBody,
    StartedBody,
)
from specloop.transport.routing import Ctx
from specloop.transport.specstory import reads, record_router, success, writes

lore_router = record_router("/api/v1/lore", tags=["Skills"])
billing_router = record_router("/api/v1/billing", tags=["Skills"])
routers: Final[Sequence[APIRouter]] = (lore_router, billing_router)


@billing_router.head("/entitlement", include_in_schema=False)
@billing_router.get("/entitlement", response_model=EntitlementBody, summary="What the user may use")
@reads()
async def read_entitlement(ctx: Ctx) -> dict[str, Any]:
    """Everything: without `features.resume` SpecStory's command line would not look for recorded sessions at all."""
    return success(Entitlement())


@lore_router.post("/run", response_model=StartedBody, summary="Mine skills from sessions")
@writes()
async def start_run(ctx: Ctx) -> dict[str, Any]:
    """Switched off here: the answer is 403."""
    raise MiningDisabled


@lore_router.get("/runs", response_model=RunsBody, summary="Mining runs")
@reads()
async def list_runs(ctx: Ctx) -> dict[str, Any]:
    """Newest first; none, while mining is switched off."""
    return {"success": True, "runs": []}


@lore_router.get("/skills/library", response_model=SkillsBody, summary="Mined skills")
@reads()
async def list_library(ctx: Ctx) -> dict[str, Any]:
    """The whole library."""
    return {"success": True, "skills": []}


@lore_router.get("/skills", response_model=SkillsBody, summary="Mined skills by state of installation")
@reads()
async def list_skills(ctx: Ctx, install_state: Annotated[str | None, Query(max_length=40)] = None) -> dict[str, Any]:
    """For the desktop client."""
    return {"success": True, "skills": []}


@lore_router.get("/dossiers", response_model=DossiersBody, summary="Mined skills that wait for a verdict")
@reads()
async def list_dossiers(ctx: Ctx, status: Annotated[str | None, Query(max_length=40)] = None) -> dict[str, Any]:
    """For the desktop client."""
    return {"success": True, "dossiers": []}


@lore_router.patch("/dossiers/{dossier}", response_model=DoneBody, summary="Approve or decline a mined skill")
@writes()
async def judge_dossier(ctx: Ctx, dossier: str, body: DossierPatch) -> dict[str, Any]:
    """404 for one that does not exist."""
    raise DossierNotFound


@lore_router.patch("/skills/{name}", response_model=DoneBody, summary="Note that a skill is installed")
@writes()
async def change_skill(ctx: Ctx, name: str, body: SkillPatch) -> dict[str, Any]:
    """404 for one that does not exist."""
    raise SkillNotFound
