"""Carries out what `specloop sessions` is asked; everything that takes long to load is reached through here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from specloop import __version__
from specloop.cli.output import print_json, say
from specloop.cli.transfer.choosing import choose, project_id_of, target, usual_places
from specloop.cli.transfer.connect import connected
from specloop.cli.transfer.importing import Importer, Outcome, Result
from specloop.cli.transfer.options import Target, Wanted
from specloop.cli.transfer.preparing import Preparer
from specloop.cli.transfer.reporting import Reporter
from specloop.cli.transfer.server import seconds_since
from specloop.cli.transfer.state import SentState
from specloop.cli.transfer.stopping import stopping
from specloop.cli.transfer.watching import Watcher
from specloop.record.sessions.importers import SOURCES, find_transcripts
from specloop.record.sessions.importers.device import device_id, machine_name
from specloop.record.sessions.importers.payload import Client
from specloop.record.sessions.redaction import BetterleaksScanner, RedactionUnavailable

INTERRUPTED = 130
LONG_FROM = 200
"""As many transcripts are not sent with the sign-in's allowance for requests."""


class Work:
    """The commands that read local transcripts."""

    def import_all(self, wanted: Wanted, to: Target, *, is_dry: bool, is_verbose: bool, as_json: bool) -> None:
        """Send what the server does not have yet.

        Raises: typer.Exit with 1 when a transcript failed, 130 when it was ended early.
        """
        choice = choose(wanted.sources, wanted.since, wanted.paths)
        preparer = _preparer(wanted)
        reporter = Reporter(as_json=as_json, is_verbose=is_verbose)
        began = time.monotonic()
        transcripts = choice.transcripts()
        is_long = len(transcripts) >= LONG_FROM
        with stopping() as stopped, connected(to.url, to.token, stopped, is_long=is_long) as connection:
            state = SentState(connection.account)
            importer = Importer(connection.server, preparer, state, is_dry=is_dry, stopped=stopped)
            with reporter.progress(len(transcripts)):
                summary = importer.run(transcripts, reporter.heard)
        reporter.summed_up(summary, seconds_since(began), is_dry=is_dry)
        if stopped.is_set():
            raise typer.Exit(INTERRUPTED)
        if summary.results[Result.FAILED]:
            raise typer.Exit(1)

    def watch(self, wanted: Wanted, to: Target, *, quiet_seconds: float, as_json: bool) -> None:
        """Send sessions while they happen, until a signal ends it."""
        choice = choose(wanted.sources)
        preparer = _preparer(wanted)
        with stopping() as stopped, connected(to.url, to.token, is_long=True) as connection:
            importer = Importer(connection.server, preparer, SentState(connection.account))
            watcher = Watcher(importer, usual_places(), choice.sources, stopped, quiet_seconds=quiet_seconds)
            watcher.run(_at_once(Reporter(as_json=as_json, is_verbose=True)), _beginning(as_json=as_json))

    def sources(self) -> list[dict[str, Any]]:
        """Each source that has a store on this machine: name, transcripts, megabytes."""
        rows = list[dict[str, Any]]()
        for name, source in SOURCES.items():
            sizes = [found.size for found in find_transcripts(usual_places(), [name]) if not found.is_closed]
            facts = {"source": name, "agent": source.agent, "transcripts": len(sizes)}
            rows.append({**facts, "megabytes": round(sum(sizes) / 1e6, 1)})
        return rows

    def project_id(self, text: str) -> str:
        """The id of a project named by its id or its folder."""
        return project_id_of(text)


def _at_once(reporter: Reporter) -> Callable[[Outcome], None]:
    """Reports that a reader at the other end of a pipe gets when they happen."""

    def report(outcome: Outcome) -> None:
        reporter.heard(outcome)
        sys.stdout.flush()

    return report


def _beginning(*, as_json: bool) -> Callable[[list[Path]], None]:
    def ready(folders: list[Path]) -> None:
        if as_json:
            print_json({"event": "watching", "folders": [str(folder) for folder in folders]})
        else:
            say(f"Following {len(folders)} folders; Ctrl-C ends.")
        sys.stdout.flush()

    return ready


def _preparer(wanted: Wanted) -> Preparer:
    client = Client("specloop", __version__, device_id(), machine_name())
    scanner = None if wanted.without_redaction else _scanner()
    only = project_id_of(wanted.project) if wanted.project else None
    return Preparer(client, scanner, target(wanted.into), only)


def _scanner() -> BetterleaksScanner:
    try:
        return BetterleaksScanner()
    except RedactionUnavailable as error:
        raise RedactionUnavailable(f"{error.detail} Give --without-redaction to send secrets as they stand.") from error
