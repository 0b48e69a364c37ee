"""Sample pages around recorders: the code, linked devices, personal keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from specloop.identity.personal_keys import NewPersonalKey, PersonalKey
from tests.browser import samples as s
from tests.browser.samples import name_of

Values = dict[str, Any]


def cli_login(variant: str) -> Values:
    """A fresh code."""
    server = "http://127.0.0.1:8000" if variant != "hostile" else "https://" + "specloop." * 12 + "example"
    return {"code": "Wm4-gxQ", "expires_at": datetime.now(UTC) + timedelta(hours=24), "server": server}


def devices(variant: str) -> Values:
    """Linked machines; one that says nothing about itself."""
    one = {
        "device_id": s.AGENT,
        "name": name_of(variant, "mara-laptop"),
        "hostname": name_of(variant, "mara-laptop"),
        "username": name_of(variant, "mara"),
        "os": "linux",
        "os_version": "6.12.8",
        "os_display_name": name_of(variant, "Linux"),
        "architecture": "amd64",
        "client": name_of(variant, "specstory-cli"),
        "client_version": "2.8.0",
        "client_ip": "127.0.0.1",
        "created_at": s.ago(days=40),
        "last_used_at": s.ago(minutes=12),
        "expires_at": s.ago(days=-3600),
    }
    silent = dict.fromkeys(
        ("username", "os", "os_version", "os_display_name", "architecture", "client", "client_ip"), ""
    )
    other = {**one, **silent, "device_id": s.SCAN, "name": "unnamed device", "client_version": ""}
    return {"tab": "devices", "devices": s.listed([] if variant == "empty" else [one, other])}


def personal_keys(variant: str) -> Values:
    """Keys in each state, a fresh one on top."""
    key = PersonalKey(
        id=s.AGENT,
        user_id=s.SCAN,
        name=name_of(variant, "backup script"),
        prefix="sf_7Hq2m",
        can_write=False,
        created_at=s.ago(days=3),
        last_used_at=s.ago(minutes=1),
        expires_at=None,
        revoked_at=None,
    )
    writer = replace(key, name="importer", can_write=True, last_used_at=None, expires_at=s.ago(days=-30))
    gone = replace(key, name="old laptop", revoked_at=s.ago(days=1))
    rows = [] if variant == "empty" else [key, writer, gone]
    states = [{"key": one, "state": one.state_at(datetime.now(UTC))} for one in rows]
    fresh = NewPersonalKey(key, "sf_7Hq2mT9xWc4LrZ8vKp3NdY6bQs1FgJ5a0RtEuXoMAbC") if rows else None
    return {"tab": "personal-keys", "keys": s.listed(states), "form": s.EMPTY_FORM, "fresh_key": fresh}
