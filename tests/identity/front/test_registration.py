"""Registering: by the open door, by invitation, by the owner's set-up link."""

from __future__ import annotations

import asyncio

import pytest

from specloop.identity.auth import RegistrationService
from tests.identity.front.program import Program, Visitor, running

REGISTER = "/api/v1/auth/register"


async def test_the_seed_example_registers_and_sees_itself(program: Program) -> None:
    answer = await program.client.post(
        REGISTER, json={"email": "dev@test.com", "password": "devpass", "tenant_name": "Acme"}
    )
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "user_id",
        "account_id",
        "workspace_id",
    }
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert body["refresh_token"].startswith("rt_")
    me = (await Visitor(program.client, body, "dev@test.com").get("/api/v1/auth/me")).json()
    assert me["user_id"] == body["user_id"]
    assert me["account"]["name"] == "Acme"
    assert me["account"]["role"] == "owner"
    assert [place["id"] for place in me["workspaces"]] == [body["workspace_id"]]
    assert "admin:workspace" in me["workspaces"][0]["scopes"]


async def test_a_taken_address_is_refused_in_any_case_with_a_neutral_text(program: Program, owner: Visitor) -> None:
    for email in ("dev@test.com", "DEV@Test.com"):
        answer = await program.client.post(
            REGISTER, json={"email": email, "password": "otherpass", "tenant_name": "Other"}
        )
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("/business-rule")
        assert "taken" not in answer.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"password": "12345"},
        {"password": "x" * 129},
        {"tenant_name": ""},
        {"tenant_name": "x" * 101},
        {"tenant_name": None},
        {"email": "nobody"},
        {"email": "a@b\r\nBcc: c@d"},
        {"timezone": "Mars/Olympus"},
        {"account_role": "operations"},
        {"account_id": "0199aaaa-0000-7000-8000-000000000000"},
        {"is_system": True},
    ],
)
async def test_what_registration_does_not_offer_is_refused(program: Program, change: dict[str, object]) -> None:
    body = {"email": "a@test.com", "password": "devpass", "tenant_name": "Acme", **change}
    assert (await program.client.post(REGISTER, json=body)).status_code == 422


@pytest.mark.parametrize("password", ["123456", "x" * 128, "пароль", "with space"])
async def test_passwords_of_every_allowed_length_and_script_sign_in(program: Program, password: str) -> None:
    await program.register("a@test.com", password)
    assert (await program.sign_in("a@test.com", password)).status_code == 200


async def test_two_registrations_of_one_address_at_once_make_one_user(program: Program) -> None:
    body = {"email": "a@test.com", "password": "devpass", "tenant_name": "Acme"}
    answers = await asyncio.gather(*(program.client.post(REGISTER, json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400, 400]


async def test_a_deployment_may_ask_for_longer_passwords(
    program: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running(program.database, tmp_path_factory.mktemp("other"), password_length_min=12) as strict:
        body = {"email": "a@test.com", "password": "devpass", "tenant_name": "Acme"}
        answer = await strict.client.post(REGISTER, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "password"]


async def test_one_address_cannot_make_ten_thousand_accounts(
    program: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running(program.database, tmp_path_factory.mktemp("other"), registrations_per_hour=3) as tight:
        bodies = [{"email": f"u{n}@test.com", "password": "devpass", "tenant_name": "Acme"} for n in range(8)]
        answers = [await tight.client.post(REGISTER, json=body) for body in bodies]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429, 429, 429, 429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 3600
        async with tight.browser("10.0.0.9") as elsewhere:
            body = {"email": "v@test.com", "password": "devpass", "tenant_name": "Acme"}
            assert (await elsewhere.post(REGISTER, json=body)).status_code == 201
        tight.clock.advance(3601)
        assert (await tight.client.post(REGISTER, json=body | {"email": "w@test.com"})).status_code == 201


async def test_a_closed_server_refuses_strangers_and_knows_its_first_owner_by_the_setup_link(closed: Program) -> None:
    body = {"email": "boss@test.com", "password": "devpass", "tenant_name": "Acme"}
    refused = await closed.client.post(REGISTER, json=body)
    assert refused.status_code == 403
    assert "invite_token" in refused.json()["detail"]
    registration: RegistrationService = closed.service(RegistrationService)
    async with closed.writing() as ctx:
        older = await registration.make_setup_token(ctx)
    async with closed.writing() as ctx:
        token = await registration.make_setup_token(ctx)
    assert older is not None
    assert (await closed.client.post(REGISTER, json=body | {"invite_token": older})).status_code == 400
    answer = await closed.client.post(REGISTER, json=body | {"invite_token": token})
    assert answer.status_code == 201
    again = await closed.client.post(REGISTER, json=body | {"email": "b@test.com", "invite_token": token})
    assert again.status_code == 400
    async with closed.writing() as ctx:
        assert await registration.make_setup_token(ctx) is None


async def test_two_people_with_the_setup_link_make_one_owner(closed: Program) -> None:
    registration: RegistrationService = closed.service(RegistrationService)
    async with closed.writing() as ctx:
        token = await registration.make_setup_token(ctx)
    bodies = [
        {"email": f"b{n}@test.com", "password": "devpass", "tenant_name": "Acme", "invite_token": token}
        for n in range(4)
    ]
    answers = await asyncio.gather(*(closed.client.post(REGISTER, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]


async def test_an_invitation_opens_a_closed_server_for_its_own_address_only(closed: Program) -> None:
    registration: RegistrationService = closed.service(RegistrationService)
    async with closed.writing() as ctx:
        token = await registration.make_setup_token(ctx)
    boss = await closed.register("boss@test.com", invite_token=token)
    invitation = await closed.invite(boss, "ann@test.com", contributor=boss.workspace_id)
    other = {"email": "eve@test.com", "password": "devpass", "invite_token": invitation}
    assert (await closed.client.post(REGISTER, json=other)).status_code == 400
    ann = await closed.register("Ann@Test.com", invite_token=invitation)
    assert ann.account_id == boss.account_id
    assert ann.workspace_id == boss.workspace_id
    me = (await ann.get("/api/v1/auth/me")).json()
    assert me["account"]["role"] == "member"
    assert me["workspaces"][0]["role"] == "contributor"
