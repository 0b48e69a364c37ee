"""Invitations: their states, who may accept, and everything that is refused."""

from __future__ import annotations

import asyncio

import pytest

from specloop.kit.ids import new_id
from tests.identity.front.program import Program, Visitor

INVITES = "/api/v1/account/invites"
ACCEPT = INVITES + "/accept"


async def test_an_invitation_is_shown_once_with_its_token_and_never_again(program: Program, owner: Visitor) -> None:
    body = {
        "email": "Ann@Test.com",
        "account_role": "member",
        "workspaces": [{"id": owner.workspace_id, "role": "observer"}],
    }
    created = await owner.post(INVITES, body, **{"Idempotency-Key": "k1"})
    assert created.status_code == 201
    token = created.json()["token"]
    assert token.startswith("inv_")
    assert created.headers["location"].endswith(created.json()["id"])
    assert created.json()["email"] == "ann@test.com"
    replayed = await owner.post(INVITES, body, **{"Idempotency-Key": "k1"})
    assert (replayed.status_code, replayed.json()["token"]) == (201, None)
    page = await owner.get(INVITES)
    assert page.json()["pagination"]["total"] == 1
    assert page.json()["results"][0]["workspaces"] == [{"id": owner.workspace_id, "role": "observer"}]
    assert token not in page.text


async def test_an_existing_user_accepts_and_keeps_the_old_account_within_reach(
    program: Program, owner: Visitor
) -> None:
    bob = await program.register("bob@test.com")
    token = await program.invite(owner, "bob@test.com", contributor=owner.workspace_id)
    accepted = await bob.post(ACCEPT, {"token": token})
    assert accepted.status_code == 200
    assert accepted.json()["account_id"] == owner.account_id
    me = (await bob.get("/api/v1/auth/me")).json()
    assert me["account"]["id"] == owner.account_id
    assert {place["id"]: place["role"] for place in me["workspaces"]} == {
        bob.workspace_id: "admin",
        owner.workspace_id: "contributor",
    }
    assert (await bob.get(f"/api/v1/workspaces/{owner.workspace_id}")).status_code == 200
    assert (await bob.get(f"/api/v1/workspaces/{bob.workspace_id}")).status_code == 200
    members = (await owner.get("/api/v1/account/members")).json()
    assert members["pagination"]["total"] == 2
    back = await bob.post("/api/v1/auth/me/account", {"account_id": bob.account_id})
    assert (back.status_code, back.json()["account"]["role"]) == (200, "owner")
    assert (await bob.get("/api/v1/account/members")).json()["pagination"]["total"] == 1


async def test_nobody_stands_in_an_account_without_belonging_to_it(program: Program, owner: Visitor) -> None:
    eve = await program.register("eve@test.com")
    for account_id in (owner.account_id, new_id(), "x"):
        answer = await eve.post("/api/v1/auth/me/account", {"account_id": account_id})
        assert answer.status_code == 404


async def test_a_used_token_is_worthless(program: Program, owner: Visitor) -> None:
    token = await program.invite(owner, "bob@test.com")
    bob = await program.register("bob@test.com", invite_token=token)
    again = await bob.post(ACCEPT, {"token": token})
    assert again.status_code == 400
    assert again.json()["type"].endswith("/business-rule")


