"""Sends plain-text mail through an SMTP server. Knows nothing of what the mails are about."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Protocol
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person."""

    to: str
    subject: str
    text: str = field(repr=False)


class Mailer(Protocol):
    """Whatever delivers mail."""

    async def send(self, mail: Mail) -> None:
        """Hand the mail over; returns when the server has taken it.

        Raises: OSError (smtplib's errors are such) when it has not.
        """
        ...


class SMTPMailer:
    """Delivers through `smtp://[user:password@]host[:port]` (STARTTLS where offered) or `smtps://…`."""

    def __init__(self, url: str, sender: str) -> None:
        """Raises: ValueError for another kind of address."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("use smtp://[user:password@]host[:port] or smtps://…")
        self._is_tls = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._is_tls else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """See `Mailer.send`. The conversation happens in a thread."""
        await asyncio.to_thread(self._send, _message(mail, self._sender))

    def _send(self, message: EmailMessage) -> None:
        context = ssl.create_default_context()
        with self._connect(context) as server:
            if not self._is_tls and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            if self._user:
                server.login(self._user, self._password)
            server.send_message(message)

    def _connect(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self._is_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        server.ehlo()
        return server


def _message(mail: Mail, sender: str) -> EmailMessage:
    """Raises: ValueError for line breaks in an address or the subject."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain="specloop")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
