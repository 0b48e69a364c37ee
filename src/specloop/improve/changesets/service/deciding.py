"""Accept, reject, apply, roll back, expire: the moves that end a change set's wait (spectral.md §1.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from specloop.db.context import Context
from specloop.errors import ValidationFailed
from specloop.identity import audit, workspaces
from specloop.improve.changesets import policy, promotion, repository
from specloop.improve.changesets.errors import GateFailed, NoTemplateTouched, RollbackConflict, StaleBase
from specloop.improve.changesets.model import ChangeSet, Edit, Status, move, share_places, value_at
from specloop.improve.changesets.tables import ChangeSetRow
from specloop.improve.objectives.service import ObjectiveService


class Decisions:
    """What people, or bounded autonomy, decide."""

    def __init__(self, objectives: ObjectiveService) -> None:
        self._objectives = objectives

    async def accept(
        self, ctx: Context, changeset_id: str, *, note: str = "", override: bool = False, reason: str = ""
    ) -> ChangeSet:
        """New promoted versions for every touched agent, served from the next call on.

        Raises: ChangeSetNotFound; InvalidTransition; AutonomyForbids; StaleBase; GateFailed.
        """
        row = await repository.row_of(ctx, changeset_id)
        move(repository.status_of(row, ctx.clock.now()), Status.ACCEPTED)
        changeset = await repository.find(ctx, changeset_id)
        mode = (await workspaces.current_active(ctx)).autonomy.mode
        policy.check_may_accept(mode)
        await _check_base(ctx, changeset)
        if not await self._has_valid_pass(ctx, changeset):
            if not override:
                raise GateFailed(_why_not(changeset), verdict=changeset.verdict, gates=_failed(changeset))
            policy.check_override(mode, reason)
        detail = {"note": note, "override": override, "verdict": changeset.verdict}
        return await self._accept(ctx, row, changeset, reason or note, detail)

    async def _accept(
        self, ctx: Context, row: ChangeSetRow, changeset: ChangeSet, reason: str, detail: dict[str, Any]
    ) -> ChangeSet:
        versions = {
            agent_id: await promotion.promote_edits(
                ctx, agent_id, _edits_of(changeset, agent_id), changeset.id, changeset.title
            )
            for agent_id in changeset.agent_ids
        }
        row.result_versions = versions
        row.decided_by, row.decided_at = ctx.principal.actor_id, ctx.clock.now()
        await self._move(ctx, row, Status.ACCEPTED, reason, {**detail, "versions": versions})
        await self._supersede_others(ctx, changeset)
        return await repository.find(ctx, changeset.id)

    async def accept_automatically(self, ctx: Context, changeset_id: str) -> ChangeSet | None:
        """What `bounded_auto` does after a passing validation; None with the reason kept when a bound forbids it.

        Raises: ChangeSetNotFound.
        """
        row = await repository.row_of(ctx, changeset_id)
        workspace = await workspaces.current_active(ctx)  # its lock makes the daily count exact
        changeset = await repository.find(ctx, changeset_id)
        if Status(row.status) is not Status.PROPOSED or workspace.autonomy.mode != "bounded_auto":
            return None
        today = await repository.count_automatic(ctx, ctx.clock.now() - timedelta(days=1))
        pointers = await _auto_pointers(ctx, changeset)
        refusal = policy.refusal_to_automate(
            changeset, workspace.autonomy, pointers, today, ctx.clock.now(), workspace.timezone
        )
        if refusal is None and not await self._has_valid_pass(ctx, changeset):
            refusal = "the verdict is bound to something else"
        row.autonomy_decision = {"accepted": refusal is None, "reason": refusal or "every gate passed within bounds"}
        if refusal is not None:
            await repository.add_event(ctx, changeset_id, "autonomy.declined", {"reason": refusal})
            return None
        await _check_base(ctx, changeset)
        return await self._accept(ctx, row, changeset, "every gate passed within bounds", {"override": False})

    async def _has_valid_pass(self, ctx: Context, changeset: ChangeSet) -> bool:
        """Whether the verdict is `pass` and still bound to what would be accepted (spectral.md §1.4 invariant 9)."""
        bound = changeset.verdict_binding
        if changeset.verdict != "pass" or changeset.objective_version_id is None:
            return False
        compiled = await self._objectives.compiled(ctx, str(bound.get("objective_version_id")))
        return (
            bound.get("config_hash") in changeset.candidate_hashes.values()
            and bound.get("sample_set_version_id") == changeset.sample_set_version_id
            and bound.get("objective_version_id") == changeset.objective_version_id
            and bound.get("judge_versions") == compiled.judge_versions
        )

    async def _supersede_others(self, ctx: Context, accepted: ChangeSet) -> None:
        for other in await repository.touching(ctx, accepted.agent_ids, Status.PROPOSED):
            if other.id != accepted.id and share_places(other.edits, accepted.edits):
                row = await repository.row_of(ctx, other.id)
                row.superseded_by = accepted.id
                await self._move(ctx, row, Status.SUPERSEDED, "", {"by": accepted.id})

    async def reject(self, ctx: Context, changeset_id: str, reason: str, feedback: dict[str, Any]) -> ChangeSet:
        """Decline a proposal.

        Raises: ChangeSetNotFound; InvalidTransition; ValidationFailed without a reason.
        """
        row = await repository.row_of(ctx, changeset_id)
        move(repository.status_of(row, ctx.clock.now()), Status.REJECTED)
        if not reason.strip():
            raise ValidationFailed.of(["body", "reason"], "a rejection needs a reason")
        row.decided_by, row.decided_at = ctx.principal.actor_id, ctx.clock.now()
        await self._move(ctx, row, Status.REJECTED, reason, {"cluster_feedback": feedback})
        return await repository.find(ctx, changeset_id)

    async def apply(self, ctx: Context, changeset_id: str, only: Sequence[str] = ()) -> ChangeSet:
        """Write the edits into the managed templates that the touched agents derive from.

        Raises: ChangeSetNotFound; InvalidTransition; AutonomyForbids; NoTemplateTouched; TemplateDoesNotFit.
        """
        row = await repository.row_of(ctx, changeset_id)
        move(Status(row.status), Status.APPLIED)
        policy.check_may_operate((await workspaces.current_active(ctx)).autonomy.mode, "apply")
        changeset = await repository.find(ctx, changeset_id)
        edits_by_template = await _edits_by_template(ctx, changeset)
        wanted = {key: edits for key, edits in edits_by_template.items() if not only or key in only}
        if not wanted:
            raise NoTemplateTouched
        written = {
            template_id: await promotion.write_into_template(ctx, template_id, edits, changeset.title)
            for template_id, edits in sorted(wanted.items())
        }
        row.applied_by, row.applied_at = ctx.principal.actor_id, ctx.clock.now()
        await self._move(ctx, row, Status.APPLIED, "", {"templates": written})
        return await repository.find(ctx, changeset_id)

    async def rollback(self, ctx: Context, changeset_id: str, reason: str, *, cascade: bool = False) -> ChangeSet:
        """New promoted versions in which the edited places hold what they held before.

        With `cascade`, later change sets on the same places are rolled back first, newest first.
        Raises: ChangeSetNotFound; InvalidTransition; AutonomyForbids; ValidationFailed; RollbackConflict.
        """
        row = await repository.row_of(ctx, changeset_id)
        move(Status(row.status), Status.ROLLED_BACK)
        policy.check_may_operate((await workspaces.current_active(ctx)).autonomy.mode, "rollback")
        if not reason.strip():
            raise ValidationFailed.of(["body", "reason"], "a rollback needs a reason")
        changeset = await repository.find(ctx, changeset_id)
        for later in reversed(await _later_on_same_places(ctx, changeset)):
            if not cascade:
                raise RollbackConflict(f"change set {later.id} touches the same places", changeset_id=later.id)
            await self._take_back(ctx, await repository.row_of(ctx, later.id), later, f"cascade: {reason}")
        if not cascade:
            await _check_untouched(ctx, changeset)
        await self._take_back(ctx, row, changeset, reason)
        return await repository.find(ctx, changeset_id)

    async def _take_back(self, ctx: Context, row: ChangeSetRow, changeset: ChangeSet, reason: str) -> None:
        versions = {
            agent_id: await promotion.take_back(ctx, agent_id, _edits_of(changeset, agent_id), changeset.id, reason)
            for agent_id in changeset.agent_ids
        }
        if Status(row.status) is Status.APPLIED:
            for template_id, edits in sorted((await _edits_by_template(ctx, changeset)).items()):
                backwards = [_inverse(edit) for edit in edits]
                await promotion.write_into_template(ctx, template_id, backwards, f"rollback: {reason}")
        await self._move(ctx, row, Status.ROLLED_BACK, reason, {"versions": versions})

    async def expire(self, ctx: Context) -> int:
        """Move the workspace's proposals whose time has passed to `expired`; returns how many."""
        ids = await repository.expired_ids(ctx, ctx.clock.now())
        for changeset_id in ids:
            row = await repository.row_of(ctx, changeset_id)
            if row.status == Status.PROPOSED:
                await self._move(ctx, row, Status.EXPIRED, "", {})
        return len(ids)

    async def _move(self, ctx: Context, row: ChangeSetRow, wanted: Status, reason: str, detail: dict[str, Any]) -> None:
        """State, decision, event and audit in one transaction (spectral.md §1.4 invariant 15)."""
        row.status = move(Status(row.status), wanted).value
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await repository.add_decision(ctx, row.id, wanted.value, reason, detail)
        await repository.add_event(ctx, row.id, f"changeset.{wanted.value}", {"reason": reason, **detail})
        await audit.record(ctx, f"changeset.{wanted.value}", "changeset", row.id, {"reason": reason, **detail})


