"""Whether an active scan uses an object: what rubrics, objectives and sample sets ask before they are archived."""

from __future__ import annotations

from specloop.db.context import Context
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.scans.repository import runs


class ActiveUse:
    """The question as a callable. Objectives are given afterwards, for they ask it themselves."""

    objectives: ObjectiveService

    async def __call__(self, ctx: Context, object_id: str) -> str | None:
        """The id of an active scan that uses this rubric, objective or sample set."""
        for scan in await runs.active_scans(ctx):
            if object_id in (scan.sample_set_id, scan.objective_id):
                return scan.id
            content = (await self.objectives.version(ctx, scan.objective_version_id)).content
            if any(term.rubric_id == object_id for term in content.terms):
                return scan.id
        return None
