"""Use cases of rubrics: write, version, activate, archive, try out (spectral.md §1.3 router 12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.errors import ValidationFailed
from specloop.identity import audit
from specloop.improve.rubrics import repository
from specloop.improve.rubrics.errors import RubricArchived, RubricInUse
from specloop.improve.rubrics.judges import Case, UnknownJudge, judge_case, judge_for, judge_refs
from specloop.improve.rubrics.model import (
    DimensionSpec,
    Rubric,
    RubricContent,
    RubricVersion,
    VersionStatus,
    move,
    normalised,
)

ActiveUse = Callable[[Context, str], Awaitable[str | None]]
"""Asks the domains above for the id of an active scan that uses the object with this id."""


Aggregate = Callable[[RubricContent, Mapping[str, float | None]], float | None]
"""The one composite implementation, which belongs to objectives: a rubric's score from scores by dimension key."""


async def nobody_uses(ctx: Context, object_id: str) -> str | None:
    """The answer while no domain above is there."""
    del ctx, object_id
    return None


class RubricService:
    """The rubrics of a workspace."""

    def __init__(self, aggregate: Aggregate, active_use: ActiveUse = nobody_uses) -> None:
        self._aggregate = aggregate
        self._active_use = active_use

    async def create(
        self, ctx: Context, name: str, description: str, content: RubricContent, *, is_active: bool = True
    ) -> Rubric:
        """A rubric with version 1, ready to be used unless it shall stay a draft.

        Raises: ValidationFailed for equal keys or a judge that is not installed.
        """
        content = checked(content)
        rubric_id = await repository.insert(ctx, name, description, content)
        await audit.record(ctx, "rubric.created", "rubric", rubric_id, {"name": name, "version": 1})
        return await self.activate(ctx, rubric_id) if is_active else await repository.find(ctx, rubric_id)

    async def read(self, ctx: Context, rubric_id: str, version: int | None = None) -> Rubric:
        """A rubric with the asked version, the newest by default.

        Raises: RubricNotFound.
        """
        return await repository.find(ctx, rubric_id, version)

    async def list(self, ctx: Context, page: PageRequest, status: str | None = None) -> Page[Rubric]:
        """Rubrics that are not archived, unless `status` asks for those."""
        return await repository.page_of(ctx, page, status)

    async def versions(self, ctx: Context, rubric_id: str, page: PageRequest) -> Page[RubricVersion]:
        """All versions, newest first.

        Raises: RubricNotFound.
        """
        await repository.find(ctx, rubric_id)
        return await repository.versions_of(ctx, rubric_id, page)

    async def update(
        self, ctx: Context, rubric_id: str, name: str | None, description: str | None, content: RubricContent | None
    ) -> Rubric:
        """Rename in place; new content edits the draft, or makes the next draft of an active version.

        Raises: RubricNotFound; RubricArchived; ValidationFailed.
        """
        row = await repository.row_of(ctx, rubric_id)
        if row.is_archived:
            raise RubricArchived
        row.name = name if name is not None else row.name
        row.description = description if description is not None else row.description
        if content is not None:
            row.latest_version = await self._write_draft(ctx, rubric_id, row.latest_version, checked(content))
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await audit.record(ctx, "rubric.updated", "rubric", rubric_id, {"version": row.latest_version})
        return await repository.find(ctx, rubric_id)

    async def _write_draft(self, ctx: Context, rubric_id: str, latest: int, content: RubricContent) -> int:
        version = await repository.version_row(ctx, rubric_id, latest)
        if version.status != VersionStatus.DRAFT:
            await repository.insert_version(ctx, rubric_id, latest + 1, content)
            return latest + 1
        version.dimensions = content.as_json()
        version.aggregation = content.aggregation
        version.content_hash = content.content_hash
        return latest

    async def activate(self, ctx: Context, rubric_id: str) -> Rubric:
        """Make the newest draft the active version; the one before is archived.

        Raises: RubricNotFound; RubricArchived; InvalidTransition when the newest version is no draft.
        """
        row = await repository.row_of(ctx, rubric_id)
        if row.is_archived:
            raise RubricArchived
        version = await repository.version_row(ctx, rubric_id, row.latest_version)
        version.status = move(VersionStatus(version.status), VersionStatus.ACTIVE).value
        version.activated_at = row.updated_at = ctx.clock.now()
        if row.active_version is not None:
            before = await repository.version_row(ctx, rubric_id, row.active_version)
            before.status = move(VersionStatus(before.status), VersionStatus.ARCHIVED).value
        row.active_version = version.version
        row.revision += 1
        await ctx.session.flush()
        await audit.record(ctx, "rubric.activated", "rubric", rubric_id, {"version": version.version})
        return await repository.find(ctx, rubric_id)

    async def archive(self, ctx: Context, rubric_id: str) -> None:
        """Take a rubric out of use; its versions stay readable.

        Raises: RubricNotFound; RubricArchived when it is already; RubricInUse.
        """
        row = await repository.row_of(ctx, rubric_id)
        if row.is_archived:
            raise RubricArchived
        scan_id = await self._active_use(ctx, rubric_id)
        if scan_id is not None:
            raise RubricInUse(f"scan {scan_id} uses the rubric", scan_id=scan_id)
        row.is_archived = True
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await audit.record(ctx, "rubric.archived", "rubric", rubric_id)

    async def preview(self, ctx: Context, rubric_id: str, case: Case, version: int | None = None) -> dict[str, Any]:
        """What the rubric says about one output: each dimension's score and rationale, and the composite.

        Raises: RubricNotFound.
        """
        rubric = await repository.find(ctx, rubric_id, version)
        content = rubric.shown.content
        findings = {one.key: judge_case(judge_for(one.judge.ref), case, one.judge.args) for one in content.dimensions}
        return {
            "rubric_id": rubric_id,
            "version": rubric.shown.version,
            "score": self._aggregate(content, {key: finding.value for key, finding in findings.items()}),
            "dimensions": [
                {"key": key, "outcome": found.outcome, "score": found.value, "rationale": found.rationale}
                for key, found in findings.items()
            ],
        }


def checked(content: RubricContent) -> RubricContent:
    """The content with normalised weights.

    Raises: ValidationFailed for equal keys or a judge that is not installed.
    """
    keys = [dimension.key for dimension in content.dimensions]
    for index, dimension in enumerate(content.dimensions):
        if dimension.key in keys[:index]:
            raise ValidationFailed.of(["body", "dimensions", index, "key"], f"'{dimension.key}' is used twice")
        _check_judge(index, dimension)
    return normalised(content)


def _check_judge(index: int, dimension: DimensionSpec) -> None:
    if dimension.judge.kind == "code":
        try:
            judge_for(dimension.judge.ref)
        except UnknownJudge as error:
            raise ValidationFailed.of(["body", "dimensions", index, "judge", "ref"], str(error)) from None
        return
    raise ValidationFailed.of(
        ["body", "dimensions", index, "judge", "kind"],
        f"no judge of kind '{dimension.judge.kind}' is installed; kind 'code' has: {', '.join(judge_refs())}",
    )
