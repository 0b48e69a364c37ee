"""What the operator does straight in the state store, without signing in; a server may be running meanwhile.

Whoever can read the data folder is the operator, so no password is asked. Every change is audited as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from specloop.db import backup
from specloop.db.backup import Content
from specloop.db.blobs import BlobStore
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.folder import SECRET_FILE, DataFolder
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import NotFound, StartupError
from specloop.identity import accounts, audit
from specloop.identity.accounts import LeavingService, User
from specloop.identity.accounts import make_staff as make_user_staff
from specloop.identity.auth import Links
from specloop.identity.devices import DeviceCode, DeviceService
from specloop.identity.tokens import RESET_LIFETIME, AccessTokens, KeyRing, OneTimeTokens, Purpose, SessionService
from specloop.kit.clock import SystemClock
from specloop.kit.context import ANONYMOUS, RequestInfo
from specloop.kit.crypto import Pepper
from specloop.record.search import IndexRebuilding
from specloop.settings import Settings

Answer = TypeVar("Answer")


class NoInstallation(StartupError):
    """There is no server's data in that folder; `specloop up` makes it."""

    code = "no-installation"
    exit_code = 3


def make_device_code(settings: Settings, email: str) -> DeviceCode:
    """A fresh code for the user of that address.

    Raises: NoInstallation; NotFound when there is no such active user.
    """
    pepper = _pepper(settings)

    async def make(ctx: Context) -> DeviceCode:
        return await DeviceService(pepper).make_code(ctx, await _user(ctx, email))

    return _in_store(settings, make)


def make_reset_link(settings: Settings, email: str) -> str:
    """The address at which the user of that e-mail address sets a new password, good once and for an hour.

    Raises: NoInstallation; NotFound when there is no such active user.
    """
    one_time = OneTimeTokens(_pepper(settings))
    links = Links(settings.public_url.rstrip("/") or f"http://{settings.listen[0]}")

    async def make(ctx: Context) -> str:
        user = await _user(ctx, email)
        await audit.record(ctx, "user.reset_requested", "user", user.id, account_id=user.account_id)
        return links.reset(await one_time.mint(ctx, Purpose.PASSWORD_RESET, user.id, RESET_LIFETIME))

    return _in_store(settings, make)


def make_staff(settings: Settings, email: str) -> None:
    """Give the user of that address the operations role (spectral.md §1.0.1).

    Raises: NoInstallation; NotFound when there is no such active user.
    """

    async def change(ctx: Context) -> None:
        await make_user_staff(ctx, await _user(ctx, email))

    _in_store(settings, change)


def restore_account(settings: Settings, account_id: str) -> None:
    """Open a closed account again, within its grace period.

    Raises: NoInstallation; AccountNotFound.
    """
    ring = KeyRing(settings.data_folder)
    sessions = SessionService(AccessTokens(ring, "specloop"), _pepper(settings))
    leaving = LeavingService(sessions, BlobStore.open(settings.blob_address))
    _in_store(settings, lambda ctx: leaving.restore(ctx, account_id))


def rotate_signing_key(settings: Settings) -> str:
    """Sign with a new key from the next start on; returns its id. Tokens of the old key stay good until they end.

    Raises: NoInstallation; FolderLocked while a server uses the folder, since it would go on with the old key.
    """
    _pepper(settings)
    folder = DataFolder(settings.data_folder)
    try:
        ring = KeyRing(settings.data_folder)
        _in_store(settings, ring.rotate)
        return ring.kid
    finally:
        folder.release()


def reindex(settings: Settings, tell: Callable[[int, int], None]) -> int:
    """Make the search index anew; returns the number of sessions. `tell` is given how many of how many are done.

    Raises: NoInstallation.
    """

    async def rebuild() -> int:
        async with _opened(settings.state_address) as database:
            return await IndexRebuilding(database, SystemClock()).rebuild(tell)

    _require_store(settings)
    return asyncio.run(rebuild())


def back_up(settings: Settings, target: Path) -> Content:
    """Write the data folder into the archive `target`, while a server works on it or not.

    Raises: NotEmbedded when a store is a server of its own; NeverQuiet.
    """
    addresses = (settings.state_address, settings.telemetry_address, settings.blob_address)
    return backup.back_up(settings.data_folder, target, SystemClock().now(), addresses)


def restore(source: Path, folder: Path) -> Content:
    """Make the data folder from an archive and check it.

    Raises: FolderNotEmpty, FolderLocked, BadArchive.
    """
    return backup.restore(source, folder.expanduser().absolute())


async def _user(ctx: Context, email: str) -> User:
    user = await accounts.find_user_by_email(ctx, email)
    if user is None or not user.is_active:
        raise NotFound(f"there is no user {email}")
    return user


def _pepper(settings: Settings) -> Pepper:
    chosen = settings.secret_key.get_secret_value()
    if chosen:
        return Pepper(chosen.encode())
    try:
        return Pepper((settings.data_folder / SECRET_FILE).read_bytes())
    except OSError as error:
        raise NoInstallation(f"{settings.data_folder}: {error.strerror}; `specloop up` makes the folder") from error


def _in_store(settings: Settings, work: Callable[[Context], Awaitable[Answer]]) -> Answer:
    _require_store(settings)
    return asyncio.run(_run(settings.state_address, work))


def _require_store(settings: Settings) -> None:
    address = settings.state_address
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        raise NoInstallation


async def _run(address: str, work: Callable[[Context], Awaitable[Answer]]) -> Answer:
    async with _opened(address) as database, database.writing(ALL_WORKSPACES) as unit:
        return await work(Context(ANONYMOUS, unit, SystemClock(), RequestInfo(user_agent="specloop command line")))


@asynccontextmanager
async def _opened(address: str) -> AsyncGenerator[Database]:
    database = await Database.open(address)
    try:
        yield database
    finally:
        await database.close()
