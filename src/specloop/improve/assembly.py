"""Puts the improve stage together: one place that knows how its services depend on each other, for `main` and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from opentelemetry.trace import Tracer

from specloop.improve.changesets import Decisions, Proposals, Validations
from specloop.improve.changesets.rest import router as changesets_router
from specloop.improve.changesets.tasks import tasks as changesets_tasks
from specloop.improve.objectives.compiled import rubric_score
from specloop.improve.objectives.rest import router as objectives_router
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.rubrics.rest import router as rubrics_router
from specloop.improve.rubrics.service import RubricService
from specloop.improve.samples.rest import router as samples_router
from specloop.improve.samples.service import SampleService
from specloop.improve.scans.rest import routers as scans_routers
from specloop.improve.scans.runner.hosts import InProcess, SearchHost
from specloop.improve.scans.runner.runner import Domains, ScanRunner
from specloop.improve.scans.service import Clusters, Scans
from specloop.improve.scans.service.using import ActiveUse
from specloop.improve.scans.tasks import tasks as scans_tasks
from specloop.improve.validation.service import ValidationService, power_report
from specloop.jobs import Tasks
from specloop.kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Improve:
    """The improve stage, ready to be served. Routers are in order: literal paths come first."""

    services: Mapping[type, object]
    routers: Sequence[APIRouter]
    tasks: Sequence[Tasks]


def assemble(clock: Clock, tracer: Tracer, host: SearchHost | None = None) -> Improve:
    """The stage; `tracer` takes the spans of scanned runs, `host` runs searches (default: each in a process)."""
    use = ActiveUse()
    rubrics = RubricService(rubric_score, use)
    objectives = ObjectiveService(rubrics, use)
    samples = SampleService(power_report, use)
    use.objectives = objectives
    validations = Validations(ValidationService(objectives, samples), objectives)
    proposals, decisions = Proposals(objectives, samples), Decisions(objectives)
    scans = Scans(objectives, samples)
    domains = Domains(objectives, samples, proposals, validations, decisions)
    runner = ScanRunner(domains, host or InProcess(), tracer, clock)
    services = (rubrics, objectives, samples, proposals, decisions, validations, scans, Clusters(proposals), runner)
    return Improve(
        services={type(service): service for service in services},
        routers=[*scans_routers, changesets_router, rubrics_router, objectives_router, samples_router],
        tasks=[scans_tasks, changesets_tasks],
    )