async def test_of_two_acceptances_at_once_one_wins(program: Program, owner: Visitor) -> None:
    bob = await program.register("bob@test.com")
    token = await program.invite(owner, "bob@test.com", observer=owner.workspace_id)
    answers = await asyncio.gather(*(bob.post(ACCEPT, {"token": token}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


async def test_somebody_elses_invitation_cannot_be_accepted(program: Program, owner: Visitor) -> None:
    eve = await program.register("eve@test.com")
    token = await program.invite(owner, "bob@test.com")
    assert (await eve.post(ACCEPT, {"token": token})).status_code == 400
    bob = await program.register("bob@test.com")
    assert (await bob.post(ACCEPT, {"token": token})).status_code == 200


async def test_a_revoked_invitation_cannot_be_accepted_or_revoked_again(program: Program, owner: Visitor) -> None:
    bob = await program.register("bob@test.com")
    token = await program.invite(owner, "bob@test.com")
    (invite,) = (await owner.get(f"{INVITES}?status=pending")).json()["results"]
    assert (await owner.delete(f"{INVITES}/{invite['id']}")).status_code == 204
    assert (await bob.post(ACCEPT, {"token": token})).status_code == 400
    again = await owner.delete(f"{INVITES}/{invite['id']}")
    assert again.status_code == 400
    assert again.json()["transition"] == {"from": "revoked", "to": "revoked", "allowed": []}
    assert (await owner.get(f"{INVITES}?status=revoked")).json()["pagination"]["total"] == 1


async def test_an_invitation_expires_after_a_week(program: Program, owner: Visitor) -> None:
    token = await program.invite(owner, "bob@test.com")
    (invite,) = (await owner.get(INVITES)).json()["results"]
    program.clock.advance(7 * 86_400)
    bob = await program.register("bob@test.com")
    owner = await program.visitor(owner.email)
    assert (await bob.post(ACCEPT, {"token": token})).status_code == 400
    assert (await owner.get(f"{INVITES}?status=pending")).json()["pagination"]["total"] == 0
    assert (await owner.get(f"{INVITES}?status=expired")).json()["results"][0]["status"] == "expired"
    assert (await owner.delete(f"{INVITES}/{invite['id']}")).status_code == 400


async def test_a_second_invitation_of_an_address_replaces_the_first(program: Program, owner: Visitor) -> None:
    first = await program.invite(owner, "bob@test.com", "owner")
    second = await program.invite(owner, "bob@test.com", "member")
    bob = await program.register("bob@test.com")
    assert (await bob.post(ACCEPT, {"token": first})).status_code == 400
    assert (await bob.post(ACCEPT, {"token": second})).status_code == 200


async def test_members_cannot_be_invited_again(program: Program, owner: Visitor) -> None:
    await program.member(owner, "ann@test.com")
    for email in ("dev@test.com", "ANN@test.com"):
        answer = await owner.post(INVITES, {"email": email, "account_role": "member", "workspaces": []})
        assert answer.status_code == 400


async def test_workspaces_of_others_and_archived_ones_cannot_be_granted(program: Program, owner: Visitor) -> None:
    eve = await program.register("eve@test.com")
    gone = (await owner.post("/api/v1/workspaces", {"name": "Gone"})).json()["id"]
    assert (await owner.delete(f"/api/v1/workspaces/{gone}")).status_code == 204
    details: set[str] = set()
    for workspace_id in (eve.workspace_id, new_id(), gone):
        body = {"email": "bob@test.com", "workspaces": [{"id": workspace_id, "role": "admin"}]}
        answer = await owner.post(INVITES, body)
        assert answer.status_code == 400
        details.add(answer.json()["detail"])
    assert len(details) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"email": "nobody"},
        {"account_role": "operations"},
        {"account_role": "admin"},
        {"workspaces": [{"id": "x", "role": "admin"}]},
        {"workspaces": [{"id": "0199aaaa-0000-7000-8000-000000000000", "role": "owner"}]},
        {"workspaces": [{"id": "0199aaaa-0000-7000-8000-000000000000", "role": "admin"}] * 2},
        {"account_id": "0199aaaa-0000-7000-8000-000000000000"},
        {"status": "accepted"},
    ],
)
async def test_malformed_invitations_are_422(owner: Visitor, change: dict[str, object]) -> None:
    assert (await owner.post(INVITES, {"email": "bob@test.com", **change})).status_code == 422


async def test_invitations_of_other_accounts_do_not_exist(program: Program, owner: Visitor) -> None:
    eve = await program.register("eve@test.com")
    await program.invite(owner, "bob@test.com")
    (invite,) = (await owner.get(INVITES)).json()["results"]
    foreign = await eve.delete(f"{INVITES}/{invite['id']}")
    missing = await eve.delete(f"{INVITES}/{new_id()}")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json()["detail"] == missing.json()["detail"]
    assert (await eve.get(INVITES)).json()["pagination"]["total"] == 0


@pytest.mark.parametrize("token", ["inv_unknown", "x", "rt_" + "0" * 43])
async def test_unknown_tokens_are_refused(owner: Visitor, token: str) -> None:
    assert (await owner.post(ACCEPT, {"token": token})).status_code == 400
