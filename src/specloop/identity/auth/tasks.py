"""Jobs that mail secrets. Each makes its token itself, so that no table ever holds one; a retry makes a new one."""

from __future__ import annotations

from typing import Any

from specloop.identity.auth.links import Links
from specloop.identity.auth.service.recovery import MAIL_JOB as RESET_JOB
from specloop.identity.auth.service.recovery import RecoveryService
from specloop.identity.invites import MAIL_JOB as INVITE_JOB
from specloop.identity.invites import InviteService
from specloop.jobs import JobContext, Lane, Tasks
from specloop.kit.mail import Mail, Mailer


def mail_tasks(mailer: Mailer, links: Links, recovery: RecoveryService, invites: InviteService) -> Tasks:
    """The mail jobs of identity; not registered on a server without a mailer."""

    async def mail_reset(job: JobContext, payload: dict[str, Any]) -> None:
        async with job.writing() as ctx:
            token = await recovery.make_reset_token(ctx, payload["email"])
        if token is not None:
            await mailer.send(_reset_mail(payload["email"], links.reset(token)))

    async def mail_invite(job: JobContext, payload: dict[str, Any]) -> None:
        async with job.writing() as ctx:
            renewed = await invites.renew_token(ctx, payload["invite_id"])
        if renewed is not None:
            invite, token = renewed
            await mailer.send(_invite_mail(invite.email, links.invite(token)))

    tasks = Tasks()
    tasks.job(RESET_JOB, queue=Lane.MAINTENANCE)(mail_reset)
    tasks.job(INVITE_JOB, queue=Lane.MAINTENANCE)(mail_invite)
    return tasks


def _reset_mail(email: str, link: str) -> Mail:
    text = (
        "Somebody, probably you, asked for a new password for your Specloop account.\n\n"
        f"Choose it here within an hour:\n{link}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n"
    )
    return Mail(email, "Your new Specloop password", text)


def _invite_mail(email: str, link: str) -> Mail:
    text = (
        "You have been invited to work together on Specloop.\n\n"
        f"Accept within a week:\n{link}\n\n"
        "If you do not know what this is about, ignore this mail.\n"
    )
    return Mail(email, "You are invited to Specloop", text)
