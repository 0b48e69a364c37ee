"""Forgotten passwords and mailed invitations, with and without a mail server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity.auth import RecoveryService
from specloop.kit.mail import SMTPMailer
from tests.identity.front.postbox import Postbox, running_postbox
from tests.identity.front.program import Program, Visitor, running
from tests.identity.front.working import working

RESET = "/api/v1/auth/reset-password"
LINK = re.compile(r"http://127\.0\.0\.1:8000/app/([a-z-]+)\?token=(\w+)")


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    """A mail server."""
    async with running_postbox() as started:
        yield started


@pytest.fixture
async def mailing(postbox: Postbox, database: Database, tmp_path: Path) -> AsyncIterator[Program]:
    """A server with a mail server and a worker."""
    mailer = SMTPMailer(postbox.url, "specloop@test.com")
    async with running(database, tmp_path, mailer=mailer) as program, working(program, tmp_path):
        yield program


def _link(mail: EmailMessage) -> tuple[str, str]:
    found = LINK.search(mail.get_content())
    assert found is not None
    return found[1], found[2]


async def _operator_token(program: Program, email: str) -> str:
    recovery: RecoveryService = program.service(RecoveryService)
    async with program.writing() as ctx:
        token = await recovery.make_reset_token(ctx, email)
    assert token is not None
    return token


async def test_step_one_answers_the_same_whether_or_not_somebody_is_there(mailing: Program, postbox: Postbox) -> None:
    await mailing.register("dev@test.com")
    answers = [await mailing.client.post(RESET, json={"email": email}) for email in ("nobody@test.com", "DEV@test.com")]
    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b""), (202, b"")]
    mail = await postbox.next_mail()
    assert mail["To"] == "dev@test.com"
    assert postbox.mails == []


async def test_a_mailed_link_sets_a_new_password_once_and_ends_all_sessions(mailing: Program, postbox: Postbox) -> None:
    owner = await mailing.register("dev@test.com")
    await mailing.client.post(RESET, json={"email": "dev@test.com"})
    page, token = _link(await postbox.next_mail())
    assert page == "reset-password"
    body = {"token": token, "new_password": "newdevpass"}
    answers = await asyncio.gather(*(mailing.client.post(RESET, json=body) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400]
    assert (await owner.get("/api/v1/auth/me")).status_code == 401
    assert (await mailing.sign_in("dev@test.com")).status_code == 401
    assert (await mailing.sign_in("dev@test.com", "newdevpass")).status_code == 200


async def test_a_mail_is_sent_again_when_the_mail_server_refuses(mailing: Program, postbox: Postbox) -> None:
    await mailing.register("dev@test.com")
    postbox.refusals = 1
    await mailing.client.post(RESET, json={"email": "dev@test.com"})
    async with asyncio.timeout(60):
        while not postbox.mails:
            mailing.clock.advance(5)
            await asyncio.sleep(0.02)
    assert postbox.refusals == 0
    assert (await postbox.next_mail())["To"] == "dev@test.com"


async def test_an_invitation_goes_out_by_mail_and_its_token_is_in_no_answer_and_no_table(
    mailing: Program, postbox: Postbox
) -> None:
    owner = await mailing.register("dev@test.com")
    created = await owner.post("/api/v1/account/invites", {"email": "ann@test.com"})
    assert (created.status_code, created.json()["token"]) == (201, None)
    mail = await postbox.next_mail()
    page, token = _link(mail)
    assert (page, mail["To"]) == ("join", "ann@test.com")
    async with mailing.database.reading(ALL_WORKSPACES) as unit:
        rows = (await unit.session.execute(text("SELECT payload FROM job_outbox"))).all()
        digests = (await unit.session.execute(text("SELECT token_digest FROM invites"))).all()
    assert token not in str(rows) + str(digests)
    ann = await mailing.register("ann@test.com", invite_token=token)
    assert ann.account_id == owner.account_id


async def test_one_inbox_is_not_flooded(mailing: Program, postbox: Postbox) -> None:
    await mailing.register("dev@test.com")
    for _ in range(8):
        assert (await mailing.client.post(RESET, json={"email": "dev@test.com"})).status_code == 202
    async with mailing.database.reading(ALL_WORKSPACES) as unit:
        count = await unit.session.scalar(text("SELECT count(*) FROM job_outbox WHERE name = 'auth.mail-reset'"))
    assert count == 5


async def test_without_a_mail_server_only_the_operator_makes_links(program: Program, owner: Visitor) -> None:
    assert (await program.client.post(RESET, json={"email": "dev@test.com"})).status_code == 202
    async with program.database.reading(ALL_WORKSPACES) as unit:
        assert await unit.session.scalar(text("SELECT count(*) FROM one_time_tokens")) == 0
        assert await unit.session.scalar(text("SELECT count(*) FROM job_outbox")) == 0
    token = await _operator_token(program, "dev@test.com")
    answer = await program.client.post(RESET, json={"token": token, "new_password": "newdevpass"})
    assert answer.status_code == 204
    recovery: RecoveryService = program.service(RecoveryService)
    async with program.writing() as ctx:
        assert await recovery.make_reset_token(ctx, "nobody@test.com") is None


async def test_reset_tokens_expire_and_a_newer_one_replaces_the_older(program: Program, owner: Visitor) -> None:
    older = await _operator_token(program, "dev@test.com")
    newer = await _operator_token(program, "dev@test.com")
    refused = await program.client.post(RESET, json={"token": older, "new_password": "newdevpass"})
    assert refused.status_code == 400
    program.clock.advance(3600)
    expired = await program.client.post(RESET, json={"token": newer, "new_password": "newdevpass"})
    assert expired.status_code == 400
    assert (await program.sign_in("dev@test.com")).status_code == 200


async def test_a_known_password_change_makes_reset_links_worthless(program: Program, owner: Visitor) -> None:
    token = await _operator_token(program, "dev@test.com")
    change = {"current": "devpass", "new": "newdevpass"}
    assert (await owner.post("/api/v1/auth/me/password", change)).status_code == 204
    refused = await program.client.post(RESET, json={"token": token, "new_password": "thiefpass"})
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "x"},
        {"token": "rst_x"},
        {"token": "rst_x", "new_password": "short"},
        {"token": "rst_x", "new_password": "x" * 129},
        {"email": "dev@test.com", "token": "x", "new_password": "newdevpass"},
    ],
)
async def test_malformed_resets_are_422(program: Program, body: dict[str, str]) -> None:
    assert (await program.client.post(RESET, json=body)).status_code == 422


@pytest.mark.parametrize("token", ["rst_unknown", "inv_unknown", "x"])
async def test_unknown_reset_tokens_are_refused_before_anything_is_hashed(program: Program, token: str) -> None:
    body = {"token": token, "new_password": "newdevpass"}
    assert (await program.client.post(RESET, json=body)).status_code == 400
    assert program.identity.passwords.verifications == 0


async def test_asking_for_resets_without_end_is_throttled_by_address(program: Program) -> None:
    codes = [
        (await program.client.post(RESET, json={"email": f"u{number}@test.com"})).status_code for number in range(61)
    ]
    assert codes == [202] * 60 + [429]
