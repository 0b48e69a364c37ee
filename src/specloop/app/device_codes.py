"""Makes a device code straight in the state store, for machines without a browser. A server may be running meanwhile.

Whoever can read the data folder is the operator, so no password is asked.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.folder import SECRET_FILE
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import NotFound, StartupError
from specloop.identity import accounts
from specloop.identity.devices import DeviceCode, DeviceService
from specloop.kit.clock import SystemClock
from specloop.kit.context import ANONYMOUS, RequestInfo
from specloop.kit.crypto import Pepper
from specloop.settings import Settings


class NoInstallation(StartupError):
    """There is no server's data in that folder; `specloop up` makes it."""

    code = "no-installation"
    exit_code = 3


def make_device_code(settings: Settings, email: str) -> DeviceCode:
    """A fresh code for the user of that address.

    Raises: NoInstallation; NotFound when there is no such active user.
    """
    pepper = _pepper(settings)
    address = settings.state_address
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        raise NoInstallation
    return asyncio.run(_make(address, email, pepper))


def _pepper(settings: Settings) -> Pepper:
    chosen = settings.secret_key.get_secret_value()
    if chosen:
        return Pepper(chosen.encode())
    try:
        return Pepper((settings.data_folder / SECRET_FILE).read_bytes())
    except OSError as error:
        raise NoInstallation(f"{settings.data_folder}: {error.strerror}; `specloop up` makes the folder") from error


async def _make(address: str, email: str, pepper: Pepper) -> DeviceCode:
    database = await Database.open(address)
    try:
        async with database.writing(ALL_WORKSPACES) as unit:
            ctx = Context(ANONYMOUS, unit, SystemClock(), RequestInfo(client_ip="", user_agent="specloop devices code"))
            user = await accounts.find_user_by_email(ctx, email)
            if user is None or not user.is_active:
                raise NotFound(f"there is no user {email}")
            return await DeviceService(pepper).make_code(ctx, user)
    finally:
        await database.close()