async def _check_base(ctx: Context, changeset: ChangeSet) -> None:
    for agent_id, version in changeset.base_versions.items():
        current = (await promotion.promoted(ctx, agent_id)).version
        if current != version:
            raise StaleBase(
                f"agent {agent_id} serves version {current}, the change set was made on {version}",
                agent_id=agent_id, base_version=version, current_version=current,
            )  # fmt: skip


async def _check_untouched(ctx: Context, changeset: ChangeSet) -> None:
    """A version made by hand may have changed the same places since."""
    for agent_id in changeset.agent_ids:
        config = (await promotion.promoted(ctx, agent_id)).config
        changed = [e.pointer for e in _edits_of(changeset, agent_id) if value_at(config, e.pointer) != e.after]
        if changed:
            raise RollbackConflict(f"changed since by another version: {', '.join(changed)}", pointers=changed)


async def _later_on_same_places(ctx: Context, changeset: ChangeSet) -> list[ChangeSet]:
    others = await repository.touching(ctx, changeset.agent_ids, Status.ACCEPTED, Status.APPLIED)
    decided = changeset.decided_at
    return [
        other
        for other in others
        if other.id != changeset.id
        and decided is not None
        and other.decided_at is not None
        and other.decided_at > decided
        and share_places(other.edits, changeset.edits)
    ]


