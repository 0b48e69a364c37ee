"""The checks behind `specloop doctor`.

They only look: nothing is made, migrated or repaired, and a server may be running meanwhile.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from specloop import __file__ as program_file
from specloop.db.database import Database, normalise_url
from specloop.db.folder import SECRET_FILE
from specloop.db.migrations import current_revision, revisions
from specloop.db.telemetry import TelemetryQueryFailed, TelemetryUnavailable, parse_dsn
from specloop.db.telemetry.client import TelemetryClient
from specloop.db.telemetry.dsn import TelemetryAddress
from specloop.db.telemetry.migrations import packaged_migrations
from specloop.errors import StartupError
from specloop.kit.log import redact
from specloop.settings import Settings
from specloop.transport.net import ListenAddress, PortTaken, bind, parse_listen_address
from specloop.transport.tls import BadCertificate, Certificate, own_names, read_certificate

LOCK_FILE = "specloop.lock"
TABLE_MISSING = frozenset({60, 81})  # ClickHouse: UNKNOWN_TABLE, UNKNOWN_DATABASE
DISK_BYTES_FEW = 2 << 30
DISK_BYTES_TOO_FEW = 256 << 20
CLOCK_SLACK_SECONDS = 300
Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it."""

    check: str
    status: Status
    detail: str
    advice: str = ""


def diagnose(settings: Settings, now: Callable[[], float] = time.time) -> list[Finding]:
    """Every finding about the installation that `settings` describe; `now` is the machine's clock, in seconds."""
    owner = lock_owner(settings.data_folder)
    return [
        check_folder(settings.data_folder),
        check_lock(settings.data_folder, owner),
        *check_listeners(settings, owner),
        check_state(settings.state_address),
        check_telemetry(settings.telemetry_address),
        check_certificate(settings, datetime.fromtimestamp(now(), UTC)),
        check_clock(settings.data_folder, now()),
        check_disk(settings.data_folder),
    ]


def lock_owner(folder: Path) -> str | None:
    """The process id in the lock file when a process holds it."""
    try:
        with (folder / LOCK_FILE).open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(20).strip()
    except OSError:
        return None
    return None


def check_folder(folder: Path) -> Finding:
    """Is the data folder there, and closed to others?"""
    if not folder.exists():
        return Finding("data folder", "ok", f"{folder} is not there yet", "`specloop up` makes it.")
    if not folder.is_dir():
        return Finding("data folder", "failed", f"{folder} is not a folder", "Choose another one with --data.")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return Finding(
            "data folder", "warning", f"{folder} has mode {mode:04o}: others can look in", f"Run: chmod 700 {folder}"
        )
    secret = folder / SECRET_FILE
    if secret.exists() and stat.S_IMODE(secret.stat().st_mode) & 0o077:
        return Finding("data folder", "failed", f"{secret} can be read by others", f"Run: chmod 600 {secret}")
    return Finding("data folder", "ok", str(folder))


def check_lock(folder: Path, owner: str | None) -> Finding:
    """Is a server running here?"""
    if owner is not None:
        return Finding("lock", "ok", f"a server is running in {folder} (pid {owner})")
    return Finding("lock", "ok", "no server is running in this folder")


def check_listeners(settings: Settings, owner: str | None) -> Iterator[Finding]:
    """Could a server listen where it should, and who could reach it?"""
    try:
        addresses = [parse_listen_address(text) for text in settings.listen]
    except StartupError as error:
        yield Finding("listen", "failed", error.detail, "Set listen to ADDR:PORT, separated by commas.")
        return
    for address in addresses:
        yield _check_listener(address, is_running=owner is not None)
    if settings.registration == "open" and not all(address.is_loopback for address in addresses):
        yield Finding(
            "registration",
            "warning",
            "anybody who reaches this server may register",
            "Set registration=invite, unless that is wanted.",
        )


def _check_listener(address: ListenAddress, *, is_running: bool) -> Finding:
    try:
        for sock in bind([address]):
            sock.close()
    except PortTaken as error:
        if is_running:
            return Finding("listen", "ok", f"{address} is in use, and a server is running")
        return Finding("listen", "failed", error.detail, "Stop that program, or choose another address with --listen.")
    except StartupError as error:
        return Finding("listen", "failed", error.detail, "Choose another address with --listen.")
    return Finding("listen", "ok", f"{address} is free")


def check_state(address: str) -> Finding:
    """Does the state store answer, and does this program know its schema?"""
    try:
        url = normalise_url(address)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            return Finding("state store", "ok", f"{url.database} is not there yet", "`specloop up` makes it.")
        revision = asyncio.run(_revision(address))
    except StartupError as error:
        return Finding("state store", "failed", redact(error.detail), "Check state_url, and that the server is up.")
    return _judge_revision(redact(address), revision)


async def _revision(address: str) -> str | None:
    database = await Database.open(address)
    try:
        return await current_revision(database)
    finally:
        await database.close()


def _judge_revision(address: str, revision: str | None) -> Finding:
    newest = revisions()[-1]
    if revision is None:
        return Finding("state store", "ok", f"{address} is empty", "`specloop up` makes its tables.")
    if revision == newest:
        return Finding("state store", "ok", f"{address}, schema {revision}")
    if revision not in revisions():
        return Finding(
            "state store",
            "failed",
            f"{address} has schema {revision}, written by a newer Specloop",
            "Start that version, or restore a backup made before the upgrade.",
        )
    return Finding(
        "state store",
        "warning",
        f"{address} has schema {revision}, this program's is {newest}",
        "`specloop up` upgrades it; make a backup first.",
    )


