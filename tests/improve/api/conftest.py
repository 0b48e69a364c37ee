"""A running program with the routers of the improve stage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from specloop.db.database import Database
from specloop.improve.objectives.compiled import rubric_score
from specloop.improve.objectives.rest import router as objectives_router
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.rubrics.rest import router as rubrics_router
from specloop.improve.rubrics.service import RubricService
from specloop.improve.samples.rest import router as samples_router
from specloop.improve.samples.service import SampleService
from specloop.improve.validation.service import power_report
from tests.identity.workspaces.harness import World, running_world


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """The program."""
    rubrics = RubricService(rubric_score)
    services: dict[type, object] = {
        RubricService: rubrics,
        ObjectiveService: ObjectiveService(rubrics),
        SampleService: SampleService(power_report),
    }
    async with running_world(database, [samples_router, rubrics_router, objectives_router], services) as running:
        yield running
