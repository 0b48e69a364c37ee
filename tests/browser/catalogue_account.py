"""Sample pages of the frame: home, workspaces, members, keys, account, and the signed-out ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specloop.app.web.shell import Form
from tests.browser import samples as s
from tests.browser.samples import name_of

Values = dict[str, Any]


def home(variant: str) -> Values:
    """Home: a busy workspace, a new one."""
    if variant == "empty":
        steps = [
            {"is_done": False, "href": "#", "title": "Create an agent", "text": "A configuration with versions."},
            {"is_done": False, "href": "#", "title": "Bring a sample set", "text": "Tasks with answers."},
            {"is_done": False, "href": "#", "title": "Say what is better", "text": "A rubric and an objective."},
            {"is_done": False, "href": "#", "title": "Start a scan", "text": "Find, change, prove."},
        ]
        return {
            "steps": steps,
            "demo_command": "make demo",
            "waiting": [],
            "cards": s.cards(False),
            "recorded": [],
            "happened": [],
        }
    title = s.HOSTILE if variant == "hostile" else "Raise recall for films and rides with 7 hint words"
    waiting = [
        {
            "state": "pass",
            "word": "proved",
            "href": "#",
            "title": title,
            "text": "+11.2 pts on 600 sealed tasks, p 1.2e-8",
            "since": s.ago(minutes=2),
            "verb": "Review",
        },
        {
            "state": "failed",
            "word": "failed",
            "href": "#",
            "title": "Nightly scan",
            "text": "observe: the agent's endpoint refused 40 calls",
            "since": s.ago(hours=7),
            "verb": "Look",
        },
    ]
    happened = [
        {
            "icon": "scan",
            "text": "Scan “Nightly” found 20 clusters and proposed a change",
            "href": "#",
            "actor": "",
            "at": s.ago(minutes=2),
        },
        {
            "icon": "key",
            "text": f"Key “{'checkout' if variant == 'full' else s.HOSTILE}” was made",
            "href": "",
            "actor": "Mara Lindt",
            "at": s.ago(hours=2),
        },
        {
            "icon": "agent",
            "text": "BFCL tool router now serves version 3",
            "href": "#",
            "actor": "Mara Lindt",
            "at": s.ago(hours=5),
        },
    ]
    recorded = [{"icon": "trace", "text": "1 204 traces arrived, 37 spans failed", "href": "#"}]
    happened = [{**fact, "times": 1 + place % 2} for place, fact in enumerate(happened)]
    return {
        "steps": [],
        "demo_command": "",
        "waiting": waiting,
        "cards": s.cards(),
        "recorded": recorded,
        "happened": happened,
    }


def keys(variant: str) -> Values:
    """API keys: a fresh one on top."""
    one = {
        "key_id": s.AGENT,
        "name": name_of(variant, "checkout, production"),
        "prefix": "sk_live_ab12",
        "last4": "9f3c",
        "status": "active",
        "last_used_at": s.ago(minutes=1),
        "created_at": s.ago(days=12),
        "expires_at": None,
    }
    results = (
        [] if variant == "empty" else [one, {**one, "name": "old laptop", "status": "revoked", "last_used_at": None}]
    )
    fresh = {"name": one["name"], "key": "sk_live_7Hq2mT9xWc4LrZ8vKp3NdY6bQs1FgJ5a0RtEuXoM"} if results else None
    return {"keys": s.listed(results), "fresh_key": fresh, "form": s.EMPTY_FORM}


def members(variant: str) -> Values:
    """Members and invitations."""
    owner = {
        "user_id": s.AGENT,
        "name": name_of(variant, "Mara Lindt"),
        "email": "mara@acme.example",
        "role": "admin",
        "is_owner": True,
        "created_at": s.ago(days=30),
    }
    other = {
        **owner,
        "user_id": s.SCAN,
        "name": "",
        "email": "jo@acme.example",
        "role": "contributor",
        "is_owner": False,
    }
    invite = {
        "id": s.SCAN,
        "email": "sam@acme.example",
        "status": "pending",
        "created_at": s.ago(days=1),
        "expires_at": s.ago(days=-6),
    }
    full = variant != "empty"
    return {
        "members": [owner, other] if full else [owner],
        "invites": [invite] if full else [],
        "form": s.EMPTY_FORM,
        "invite_link": "http://127.0.0.1:8000/app/invite?token=inv_8sJ2kQ" if full else "",
        "invite_email": "sam@acme.example",
    }


def settings(variant: str) -> Values:
    """Workspace settings."""
    bounds = {"max_auto_per_day": 3, "max_text_delta_chars": 400, "min_effect": 0.02}
    return {
        "workspace": {"id": s.WS, "name": name_of(variant, "Acme checkout"), "description": ""},
        "form": s.EMPTY_FORM,
        "autonomy": {
            "mode": "bounded_auto" if variant == "full" else "manual",
            "auto_validate": True,
            "bounds": bounds,
        },
        "retention": {"traces_days": 90, "sessions_days": None, "scan_events_days": 30, "audit_days": 365},
    }


def workspaces(variant: str) -> Values:
    """All workspaces of the visitor."""
    one = {
        "id": s.WS,
        "name": name_of(variant, "Acme checkout"),
        "description": "Everything around paying",
        "role": "admin",
        "status": "active",
        "created_at": s.ago(days=40),
    }
    return {
        "workspaces": [one, {**one, "name": "Sandbox", "description": "", "role": "contributor", "status": "archived"}],
        "form": s.EMPTY_FORM,
    }


def account(variant: str) -> Values:
    """Profile and password."""
    wrong = Form({}, {"current": "That is not your password."}) if variant == "full" else s.EMPTY_FORM
    return {
        "tab": "profile",
        "user": {"name": name_of(variant, "Mara Lindt"), "email": "mara@acme.example", "timezone": "Europe/Berlin"},
        "account": {"name": "Acme", "role": "owner"},
        "profile_form": s.EMPTY_FORM,
        "password_form": wrong,
        "password_length_min": 6,
    }


def sessions(variant: str) -> Values:
    """Signed-in devices."""
    one = {
        "id": s.SCAN,
        "device": name_of(variant, "Firefox on Linux"),
        "user_agent": "Mozilla/5.0",
        "ip": "127.0.0.1",
        "is_current": True,
        "created_at": s.ago(days=2),
        "last_used_at": s.ago(seconds=4),
    }
    return {"tab": "sessions", "sessions": s.listed([one, {**one, "device": "Chrome on Android", "is_current": False}])}


def audit(variant: str) -> Values:
    """The audit log."""
    row = {
        "created_at": s.ago(hours=1),
        "actor": name_of(variant, "mara@acme.example"),
        "action": "key.created",
        "target_type": "api_key",
        "target_id": s.SCAN,
        "client_ip": "127.0.0.1",
    }
    return {
        "tab": "audit",
        "entries": s.listed([] if variant == "empty" else [row] * 12, 240 if variant == "full" else None),
        "query": {"action": "key.created"} if variant == "full" else {},
    }


def entry(**values: Any) -> Callable[[str], Values]:
    """A signed-out page with the given values."""

    def made(variant: str) -> Values:
        wrong = Form({"email": name_of(variant, "mara@acme.example")}, {}, "The e-mail or the password is wrong.")
        return {"form": s.EMPTY_FORM if variant == "empty" else wrong, "password_length_min": 6, **values}

    return made


INVITE = {
    "account_name": "Acme",
    "invited_by": "Mara Lindt",
    "email": "sam@acme.example",
    "account_role": "member",
    "workspaces": 2,
}
