"""The account: profile, members and their roles, the audit log, usage."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from specloop.kit.clock import format_time
from specloop.kit.ids import new_id
from tests.identity.front.program import Program, Visitor

ACCOUNT = "/api/v1/account"


async def test_any_member_reads_the_account_but_only_owners_change_it(program: Program, owner: Visitor) -> None:
    ann = await program.member(owner, "ann@test.com", observer=owner.workspace_id)
    shown = await ann.get(ACCOUNT)
    assert shown.status_code == 200
    assert (shown.json()["name"], shown.json()["usage"]["members"]) == ("Acme", 2)
    refused = await ann.patch(ACCOUNT, {"name": "Mine"})
    assert refused.status_code == 403
    assert refused.json()["required_scope"] == "admin:account"
    changed = await owner.patch(ACCOUNT, {"name": "Acme & Co", "settings": {"theme": "dark"}})
    assert (changed.status_code, changed.json()["name"]) == (200, "Acme & Co")
    assert changed.json()["settings"] == {"theme": "dark"}
    assert (await owner.patch(ACCOUNT, {"name": "x"}, **{"If-Match": shown.headers["etag"]})).status_code == 412


@pytest.mark.parametrize(
    "body", [{"plan": "gold"}, {"is_system": True}, {"name": ""}, {"settings": {"x": "y" * 20_000}}, {"settings": []}]
)
async def test_an_account_takes_no_other_members(owner: Visitor, body: dict[str, object]) -> None:
    assert (await owner.patch(ACCOUNT, body)).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/members"),
        ("PATCH", "/members/{id}"),
        ("DELETE", "/members/{id}"),
        ("GET", "/invites"),
        ("POST", "/invites"),
        ("DELETE", "/invites/{id}"),
        ("GET", "/audit"),
        ("GET", "/usage"),
        ("POST", "/export"),
        ("GET", "/exports/{id}"),
        ("GET", "/exports/{id}/content"),
        ("POST", "/delete"),
        ("PATCH", ""),
    ],
)
async def test_everything_else_needs_an_owner(program: Program, owner: Visitor, method: str, path: str) -> None:
    ann = await program.member(owner, "ann@test.com", admin=owner.workspace_id)
    answer = await ann.ask(method, ACCOUNT + path.replace("{id}", new_id()), {})
    assert answer.status_code == 403
    anonymous = await program.client.request(method, ACCOUNT + path.replace("{id}", new_id()))
    assert anonymous.status_code == 401


async def test_members_are_listed_promoted_and_demoted(program: Program, owner: Visitor) -> None:
    ann = await program.member(owner, "ann@test.com", observer=owner.workspace_id)
    page = (await owner.get(f"{ACCOUNT}/members?sort=email")).json()
    assert [(entry["email"], entry["account_role"]) for entry in page["results"]] == [
        ("ann@test.com", "member"),
        ("dev@test.com", "owner"),
    ]
    promoted = await owner.patch(f"{ACCOUNT}/members/{ann.user_id}", {"account_role": "owner"})
    assert (promoted.status_code, promoted.json()["account_role"]) == (200, "owner")
    assert (await ann.get(f"{ACCOUNT}/members?account_role=owner")).json()["pagination"]["total"] == 2
    assert (await ann.patch(f"{ACCOUNT}/members/{owner.user_id}", {"account_role": "member"})).status_code == 200
    assert (await owner.get(f"{ACCOUNT}/members")).status_code == 403


async def test_the_last_owner_can_be_neither_demoted_nor_removed(program: Program, owner: Visitor) -> None:
    for answer in (
        await owner.patch(f"{ACCOUNT}/members/{owner.user_id}", {"account_role": "member"}),
        await owner.delete(f"{ACCOUNT}/members/{owner.user_id}"),
    ):
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("/business-rule")


async def test_two_owners_who_demote_each_other_at_once_leave_one(program: Program, owner: Visitor) -> None:
    ann = await program.member(owner, "ann@test.com", "owner")
    answers = await asyncio.gather(
        owner.patch(f"{ACCOUNT}/members/{ann.user_id}", {"account_role": "member"}),
        ann.patch(f"{ACCOUNT}/members/{owner.user_id}", {"account_role": "member"}),
    )
    assert sorted(answer.status_code for answer in answers)[0] == 200
    for visitor in (owner, ann):
        page = await visitor.get(f"{ACCOUNT}/members?account_role=owner")
        if page.status_code == 200:
            assert page.json()["pagination"]["total"] == 1
            return
    raise AssertionError("nobody is owner any more")


@pytest.mark.parametrize("role", ["operations", "admin", "", None])
async def test_nobody_is_made_staff_through_the_api(program: Program, owner: Visitor, role: object) -> None:
    ann = await program.member(owner, "ann@test.com")
    answer = await owner.patch(f"{ACCOUNT}/members/{ann.user_id}", {"account_role": role})
    assert answer.status_code == 422


async def test_people_of_other_accounts_do_not_exist_here(program: Program, owner: Visitor) -> None:
    eve = await program.register("eve@test.com")
    foreign = await owner.patch(f"{ACCOUNT}/members/{eve.user_id}", {"account_role": "member"})
    missing = await owner.patch(f"{ACCOUNT}/members/{new_id()}", {"account_role": "member"})
    malformed = await owner.patch(f"{ACCOUNT}/members/42", {"account_role": "member"})
    assert {foreign.status_code, missing.status_code, malformed.status_code} == {404}
    assert foreign.json()["detail"] == missing.json()["detail"]
    assert (await owner.delete(f"{ACCOUNT}/members/{eve.user_id}")).status_code == 404
    assert (await eve.get("/api/v1/auth/me")).status_code == 200


async def test_a_removed_member_is_out_at_once_and_may_register_anew(program: Program, owner: Visitor) -> None:
    ann = await program.member(owner, "ann@test.com", admin=owner.workspace_id)
    place = f"/api/v1/workspaces/{owner.workspace_id}"
    assert (await ann.get(place)).status_code == 200
    assert (await owner.delete(f"{ACCOUNT}/members/{ann.user_id}")).status_code == 204
    assert (await ann.get(place)).status_code == 401
    assert (await ann.get("/api/v1/auth/me")).status_code == 401
    renewal = await program.client.post("/api/v1/auth/login", json={"refresh_token": ann.body["refresh_token"]})
    assert renewal.status_code == 401
    assert (await program.sign_in("ann@test.com")).status_code == 401
    again = await program.member(owner, "ann@test.com")
    assert (await again.get(place)).status_code == 404


async def test_the_audit_log_tells_who_did_what_and_filters(program: Program, owner: Visitor) -> None:
    ann = await program.member(owner, "ann@test.com")
    await owner.patch(f"{ACCOUNT}/members/{ann.user_id}", {"account_role": "owner"})
    page = (await owner.get(f"{ACCOUNT}/audit?action=member.role_changed")).json()
    (event,) = page["results"]
    assert event["actor_id"] == owner.user_id
    assert event["target_id"] == ann.user_id
    assert event["detail"] == {"from": "member", "to": "owner"}
    mine = (await owner.get(f"{ACCOUNT}/audit?actor={ann.user_id}")).json()
    assert {entry["actor_id"] for entry in mine["results"]} == {ann.user_id}
    now = format_time(program.clock.now() + timedelta(seconds=1)).replace("+", "%2B")
    assert (await owner.get(f"{ACCOUNT}/audit?from={now}")).json()["pagination"]["total"] == 0
    assert (await owner.get(f"{ACCOUNT}/audit?to={now}")).json()["pagination"]["total"] > 4
    assert (await owner.get(f"{ACCOUNT}/audit?from={now}&to=2020-01-01T00:00:00Z")).status_code == 400
    assert (await owner.get(f"{ACCOUNT}/audit?from=yesterday")).status_code == 422


async def test_an_audit_log_shows_nothing_of_other_accounts(program: Program, owner: Visitor) -> None:
    eve = await program.register("eve@test.com")
    events = (await eve.get(f"{ACCOUNT}/audit?limit=100")).json()["results"]
    assert owner.user_id not in str(events)
    assert owner.account_id not in str(events)


async def test_no_secret_is_ever_audited(program: Program, owner: Visitor) -> None:
    token = await program.invite(owner, "ann@test.com")
    await program.register("ann@test.com", invite_token=token)
    events = (await owner.get(f"{ACCOUNT}/audit?limit=100")).text
    for secret in (token, "devpass", owner.token, owner.body["refresh_token"]):
        assert secret not in events


@pytest.mark.parametrize("group", ["workspace", "model", "purpose"])
async def test_usage_is_grouped(owner: Visitor, group: str) -> None:
    body = (await owner.get(f"{ACCOUNT}/usage?group={group}")).json()
    assert body["group"] == group
    assert body["total"]["calls"] == 0
    assert body["total"]["usd"] == "0.00000000"


async def test_usage_by_anything_else_is_422(owner: Visitor) -> None:
    assert (await owner.get(f"{ACCOUNT}/usage?group=user")).status_code == 422


async def test_places_of_a_removed_member_do_not_come_back_with_a_later_invitation(
    program: Program, owner: Visitor
) -> None:
    bob = await program.register("bob@test.com")
    token = await program.invite(owner, "bob@test.com", admin=owner.workspace_id)
    assert (await bob.post(f"{ACCOUNT}/invites/accept", {"token": token})).status_code == 200
    assert (await owner.delete(f"{ACCOUNT}/members/{bob.user_id}")).status_code == 204
    bob = await program.visitor("bob@test.com")
    place = f"/api/v1/workspaces/{owner.workspace_id}"
    assert (await bob.get("/api/v1/auth/me")).json()["account"]["id"] == bob.account_id
    assert (await bob.get(place)).status_code == 404
    token = await program.invite(owner, "bob@test.com")
    assert (await bob.post(f"{ACCOUNT}/invites/accept", {"token": token})).status_code == 200
    assert (await bob.get(place)).status_code == 404
