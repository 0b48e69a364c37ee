"""Use cases of objectives: write, version, activate, archive, resolve for scoring (spectral.md §1.3 router 13)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.errors import NotFound, ValidationFailed
from specloop.identity import audit
from specloop.improve.objectives import repository
from specloop.improve.objectives.compiled import CompiledObjective, compile_objective
from specloop.improve.objectives.errors import ObjectiveArchived, ObjectiveInUse, RubricNotUsable
from specloop.improve.objectives.model import (
    DIMENSION_PREFIX,
    METRICS,
    ObjectiveContent,
    ObjectiveEntry,
    ObjectiveVersion,
    TermSpec,
    VersionStatus,
    move,
)
from specloop.improve.rubrics.model import Rubric
from specloop.improve.rubrics.service import RubricService

ActiveUse = Callable[[Context, str], Awaitable[str | None]]


async def nobody_uses(ctx: Context, object_id: str) -> str | None:
    """The answer while no domain above is there."""
    del ctx, object_id
    return None


class ObjectiveService:
    """The objectives of a workspace."""

    def __init__(self, rubrics: RubricService, active_use: ActiveUse = nobody_uses) -> None:
        self._rubrics = rubrics
        self._active_use = active_use

    async def create(
        self, ctx: Context, name: str, description: str, content: ObjectiveContent, *, is_active: bool = True
    ) -> ObjectiveEntry:
        """An objective with version 1, ready to be used unless it shall stay a draft.

        Raises: ValidationFailed; RubricNotUsable.
        """
        content = await self._checked(ctx, content)
        objective_id = await repository.insert(ctx, name, description, content)
        await audit.record(ctx, "objective.created", "objective", objective_id, {"name": name, "version": 1})
        return await self.activate(ctx, objective_id) if is_active else await repository.find(ctx, objective_id)

    async def read(self, ctx: Context, objective_id: str, version: int | None = None) -> ObjectiveEntry:
        """An objective with the asked version, the newest by default.

        Raises: ObjectiveNotFound.
        """
        return await repository.find(ctx, objective_id, version)

    async def list(self, ctx: Context, page: PageRequest, status: str | None = None) -> Page[ObjectiveEntry]:
        """Objectives that are not archived, unless `status` asks for those."""
        return await repository.page_of(ctx, page, status)

    async def versions(self, ctx: Context, objective_id: str, page: PageRequest) -> Page[ObjectiveVersion]:
        """All versions, newest first.

        Raises: ObjectiveNotFound.
        """
        await repository.find(ctx, objective_id)
        return await repository.versions_of(ctx, objective_id, page)

    async def update(
        self,
        ctx: Context,
        objective_id: str,
        name: str | None,
        description: str | None,
        content: ObjectiveContent | None,
    ) -> ObjectiveEntry:
        """Rename in place; new content edits the draft, or makes the next draft of an active version.

        Raises: ObjectiveNotFound; ObjectiveArchived; ValidationFailed; RubricNotUsable.
        """
        row = await repository.row_of(ctx, objective_id)
        if row.is_archived:
            raise ObjectiveArchived
        row.name = name if name is not None else row.name
        row.description = description if description is not None else row.description
        if content is not None:
            checked = await self._checked(ctx, content)
            row.latest_version = await self._write_draft(ctx, objective_id, row.latest_version, checked)
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await audit.record(ctx, "objective.updated", "objective", objective_id, {"version": row.latest_version})
        return await repository.find(ctx, objective_id)

    async def _write_draft(self, ctx: Context, objective_id: str, latest: int, content: ObjectiveContent) -> int:
        version = await repository.version_row(ctx, objective_id, latest)
        if version.status != VersionStatus.DRAFT:
            await repository.insert_version(ctx, objective_id, latest + 1, content)
            return latest + 1
        version.body = content.as_json()
        version.content_hash = content.content_hash
        return latest

    async def activate(self, ctx: Context, objective_id: str) -> ObjectiveEntry:
        """Make the newest draft the active version; the one before is archived.

        Raises: ObjectiveNotFound; ObjectiveArchived; InvalidTransition when the newest version is no draft.
        """
        row = await repository.row_of(ctx, objective_id)
        if row.is_archived:
            raise ObjectiveArchived
        version = await repository.version_row(ctx, objective_id, row.latest_version)
        version.status = move(VersionStatus(version.status), VersionStatus.ACTIVE).value
        version.activated_at = row.updated_at = ctx.clock.now()
        if row.active_version is not None:
            before = await repository.version_row(ctx, objective_id, row.active_version)
            before.status = move(VersionStatus(before.status), VersionStatus.ARCHIVED).value
        row.active_version = version.version
        row.revision += 1
        await ctx.session.flush()
        await audit.record(ctx, "objective.activated", "objective", objective_id, {"version": version.version})
        return await repository.find(ctx, objective_id)

    async def archive(self, ctx: Context, objective_id: str) -> None:
        """Take an objective out of use; its versions stay readable.

        Raises: ObjectiveNotFound; ObjectiveArchived when it is already; ObjectiveInUse.
        """
        row = await repository.row_of(ctx, objective_id)
        if row.is_archived:
            raise ObjectiveArchived
        scan_id = await self._active_use(ctx, objective_id)
        if scan_id is not None:
            raise ObjectiveInUse(f"scan {scan_id} uses the objective", scan_id=scan_id)
        row.is_archived = True
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await audit.record(ctx, "objective.archived", "objective", objective_id)

    async def usable(self, ctx: Context, objective_id: str) -> ObjectiveVersion:
        """The active version, for a scan or a validation to pin.

        Raises: ObjectiveNotFound; ObjectiveArchived when it is archived or was never activated.
        """
        entry = await repository.find(ctx, objective_id)
        if entry.is_archived or entry.active_version is None:
            raise ObjectiveArchived("the objective is archived or has no active version")
        return (await repository.find(ctx, objective_id, entry.active_version)).shown

    async def version(self, ctx: Context, version_id: str) -> ObjectiveVersion:
        """A version by its own id.

        Raises: ObjectiveNotFound.
        """
        return await repository.version_by_id(ctx, version_id)

    async def compiled(self, ctx: Context, version_id: str) -> CompiledObjective:
        """What scores by that version; rubrics are named by their slug, with a number where two would be equal.

        Raises: ObjectiveNotFound.
        """
        content = (await repository.version_by_id(ctx, version_id)).content
        rubrics: dict[tuple[str, int], Rubric] = {}
        for term in content.terms:
            key = (term.rubric_id, term.rubric_version or 0)
            if key not in rubrics:
                rubrics[key] = await self._rubrics.read(ctx, *key)
        names = _names([rubric.name for rubric in rubrics.values()])
        joined = zip(rubrics.items(), names, strict=True)
        return compile_objective(content, {key: (name, one.shown.content) for (key, one), name in joined})

    async def _checked(self, ctx: Context, content: ObjectiveContent) -> ObjectiveContent:
        if sum(term.weight for term in content.terms) <= 0:
            raise ValidationFailed.of(["body", "terms"], "at least one weight must be above 0")
        terms: list[TermSpec] = []
        keys: set[str] = set()
        for index, term in enumerate(content.terms):
            rubric = await self._resolved(ctx, index, term)
            dimensions = {one.key for one in rubric.shown.content.dimensions}
            if term.dimension is not None and term.dimension not in dimensions:
                raise ValidationFailed.of(
                    ["body", "terms", index, "dimension"], f"the rubric has no dimension '{term.dimension}'"
                )
            keys |= dimensions
            terms.append(replace(term, rubric_version=rubric.shown.version))
        _check_metrics(content, keys)
        return replace(content, terms=tuple(terms))

    async def _resolved(self, ctx: Context, index: int, term: TermSpec) -> Rubric:
        try:
            rubric = await self._rubrics.read(ctx, term.rubric_id, term.rubric_version)
            if rubric.is_archived or rubric.active_version is None:
                raise RubricNotUsable(f"rubric '{rubric.name}' is archived or has no active version")
            if term.rubric_version is None:
                rubric = await self._rubrics.read(ctx, term.rubric_id, rubric.active_version)
        except NotFound:
            raise ValidationFailed.of(["body", "terms", index, "rubric_id"], "no such rubric version") from None
        if rubric.shown.status == VersionStatus.DRAFT:
            raise RubricNotUsable(f"version {rubric.shown.version} of rubric '{rubric.name}' is a draft")
        return rubric


def _check_metrics(content: ObjectiveContent, keys: set[str]) -> None:
    for index, constraint in enumerate(content.constraints):
        metric = constraint.metric
        known = metric in METRICS or (
            metric.startswith(DIMENSION_PREFIX) and metric.removeprefix(DIMENSION_PREFIX) in keys
        )
        if not known:
            allowed = ", ".join([*sorted(METRICS), *(f"{DIMENSION_PREFIX}{key}" for key in sorted(keys))])
            raise ValidationFailed.of(
                ["body", "constraints", index, "metric"], f"unknown metric '{metric}'; known: {allowed}"
            )


def _names(names: list[str]) -> list[str]:
    slugs: list[str] = []
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "rubric"
        slugs.append(slug if slug not in slugs else f"{slug}-{len(slugs) + 1}")
    return slugs
