"""The guide's examples run as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from specloop.app.graphql.limits import BOUNDS
from specloop.app.graphql.paging import LIMIT_MAX
from tests.record.graphql.world import Shelf

GUIDE = (Path(__file__).parents[3] / "docs" / "howto" / "graphql.md").read_text("utf-8")
EXAMPLE = re.compile(r"```graphql\n(.*?)```\n(?:\n```json\n(.*?)```)?", re.DOTALL)


async def test_every_example_of_the_guide_is_answered(shelf: Shelf) -> None:
    await shelf.put("11111111-1111-4111-8111-111111111111", "a migration and its deadlock", gitBranches=["main"])
    examples = [(found[1], json.loads(found[2] or "null")) for found in EXAMPLE.finditer(GUIDE)]
    assert len(examples) == GUIDE.count("```graphql") == 5
    answers: list[Any] = [await shelf.ask(query, variables) for query, variables in examples]
    assert answers[0]["searchSessions"]["total"] == 1
    assert answers[1]["sessions"]["total"] == 1
    assert answers[3]["session"]["markdownContent"] == "# A conversation"


def test_the_guide_names_the_bounds_that_hold() -> None:
    text = " ".join(GUIDE.split())
    assert f"as deep as {BOUNDS.depth} selections" in text
    assert f"as large as {BOUNDS.tokens:,} tokens" in text
    assert f"at most {LIMIT_MAX} sessions" in text