def check_telemetry(dsn: str) -> Finding:
    """Does the telemetry store answer, and does this program know its schema?"""
    try:
        address = parse_dsn(dsn)
        if address.folder is not None:
            if not address.folder.exists():
                return Finding("telemetry", "ok", f"{address.folder} is not there yet", "`specloop up` makes it.")
            if (owner := lock_owner(address.folder)) is not None:
                return Finding("telemetry", "ok", f"{address} is open in the running server (pid {owner})")
        number = _telemetry_number(address)
    except (StartupError, TelemetryUnavailable) as error:
        return Finding("telemetry", "failed", redact(error.detail), "Check telemetry_url, and that the server is up.")
    return _judge_number(str(address), number)


def _telemetry_number(address: TelemetryAddress) -> int | None:
    """The newest migration of the store; None when it is empty."""
    client = TelemetryClient(address, database=None, settings={})
    try:
        sql = "SELECT max(number) AS number FROM {database:Identifier}.specloop_migrations"
        rows = client.query(sql, {"database": address.database})
    except TelemetryQueryFailed as error:
        if error.engine_code in TABLE_MISSING:
            return None
        raise TelemetryUnavailable(error.detail) from error
    finally:
        client.close()
    return int(rows[0]["number"]) if rows else None


def _judge_number(address: str, number: int | None) -> Finding:
    newest = max(migration.number for migration in packaged_migrations())
    if not number:
        return Finding("telemetry", "ok", f"{address} is empty", "`specloop up` makes its tables.")
    if number > newest:
        return Finding(
            "telemetry",
            "failed",
            f"{address} has schema {number}, this program knows {newest}",
            "Start the newer version, or restore a backup made before the upgrade.",
        )
    if number < newest:
        return Finding(
            "telemetry", "warning", f"{address} has schema {number} of {newest}", "`specloop up` upgrades it."
        )
    return Finding("telemetry", "ok", f"{address}, schema {number}")


def check_certificate(settings: Settings, now: datetime) -> Finding:
    """Is the certificate good now, for the names it is asked for?"""
    is_own = settings.tls_certificate is None or settings.tls_key is None
    own = settings.data_folder / "tls"
    certificate = settings.tls_certificate or own / "server.crt"
    key = settings.tls_key or own / "server.key"
    if is_own and not certificate.exists():
        return Finding("certificate", "ok", "not there yet", "`specloop up` makes it.")
    try:
        kept = read_certificate(certificate, key)
    except BadCertificate as error:
        advice = f"Remove {own} to have a new one made; peers must trust it anew." if is_own else "Bring a good one."
        return Finding("certificate", "failed", error.detail, advice)
    return _judge_certificate(kept, _names(settings), now, is_own=is_own)


def _names(settings: Settings) -> tuple[str, ...]:
    try:
        return own_names([parse_listen_address(text).host for text in settings.listen])
    except StartupError:
        return ()  # the finding about listeners says it


def _judge_certificate(kept: Certificate, names: tuple[str, ...], now: datetime, *, is_own: bool) -> Finding:
    until = f"{kept.not_after:%Y-%m-%d}"
    if not kept.not_before <= now < kept.not_after:
        advice = "Restart the server: it renews its own certificate." if is_own else "Bring a renewed certificate."
        dates = f"{kept.not_before:%Y-%m-%d} to {until}"
        return Finding("certificate", "failed", f"{kept.certificate_path} is good from {dates}", advice)
    if is_own and (missing := kept.missing(names)):
        return Finding(
            "certificate",
            "warning",
            f"does not name {', '.join(missing)}",
            f"The renewal before {until} takes them in; remove {kept.certificate_path} to have that now.",
        )
    if not is_own and kept.is_due(now):
        return Finding("certificate", "warning", f"{kept.certificate_path} ends on {until}", "Renew it.")
    return Finding("certificate", "ok", f"good until {until}, SHA-256 {kept.fingerprint}")


def check_clock(folder: Path, now: float) -> Finding:
    """Is the clock after everything that has certainly happened?"""
    shown = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC"
    witnesses = (Path(program_file), *(folder.iterdir() if folder.is_dir() else ()))
    latest = max(witnesses, key=lambda path: path.stat().st_mtime)
    if latest.stat().st_mtime > now + CLOCK_SLACK_SECONDS:
        return Finding(
            "clock",
            "failed",
            f"{shown}, but {latest} was written later than that",
            "Set the clock, and let a time service (NTP) keep it: sessions and keys end by it.",
        )
    return Finding("clock", "ok", shown)


def check_disk(folder: Path) -> Finding:
    """Is there room where the data folder is, or will be?"""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    return judge_disk(shutil.disk_usage(place).free, place)


def judge_disk(free: int, place: Path) -> Finding:
    """Whether `free` bytes are enough."""
    detail = f"{free / (1 << 30):.1f} GiB free at {place}"
    if free < DISK_BYTES_TOO_FEW:
        return Finding("disk", "failed", detail, "Make room: without it, nothing more can be recorded.")
    if free < DISK_BYTES_FEW:
        return Finding("disk", "warning", detail, "Make room soon.")
    return Finding("disk", "ok", detail)
