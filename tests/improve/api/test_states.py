"""Every (state, wanted state) pair of the machines of the improve stage against the contract (spectral.md §1.2)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from specloop.errors import InvalidTransition
from specloop.improve.changesets import model as changesets
from specloop.improve.objectives import model as objectives
from specloop.improve.rubrics import model as rubrics
from specloop.improve.samples import model as samples
from specloop.improve.scans import model as scans
from specloop.improve.validation import model as validation

VERSION = {"draft": {"active"}, "active": {"archived"}, "archived": set[str]()}
MACHINES: list[tuple[str, Callable[[Any, Any], Any], type[StrEnum], dict[str, set[str]]]] = [
    (
        "scan",
        scans.move,
        scans.Status,
        {
            "scheduled": {"queued", "failed", "cancelled"},
            "queued": {"running", "cancelled"},
            "running": {"completed", "failed", "queued", "cancelling", "paused"},
            "paused": {"queued", "cancelled"},
            "cancelling": {"cancelled"},
            "completed": set(),
            "failed": set(),
            "cancelled": set(),
        },
    ),
    (
        "change set",
        changesets.move,
        changesets.Status,
        {
            "proposed": {"validating", "accepted", "rejected", "superseded", "expired"},
            "validating": {"proposed"},
            "accepted": {"applied", "rolled_back"},
            "applied": {"rolled_back"},
            "rejected": set(),
            "rolled_back": set(),
            "expired": set(),
            "superseded": set(),
        },
    ),
    (
        "validation run",
        validation.move,
        validation.RunStatus,
        {
            "queued": {"running", "cancelled"},
            "running": {"passed", "failed", "inconclusive", "error", "cancelled"},
            "passed": set(),
            "failed": set(),
            "inconclusive": set(),
            "error": set(),
            "cancelled": set(),
        },
    ),
    (
        "sample set version",
        samples.move,
        samples.VersionStatus,
        {"draft": {"frozen"}, "frozen": {"archived"}, "archived": set()},
    ),
    ("rubric version", rubrics.move, rubrics.VersionStatus, VERSION),
    ("objective version", objectives.move, objectives.VersionStatus, VERSION),
    (
        "cluster",
        scans.move_cluster,
        scans.ClusterStatus,
        {
            "open": {"confirmed", "dismissed", "resolved"},
            "confirmed": {"open", "dismissed", "resolved"},
            "dismissed": {"open"},
            "resolved": set(),
        },
    ),
]


@pytest.mark.parametrize(
    ("machine", "current", "wanted"),
    [(m, a, b) for m in MACHINES for a in m[2] for b in m[2]],
    ids=lambda value: str(value) if isinstance(value, StrEnum) else value[0],
)
def test_every_move_is_allowed_or_refused_as_the_contract_says(machine: Any, current: StrEnum, wanted: StrEnum) -> None:
    _, move, states, table = machine
    assert set(table) == set(states)
    if wanted in table[current]:
        assert move(current, wanted) is wanted
        return
    with pytest.raises(InvalidTransition) as refused:
        move(current, wanted)
    transition = refused.value.members["transition"]
    assert (transition["from"], transition["to"]) == (current, wanted)
    assert set(transition["allowed"]) == table[current]


@pytest.mark.parametrize("current", list(scans.Status))
def test_cancel_stops_running_scans_later_and_waiting_ones_at_once(current: scans.Status) -> None:
    expected = {
        scans.Status.SCHEDULED: scans.Status.CANCELLED,
        scans.Status.QUEUED: scans.Status.CANCELLED,
        scans.Status.PAUSED: scans.Status.CANCELLED,
        scans.Status.RUNNING: scans.Status.CANCELLING,
    }
    if current in expected:
        assert scans.cancelled_from(current) is expected[current]
    else:
        with pytest.raises(InvalidTransition):
            scans.cancelled_from(current)
