"""Linking SpecStory's command line: codes, tokens, the device list (specstory.md §1.1, §9 items 1 and 2)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.identity.devices.specstory_cli import (
    MACHINE,
    asks_again,
    device_login,
    device_logout,
    device_refresh,
    lifetime,
    linked,
    make_code,
)
from tests.identity.front.program import Program, Visitor

DEVICES = "/api/v1/auth/devices"
YEARS_10, HOUR = 3650 * 86400, 3600


async def test_a_code_links_a_device_whose_tokens_live_as_long_as_the_client_expects(
    program: Program, owner: Visitor
) -> None:
    login = await device_login(program.client, await make_code(owner))
    assert (login.status_code, set(login.json())) == (200, {"refreshToken", "createdAt", "expiresAt", "user"})
    assert login.json()["user"] == {"email": "dev@test.com"}
    assert lifetime(login.json()) == YEARS_10
    fresh = await device_refresh(program.client, login.json()["refreshToken"])
    assert (fresh.status_code, set(fresh.json())) == (200, {"accessToken", "createdAt", "expiresAt"})
    assert lifetime(fresh.json()) == HOUR > 5 * 60
    assert all(body["expiresAt"].endswith("Z") for body in (login.json(), fresh.json()))
    assert {answer.headers["cache-control"] for answer in (login, fresh)} == {"no-store"}


async def test_a_code_may_keep_the_dash_that_people_see(program: Program, owner: Visitor) -> None:
    code = await make_code(owner)
    assert (await device_login(program.client, f"{code[:3]}-{code[3:]}")).status_code == 200


async def test_a_code_is_good_once_and_the_client_then_asks_for_another(program: Program, owner: Visitor) -> None:
    code = await make_code(owner)
    assert (await device_login(program.client, code)).status_code == 200
    again = await device_login(program.client, code)
    assert again.json() == {"success": False, "error": "Device code is invalid: already used"}
    assert asks_again(again)


async def test_of_parallel_logins_with_one_code_one_wins(program: Program, owner: Visitor) -> None:
    code = await make_code(owner)
    answers = await asyncio.gather(*(device_login(program.client, code) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    assert (await owner.get(DEVICES)).json()["pagination"]["total"] == 1


async def test_wrong_and_late_codes_make_the_client_ask_again(program: Program, owner: Visitor) -> None:
    code = await make_code(owner)
    wrong = await device_login(program.client, code.swapcase() if code.swapcase() != code else "AAAAAA")
    assert wrong.json()["error"] == "Invalid or expired device code"
    assert asks_again(wrong)
    program.clock.advance(24 * HOUR)
    late = await device_login(program.client, code)
    assert late.json()["error"] == "Device code expired"
    assert asks_again(late)


@pytest.mark.parametrize(
    "code", ["", "abc", "Ab1c23x", "Ab-1c23", "Ab1 23", "Äb1c23", "Ab1c2\u0000", 123456, None, ["a"]]
)
async def test_malformed_codes_are_400_with_a_text(program: Program, owner: Visitor, code: object) -> None:
    answer = await device_login(program.client, code)
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert isinstance(answer.json()["error"], str)


async def test_a_login_without_a_code_or_without_json_is_explained(program: Program) -> None:
    missing = await program.client.post("/api/v1/device-login", json={"hostname": "laptop"})
    assert missing.json() == {"success": False, "error": "Missing required field: device_code"}
    headers = {"Content-Type": "application/json"}
    broken = await program.client.post("/api/v1/device-login", content=b"{", headers=headers)
    assert (broken.status_code, broken.json()["error"]) == (400, "Invalid JSON in request body")


async def test_guessing_codes_is_throttled_by_address(program: Program, owner: Visitor) -> None:
    answers = [await device_login(program.client, f"guess{number % 10}") for number in range(31)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429]
    assert answers[-1].json()["error"].startswith("Rate limit exceeded. Try again in ")
    assert int(answers[-1].headers["Retry-After"]) > 0
    code = await make_code(owner)
    assert (await device_login(program.client, code)).status_code == 429
    async with program.browser("10.0.0.9") as elsewhere:
        assert (await device_login(elsewhere, code)).status_code == 200


async def test_the_refresh_token_is_never_rotated_and_serves_ten_at_once(program: Program, owner: Visitor) -> None:
    cli = await linked(program, owner)
    answers = await asyncio.gather(*(device_refresh(program.client, cli.refresh_token) for _ in range(10)))
    assert [answer.status_code for answer in answers] == [200] * 10
    tokens = {answer.json()["accessToken"] for answer in answers}
    assert len(tokens) == 10
    for token in tokens:
        answer = await program.client.get("/api/v1/projects/x/y", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 404
    program.clock.advance(HOUR * 24 * 365)
    assert (await device_refresh(program.client, cli.refresh_token)).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer {access}", "Bearer {jwt}"]
)
@pytest.mark.parametrize("route", ["device-refresh", "device-logout"])
async def test_other_bearers_than_a_refresh_token_are_401(
    program: Program, owner: Visitor, route: str, header: str
) -> None:
    cli = await linked(program, owner)
    shown = header.replace("{access}", cli.access_token).replace("{jwt}", owner.token)
    answer = await program.client.post(f"/api/v1/{route}", headers={"Authorization": shown})
    assert answer.status_code == 401
    assert isinstance(answer.json()["error"], str)
    assert (await device_refresh(program.client, cli.refresh_token)).status_code == 200


async def test_logging_out_ends_the_refresh_token_and_its_access_tokens(program: Program, owner: Visitor) -> None:
    cli, other = await linked(program, owner), await linked(program, owner)
    answer = await device_logout(program.client, cli.refresh_token)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (await device_refresh(program.client, cli.refresh_token)).status_code == 401
    assert (await cli.send("GET", "/api/v1/projects/x/y")).status_code == 401
    assert (await device_logout(program.client, cli.refresh_token)).status_code == 401
    assert (await other.send("GET", "/api/v1/projects/x/y")).status_code == 404


async def test_an_access_token_ends_after_an_hour(program: Program, owner: Visitor) -> None:
    cli = await linked(program, owner)
    program.clock.advance(HOUR - 1)
    assert (await cli.send("GET", "/api/v1/projects/x/y")).status_code == 404
    program.clock.advance(1)
    assert (await cli.send("GET", "/api/v1/projects/x/y")).status_code == 401


async def test_device_tokens_are_good_for_the_record_stage_only(program: Program, owner: Visitor) -> None:
    cli = await linked(program, owner)
    for method, path in (
        ("GET", "/api/v1/auth/me"),
        ("GET", DEVICES),
        ("POST", "/api/v1/auth/device-codes"),
        ("GET", f"/api/v1/workspaces/{owner.workspace_id}"),
        ("POST", f"/api/v1/workspaces/{owner.workspace_id}/keys"),
    ):
        assert (await cli.send(method, path)).status_code == 401, path
    assert (await cli.send("GET", "/api/v1/nothing")).status_code == 404


async def test_the_owner_sees_devices_and_revokes_them(program: Program, owner: Visitor) -> None:
    cli = await linked(program, owner)
    (device,) = (await owner.get(DEVICES)).json()["results"]
    assert {name: device[name] for name in MACHINE} == MACHINE
    assert device["name"] == "laptop"
    eve = await program.register("eve@test.com")
    assert (await eve.get(DEVICES)).json()["results"] == []
    assert (await eve.delete(f"{DEVICES}/{device['device_id']}")).status_code == 404
    assert (await owner.delete(f"{DEVICES}/{device['device_id']}")).status_code == 204
    assert (await cli.send("GET", "/api/v1/projects/x/y")).status_code == 401
    assert (await device_refresh(program.client, cli.refresh_token)).status_code == 401
    assert (await owner.get(DEVICES)).json()["results"] == []
    assert (await owner.delete(f"{DEVICES}/{device['device_id']}")).status_code == 404


async def test_making_linking_and_revoking_are_audited(program: Program, owner: Visitor) -> None:
    cli = await linked(program, owner)
    await device_logout(program.client, cli.refresh_token)
    events = (await owner.get("/api/v1/account/audit")).json()["results"]
    found = {event["action"]: event for event in events if event["action"].startswith("device")}
    assert set(found) == {"device_code.created", "device.linked", "device.revoked"}
    assert found["device.linked"]["actor_id"] == owner.user_id
    assert found["device.linked"]["detail"]["hostname"] == "laptop"


async def test_only_ten_unused_codes_stay_good(program: Program, owner: Visitor) -> None:
    codes: list[str] = []
    for _ in range(11):
        codes.append(await make_code(owner))
        program.clock.advance(1)
    assert (await device_login(program.client, codes[0])).status_code == 401
    assert (await device_login(program.client, codes[1])).status_code == 200
    assert (await device_login(program.client, codes[-1])).status_code == 200


async def test_what_a_device_says_is_cut_not_refused(program: Program, owner: Visitor) -> None:
    answer = await device_login(
        program.client, await make_code(owner), hostname="h" * 1000, username="a\u0000b", os=5, extra={"x": 1}
    )
    assert answer.status_code == 200, answer.text
    (device,) = (await owner.get(DEVICES)).json()["results"]
    assert (len(device["hostname"]), device["username"], device["os"]) == (255, "ab", "")


async def test_no_code_and_no_token_is_in_the_store(program: Program, owner: Visitor, tmp_path: Path) -> None:
    code = await make_code(owner)
    cli = await linked(program, owner)
    async with program.writing() as ctx:
        for table in ("device_codes", "devices", "device_tokens", "audit_events"):
            rows = (await ctx.session.execute(text(f"SELECT * FROM {table}"))).all()
            assert rows
            for secret in (code, cli.refresh_token, cli.access_token):
                assert not any(secret == value for row in rows for value in row)
