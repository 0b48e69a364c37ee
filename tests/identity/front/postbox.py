"""A small real SMTP server on loopback that keeps what it receives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Postbox:
    """The received mails. With `refusals` > 0 that many mails are refused first."""

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    refusals: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One SMTP conversation (RFC 5321)."""
        writer.write(b"220 postbox\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                self._keep((await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n"), writer)
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 postbox\r\n")
            await writer.drain()
        writer.close()

    def _keep(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            writer.write(b"451 try again later\r\n")
            return
        mail = message_from_bytes(data, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.arrived.set()
        writer.write(b"250 kept\r\n")

    async def next_mail(self) -> EmailMessage:
        """The next mail that arrives."""
        async with asyncio.timeout(60):
            await self.arrived.wait()
        self.arrived.clear()
        return self.mails.pop(0)


@asynccontextmanager
async def running_postbox() -> AsyncGenerator[Postbox]:
    """The server on a free port."""
    postbox = Postbox()
    server = await asyncio.start_server(postbox.serve, "127.0.0.1", 0)
    postbox.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield postbox
    finally:
        server.close()
