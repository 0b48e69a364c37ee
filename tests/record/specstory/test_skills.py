"""Entitlement and lore: empty but valid answers, decoded as the Go client does (specstory.md §1.5, §1.6)."""

from __future__ import annotations

import pytest

from tests.identity.devices.specstory_cli import Linked
from tests.record.specstory.go_decoding import (
    BOOL,
    ENTITLEMENT,
    ERROR,
    INT,
    LORE_LIBRARY,
    LORE_RUNS,
    STRING,
    GoDecodeError,
    decode,
    list_of,
    map_of,
    struct,
)


async def test_everything_is_included(cli: Linked) -> None:
    answer = await cli.send("GET", "/api/v1/billing/entitlement")
    data = decode(answer.content, ENTITLEMENT)["data"]
    assert data["plan"] == "enterprise"
    assert set(data["features"].values()) == {True}
    assert answer.json() == {
        "success": True,
        "data": {
            "plan": "enterprise",
            "features": {
                "resume": True,
                "skills": True,
                "analytics": True,
                "knowledge_base": True,
                "work_tracking": True,
                "governance": True,
            },
        },
    }


async def test_lists_are_empty_and_not_null(cli: Linked) -> None:
    runs = await cli.send("GET", "/api/v1/lore/runs")
    library = await cli.send("GET", "/api/v1/lore/skills/library")
    assert decode(runs.content, LORE_RUNS)["success"] is True
    assert decode(library.content, LORE_LIBRARY)["success"] is True
    assert (runs.json()["runs"], library.json()["skills"]) == ([], [])
    assert (await cli.send("GET", "/api/v1/lore/skills?install_state=installed")).json()["skills"] == []
    assert (await cli.send("GET", "/api/v1/lore/dossiers?status=pending")).json()["dossiers"] == []


async def test_a_run_is_refused_as_disabled(cli: Linked) -> None:
    answer = await cli.send("POST", "/api/v1/lore/run", json={})
    assert answer.status_code == 403
    assert decode(answer.content, ERROR)["success"] is False


async def test_changes_of_unknown_things_are_404(cli: Linked) -> None:
    dossier = await cli.send("PATCH", "/api/v1/lore/dossiers/x", json={"action": "decline", "note": "no"})
    skill = await cli.send("PATCH", "/api/v1/lore/skills/x%20y", json={"install_state": "available"})
    assert (dossier.status_code, dossier.json()["error"]) == (404, "Dossier not found")
    assert (skill.status_code, skill.json()["error"]) == (404, "Skill not found")


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"x"}}',
        b'{"success":"true"}',
        b'{"count":1.0}',
        b'{"count":"1"}',
        b'{"count":1e3}',
        b'{"sizes":{"a":null,"b":"2"}}',
        b'{"names":{}}',
        b"[]",
        b"{",
        b'{"count":NaN}',
    ],
)
def test_the_decoder_is_as_strict_as_go(body: bytes) -> None:
    shape = struct(success=BOOL, error=STRING, count=INT, sizes=map_of(INT), names=list_of(STRING))
    with pytest.raises(GoDecodeError):
        decode(body, shape)


def test_the_decoder_is_as_lenient_as_go() -> None:
    shape = struct(success=BOOL, error=STRING, sizes=map_of(INT))
    body = b'{"SUCCESS":true,"error":null,"more":[1.5],"sizes":{"a":null,"b":2}}'
    assert decode(body, shape) == {"success": True, "error": "", "sizes": {"a": 0, "b": 2}}
