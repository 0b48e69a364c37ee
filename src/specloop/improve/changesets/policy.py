"""Who may decide what: autonomy modes (spectral.md §1.2.4) and the bounds of what the system does by itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from specloop.identity.workspaces import Autonomy, AutonomyMode, QuietHours
from specloop.improve.changesets.errors import AutonomyForbids, GateFailed
from specloop.improve.changesets.model import OVERRIDE_REASON_LENGTH_MIN, ChangeSet

_RISKS = ("low", "medium", "high")
_PROPOSING = frozenset({AutonomyMode.RECOMMEND, AutonomyMode.MANUAL, AutonomyMode.BOUNDED_AUTO})
_OPERATING = frozenset({AutonomyMode.MANUAL, AutonomyMode.BOUNDED_AUTO})
_OVERRIDING = frozenset({AutonomyMode.RECOMMEND, AutonomyMode.MANUAL})


def may_propose(mode: AutonomyMode) -> bool:
    """Whether anything may enter `proposed` at all."""
    return mode in _PROPOSING


def check_may_accept(mode: AutonomyMode) -> None:
    """Accepting works in every mode but `observe_only`.

    Raises: AutonomyForbids.
    """
    if mode not in _PROPOSING:
        raise AutonomyForbids(f"nothing can be accepted while the workspace is in mode '{mode}'")


def check_may_operate(mode: AutonomyMode, verb: str) -> None:
    """Apply and rollback need `manual` or `bounded_auto`.

    Raises: AutonomyForbids.
    """
    if mode not in _OPERATING:
        raise AutonomyForbids(f"'{verb}' is not possible while the workspace is in mode '{mode}'")


def check_override(mode: AutonomyMode, reason: str) -> None:
    """People may overrule a missing or failed verdict, with a reason, where the system does not act by itself.

    Raises: AutonomyForbids; GateFailed when the reason is too short.
    """
    if mode not in _OVERRIDING:
        raise AutonomyForbids(f"verdicts cannot be overridden while the workspace is in mode '{mode}'")
    if len(reason.strip()) < OVERRIDE_REASON_LENGTH_MIN:
        raise GateFailed(f"an override needs a reason of at least {OVERRIDE_REASON_LENGTH_MIN} characters")


def refusal_to_automate(
    changeset: ChangeSet,
    autonomy: Autonomy,
    auto_pointers: Sequence[str],
    accepted_today: int,
    now: datetime,
    zone: str,
) -> str | None:
    """Why the system may not accept this by itself, or None. `auto_pointers` are components marked `auto`."""
    bounds = autonomy.bounds
    holdout: dict[str, Any] = changeset.metrics.get("holdout") or {}
    delta = float(holdout.get("delta") or 0.0)
    refusals = (
        (autonomy.mode is not AutonomyMode.BOUNDED_AUTO, f"the mode is {autonomy.mode}"),
        (changeset.verdict != "pass", "there is no passing verdict"),
        (not all(gate.get("passed") for gate in changeset.gates), "not every gate passed"),
        (delta < bounds.min_effect, f"the effect {delta:.3f} is below {bounds.min_effect}"),
        (_RISKS.index(changeset.risk) > _RISKS.index(bounds.max_risk), f"the risk is {changeset.risk}"),
        (accepted_today >= bounds.max_auto_per_day, f"{accepted_today} were accepted automatically in the last day"),
        (bool(bounds.agents) and not set(changeset.agent_ids) <= set(bounds.agents), "an agent is not in the bounds"),
        (_is_outside(changeset, bounds.allowed_components), "a component is not in the bounds"),
        (_is_outside(changeset, auto_pointers), "a component is not marked auto"),
        (text_delta(changeset) > bounds.max_text_delta_chars, "texts change too much"),
        (_is_quiet(bounds.quiet_hours, now, zone), "these are quiet hours"),
    )
    return next((reason for refused, reason in refusals if refused), None)


def _is_outside(changeset: ChangeSet, prefixes: Sequence[str]) -> bool:
    return any(
        not any(edit.pointer == prefix or edit.pointer.startswith(prefix.rstrip("/") + "/") for prefix in prefixes)
        for edit in changeset.edits
    )


def text_delta(changeset: ChangeSet) -> int:
    """Characters by which the edited texts grow or shrink, summed."""
    return sum(
        abs(
            len(edit.after if isinstance(edit.after, str) else "")
            - len(edit.before if isinstance(edit.before, str) else "")
        )
        for edit in changeset.edits
    )


def _is_quiet(spans: Sequence[QuietHours], now: datetime, zone: str) -> bool:
    local = now.astimezone(ZoneInfo(zone)).time()
    for span in spans:
        start, end = time.fromisoformat(span.start), time.fromisoformat(span.end)
        inside = start <= local < end if start <= end else local >= start or local < end
        if inside:
            return True
    return False
