"""The `demo` command: starts a server, runs the loop as its client, prints what was gained, leaves the server up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from specloop.cli.demo import loop, report
from specloop.cli.demo.history import offer_import
from specloop.cli.demo.server import DemoServer, running_server
from specloop.cli.output import AsJSON, console, print_json, progress_console
from specloop.cli.scans import follow
from specloop.cli.session import Profile, Session, new_client, read_answer
from specloop.errors import StartupError
from specloop.kit import json
from specloop.kit.crypto import random_token
from specloop.testing.datasets.bfcl import DatasetMissing, Task, load_b1

EMAIL = "demo@specloop.local"
ACCOUNT_FILE = "demo-account.json"
EVALUATIONS = 20_000


class DemoDataMissing(StartupError):
    """The demo's data is not installed."""

    code = "demo-data-missing"


class DemoFailed(StartupError):
    """The demo's scan did not end with an accepted change."""

    code = "demo-failed"


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop the server at the end.")] = False,
    data: Annotated[Path, typer.Option(help="Folder for the demo's server.")] = Path(".demo"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to prefer.")] = 8000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same result.")] = 1,
    evaluations: Annotated[int, typer.Option(min=1000, help="Budget of the scan.")] = EVALUATIONS,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Also import your own coding sessions, unasked.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Run the whole loop once, on real data: record, cluster, propose, prove, promote."""
    tasks = _load_tasks()
    started = time.monotonic()
    with running_server(data.absolute(), port) as server:
        _tell(f"server at {server.url}, data in {data}")
        session, password = _account(server, data)
        figures, page = _run(session, tasks, seed, evaluations, started, server)
        if as_json:
            print_json({**figures, "page": page})
        else:
            console.print()
            report.show(console, figures)
            console.print()
            console.print(Text.assemble(("See it: ", "bold"), page))
            console.print(Text(f"Sign in as {EMAIL} with the password {password}", style="dim"))
        offer_import(session, is_agreed=yes, as_json=as_json)
        if not once:
            _tell("the server stays up; Ctrl-C stops it")
            _wait(server)
    if figures["status"] != "accepted":
        raise DemoFailed(f"the verdict was {figures['verdict']}")


def _run(
    session: Session, tasks: tuple[Task, ...], seed: int, evaluations: int, started: float, server: DemoServer
) -> tuple[dict[str, Any], str]:
    prepared = loop.prepare(session, tasks, _tell)
    asked = time.monotonic()
    scan = loop.start(session, prepared, seed=seed, evaluations=evaluations)
    _tell("scan: observe, detect, cluster, generate, evaluate, diagnose, safety")
    scan = follow(session, scan["id"])
    scan_seconds = time.monotonic() - asked
    if scan["status"] != "completed":
        raise DemoFailed(f"the scan ended as {scan['status']}: {scan.get('error')}")
    outcome = loop.finish(session, prepared, scan)
    figures = report.facts(outcome, time.monotonic() - started, scan_seconds)
    page = f"{server.url}/app/w/{session.profile.workspace_id}/changesets/{outcome.changeset.get('id', '')}"
    return figures, page


def _load_tasks() -> tuple[Task, ...]:
    try:
        return load_b1()
    except DatasetMissing as error:
        raise DemoDataMissing(str(error)) from None


def _account(server: DemoServer, data: Path) -> tuple[Session, str]:
    """The demo's own account, made at the first run and kept in its folder."""
    path = data / ACCOUNT_FILE
    is_new = not path.exists()
    password = random_token(12) if is_new else str(json.loads(path.read_bytes())["password"])
    body = {"email": EMAIL, "password": password, **({"tenant_name": "Demo"} if is_new else {})}
    with new_client(server.url) as client:
        answer = read_answer(client.post(f"/api/v1/auth/{'register' if is_new else 'login'}", json=body))
    if is_new:
        path.touch(mode=0o600)
        path.write_bytes(json.dumps({"email": EMAIL, "password": password}))
    profile = Profile(server.url, EMAIL, answer["access_token"], answer["refresh_token"], answer["workspace_id"])
    return Session(profile, keeps_profile=False), password


def _tell(line: str) -> None:
    progress_console.print(f"[dim]·[/] {line}")


def _wait(server: DemoServer) -> None:
    try:
        server.process.wait()
    except KeyboardInterrupt:
        _tell("stopping")
