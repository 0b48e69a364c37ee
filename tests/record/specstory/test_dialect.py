"""What every route of SpecStory's dialect has in common (specstory.md §1.0, §5, §9 item 14)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from specloop.identity.gate import Allowances
from specloop.record.skills import rest as skills_rest
from specloop.transport.dialects import RECORD_SEGMENTS, Dialect, dialect_of
from tests.identity.devices.specstory_cli import Linked, device_login, linked
from tests.identity.front.program import Program, Visitor, running
from tests.record.specstory.go_decoding import ERROR, decode

ENTITLEMENT = "/api/v1/billing/entitlement"
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
DAY = 86_400


def test_whole_segments_belong_to_the_dialect_not_their_beginnings() -> None:
    for segment in RECORD_SEGMENTS:
        assert dialect_of(f"/api/v1/{segment}") is Dialect.RECORD
        assert dialect_of(f"/api/v1/{segment}/x/y") is Dialect.RECORD
        assert dialect_of(f"/api/v1/{segment}x") is Dialect.PROBLEM
        assert dialect_of(f"/api/v2/{segment}") is Dialect.PROBLEM
    assert dialect_of("/api/v1/workspaces/1/projects") is Dialect.PROBLEM
    assert dialect_of("/projects/p") is Dialect.PAGE


def limits_of(program: Program, answer: httpx.Response) -> tuple[int, int]:
    """(limit, remaining), once the three headers are there and the last is a moment of the near future."""
    limit, remaining, reset = (int(answer.headers[name]) for name in LIMITS)
    now = program.clock.now().timestamp()
    assert now < reset <= now + DAY
    assert not any(name.lower().startswith("ratelimit") for name in answer.headers)
    return limit, remaining


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("segment", RECORD_SEGMENTS)
async def test_unknown_routes_are_401_without_and_not_found_with_a_credential(
    program: Program, cli: Linked, segment: str, method: str
) -> None:
    path = f"/api/v1/{segment}/no/such/route"
    stranger = await program.client.request(method, path)
    assert stranger.status_code == 401
    assert decode(stranger.content, ERROR)["error"] == "Invalid or missing authentication token"
    known = await cli.send(method, path)
    assert (known.status_code, known.json()["error"]) == (404, "Not found")
    assert limits_of(program, known)[0] == 100_000
    limits_of(program, stranger)


async def test_head_of_an_unknown_route_has_limits_and_no_body(program: Program, cli: Linked) -> None:
    answer = await cli.send("HEAD", "/api/v1/projects/p/x/s")
    assert answer.status_code == 404
    limits_of(program, answer)


async def test_a_wrong_method_is_not_found(cli: Linked) -> None:
    answer = await cli.send("PUT", ENTITLEMENT, json={})
    assert (answer.status_code, answer.json()) == (404, {"success": False, "error": "Not found"})


@pytest.mark.parametrize("path", ["/api/v1/projects", "/api/v1/projects/p/sessions/s", ENTITLEMENT, "/api/v1/lore/run"])
async def test_options_is_a_success_for_everybody(program: Program, path: str) -> None:
    answer = await program.client.options(path)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    limits_of(program, answer)


async def test_bad_credentials_are_401_with_a_text(program: Program, cli: Linked) -> None:
    for token in ("", "x", cli.refresh_token, "sf_" + "A" * 43, "sk_live_0000", "eyJh.e30.x"):
        answer = await program.client.get(ENTITLEMENT, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token
        assert decode(answer.content, ERROR)["error"]
        assert "invalid" in answer.json()["error"].lower()
        limits_of(program, answer)


async def test_a_workspace_key_is_refused(program: Program, owner: Visitor) -> None:
    made = await owner.post(f"/api/v1/workspaces/{owner.workspace_id}/keys", {"name": "ci"})
    answer = await program.client.get(ENTITLEMENT, headers={"Authorization": f"Bearer {made.json()['key']}"})
    assert answer.status_code == 403
    assert decode(answer.content, ERROR)["success"] is False
    limits_of(program, answer)


async def test_a_sign_in_token_works_with_the_users_own_limit(program: Program, owner: Visitor) -> None:
    answer = await owner.get(ENTITLEMENT)
    assert answer.status_code == 200
    assert limits_of(program, answer) == (600, 599)


async def test_broken_bodies_are_400_with_a_text(cli: Linked) -> None:
    headers = {"Content-Type": "application/json"}
    for body, text in (
        (b"{", "Invalid JSON in request body"),
        (b"", "Invalid JSON in request body"),
        (b"{}", "Missing required field: action"),
        (b'{"action":"perhaps"}', "Invalid value for action: Input should be 'approve' or 'decline'"),
        (b'{"action":"approve"}', "Dossier not found"),
    ):
        answer = await cli.client.patch(
            "/api/v1/lore/dossiers/x",
            content=body,
            headers={**headers, "Authorization": f"Bearer {cli.access_token}"},
        )
        assert decode(answer.content, ERROR) == {"success": False, "error": text}
        assert answer.status_code == (404 if text.endswith("found") else 400)


async def test_nul_in_a_path_or_a_query_does_not_reach_the_store(cli: Linked) -> None:
    assert (
        await cli.send("PATCH", "/api/v1/lore/skills/a%00b", json={"install_state": "installed"})
    ).status_code == 404
    assert (await cli.send("GET", "/api/v1/lore/skills?install_state=%00")).status_code == 400


async def test_an_observer_may_read_and_not_write(program: Program, owner: Visitor) -> None:
    observer = await program.member(owner, "look@test.com", observer=owner.workspace_id)
    device = await linked(program, observer)
    assert (await device.send("GET", ENTITLEMENT)).status_code == 200
    refused = await device.send("PATCH", "/api/v1/lore/skills/x", json={"install_state": "installed"})
    assert (refused.status_code, refused.json()["success"]) == (403, False)


async def test_a_member_without_a_workspace_is_told_so(program: Program, owner: Visitor) -> None:
    member = await program.member(owner, "new@test.com")
    answer = await member.get(ENTITLEMENT)
    assert answer.status_code == 403
    assert "no workspace" in answer.json()["error"]


async def test_another_workspace_can_be_named_and_a_foreign_one_cannot(program: Program, owner: Visitor) -> None:
    eve = await program.register("eve@test.com")
    named = await owner.get(ENTITLEMENT, **{"X-Workspace-Id": owner.workspace_id})
    foreign = await owner.get(ENTITLEMENT, **{"X-Workspace-Id": eve.workspace_id})
    nonsense = await owner.get(ENTITLEMENT, **{"X-Workspace-Id": "x"})
    assert [answer.status_code for answer in (named, foreign, nonsense)] == [200, 404, 400]


async def test_each_kind_of_credential_has_its_own_allowance(
    program: Program, owner: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    allowed = Allowances(device_per_hour=5, user_per_minute=50)
    folder: Path = tmp_path_factory.mktemp("tight")
    async with running(program.database, folder, routers=skills_rest.routers, allowances=allowed) as tight:
        device = await linked(tight, Visitor(tight.client, owner.body, owner.email))
        answers = [await device.send("GET", ENTITLEMENT) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert [limits_of(tight, answer) for answer in answers] == [(5, left) for left in (4, 3, 2, 1, 0, 0)]
        wait = int(answers[-1].headers["Retry-After"])
        assert answers[-1].json()["error"] == f"Rate limit exceeded. Try again in {wait} seconds."
        assert (await device.send("GET", "/api/v1/projects/x/y/z")).status_code == 429
        assert (await device_login(tight.client, "AAAAAA")).status_code == 401
        tight.clock.advance(3601)
        assert (await device.send("GET", ENTITLEMENT)).status_code == 401


async def test_graphql_refusals_speak_both_languages(program: Program, owner: Visitor) -> None:
    stranger = await program.client.post("/api/v1/graphql", json={"query": "{projects{id}}"})
    text = "Invalid or missing authentication token"
    assert stranger.status_code == 401
    assert stranger.json() == {
        "success": False,
        "error": text,
        "errors": [{"message": text, "extensions": {"code": "UNAUTHENTICATED"}}],
    }
    limits_of(program, stranger)