async def _auto_pointers(ctx: Context, changeset: ChangeSet) -> list[str]:
    pointers: list[str] = []
    for agent_id in changeset.agent_ids:
        agent = (await promotion.promoted(ctx, agent_id)).agent
        pointers += [component.pointer for component in agent.components if component.auto]
    return pointers


async def _edits_by_template(ctx: Context, changeset: ChangeSet) -> dict[str, list[Edit]]:
    found: dict[str, list[Edit]] = {}
    for agent_id in changeset.agent_ids:
        template_id = (await promotion.promoted(ctx, agent_id)).agent.template_id
        if template_id is not None:
            found.setdefault(template_id, []).extend(_edits_of(changeset, agent_id))
    return found


def _edits_of(changeset: ChangeSet, agent_id: str) -> list[Edit]:
    return [edit for edit in changeset.edits if edit.agent_id == agent_id]


def _inverse(edit: Edit) -> Edit:
    return Edit(edit.agent_id, edit.pointer, "remove" if edit.op == "add" else "replace", edit.after, edit.before)


def _failed(changeset: ChangeSet) -> list[str]:
    return [str(gate["name"]) for gate in changeset.gates if not gate.get("passed")]


def _why_not(changeset: ChangeSet) -> str:
    if changeset.verdict is None:
        return "the change set has not been validated; validate it, or override with a reason"
    failed = ", ".join(_failed(changeset)) or "none"
    return f"the verdict is '{changeset.verdict}' (gates that did not pass: {failed}); override needs a reason"
