"""Says what an import does: a bar and a table for people, one JSON document per line for programs. Never a secret."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from specloop.cli.output import console, plain, print_json, progress_console, say, show_rows
from specloop.cli.transfer.importing import Outcome, Result, Summary
from specloop.record.sessions.importers import SOURCES

FAILURES_SHOWN = 20
_WORDS = {
    Result.CREATED: "new",
    Result.UPDATED: "updated",
    Result.PLANNED: "to be sent",
    Result.UNCHANGED: "unchanged",
    Result.DUPLICATE: "another copy",
    Result.EMPTY: "no conversation",
    Result.FAILED: "failed",
}


class Reporter:
    """Tells of one import."""

    def __init__(self, *, as_json: bool, is_verbose: bool = False) -> None:
        self._as_json = as_json
        self._is_verbose = is_verbose
        self._advance: Any = lambda: None
        self._by_agent: dict[str, dict[Result, int]] = {}

    @contextmanager
    def progress(self, total: int) -> Generator[None]:
        """A bar on standard error, where it shows only on a terminal."""
        if self._as_json or not progress_console.is_terminal:
            yield
            return
        columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=progress_console, transient=True) as bar:
            task = bar.add_task("", total=total)
            self._advance = lambda: bar.advance(task)
            yield
        self._advance = lambda: None

    def heard(self, outcome: Outcome) -> None:
        """One transcript is done."""
        self._advance()
        counts = self._by_agent.setdefault(
            outcome.outgoing.agent if outcome.outgoing else SOURCES[outcome.found.source].agent, {}
        )
        counts[outcome.result] = counts.get(outcome.result, 0) + 1
        is_news = outcome.result in (Result.CREATED, Result.UPDATED, Result.PLANNED, Result.FAILED)
        if self._as_json:
            if is_news or self._is_verbose:
                print_json(as_document(outcome))
        elif self._is_verbose and is_news:
            say(_line(outcome), "red" if outcome.result == Result.FAILED else "")

    def summed_up(self, summary: Summary, seconds: float, *, is_dry: bool) -> None:
        """The end."""
        if self._as_json:
            print_json(summary_document(summary, seconds, is_dry=is_dry))
            return
        rows = [
            {"agent": agent, **{_WORDS[r]: n for r, n in counts.items()}}
            for agent, counts in sorted(self._by_agent.items())
        ]
        shown = [_WORDS[result] for result in Result if summary.results[result]]
        show_rows(rows, ("agent", *shown), as_json=False, empty="No transcript found.")
        if summary.redacted:
            marks = ", ".join(f"{rule} {count}" for rule, count in sorted(summary.redacted.items()))
            say(f"Taken out {summary.redacted.total()} secrets: {marks}.", "yellow")
        if summary.skipped_lines:
            say(f"{summary.skipped_lines} unreadable lines were left out.", "yellow")
        for problem in summary.failures[:FAILURES_SHOWN]:
            console.print(Text(plain(problem), style="red"), soft_wrap=True)
        if len(summary.failures) > FAILURES_SHOWN:
            say(f"… and {len(summary.failures) - FAILURES_SHOWN} more failures.", "red")


def as_document(outcome: Outcome) -> dict[str, Any]:
    """One transcript's line of JSON."""
    document: dict[str, Any] = {
        "event": "session",
        "result": outcome.result.value,
        "source": outcome.found.source,
        "path": outcome.found.place,
    }
    if sent := outcome.outgoing:
        document |= {
            "project_id": sent.project.project_id,
            "project_name": sent.project.name,
            "session_id": sent.session_id,
            "agent": sent.agent,
            "title": sent.title,
            "markdown_bytes": sent.markdown_size,
            "redacted": dict(sent.redacted),
            "skipped_lines": sent.skipped_lines,
        }
    return {**document, "error": outcome.detail} if outcome.detail else document


def summary_document(summary: Summary, seconds: float, *, is_dry: bool) -> dict[str, Any]:
    """The last line of JSON."""
    return {
        "event": "summary",
        **{result.value: summary.results[result] for result in Result},
        "redacted": dict(summary.redacted),
        "skipped_lines": summary.skipped_lines,
        "sent_bytes": summary.sent_bytes,
        "seconds": seconds,
        "dry_run": is_dry,
    }


def _line(outcome: Outcome) -> str:
    sent = outcome.outgoing
    what = f"{sent.agent}  {sent.project.name}  {sent.title}" if sent else outcome.found.place
    return f"{_WORDS[outcome.result]}  {what}" + (f": {outcome.detail}" if outcome.detail else "")
