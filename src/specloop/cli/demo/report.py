"""The table at the end of the demo."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from specloop.cli.demo.loop import Outcome
from specloop.cli.output import part, parts

CLUSTERS_SHOWN = 6
EDITS_SHOWN = 6
TEXT_WIDTH_MAX = 90


def facts(outcome: Outcome, wall_seconds: float, scan_seconds: float) -> dict[str, Any]:
    """The figures, for `--json` and for the table."""
    evidence = part(part(outcome.changeset, "explainability"), "evidence")
    used = part(part(outcome.scan, "budget"), "used")
    return {
        "baseline_accuracy": evidence.get("baseline"),
        "promoted_accuracy": evidence.get("candidate"),
        "delta": evidence.get("delta"),
        "ci95": evidence.get("ci95"),
        "p_value": evidence.get("p_value"),
        "wins": evidence.get("wins"),
        "losses": evidence.get("losses"),
        "n": evidence.get("n"),
        "verdict": outcome.changeset.get("verdict"),
        "status": "accepted" if outcome.served_version_after != outcome.served_version_before else "not accepted",
        "served_version": outcome.served_version_after,
        "evaluations": used.get("evaluations"),
        "scan_seconds": round(scan_seconds, 2),
        "wall_seconds": round(wall_seconds, 2),
        "spans": outcome.spans,
        "clusters": [
            {"name": cluster["name"], "kind": cluster["kind"], "size": cluster["size"]} for cluster in outcome.clusters
        ],
        "edits": [
            {"pointer": edit["pointer"], "op": edit["op"], "operator": edit["operator"], "reason": edit["rationale"]}
            for edit in parts(outcome.changeset, "edits")
        ],
    }


def show(console: Console, figures: dict[str, Any]) -> None:
    """Print the figures for people."""
    table = Table(title="The loop, once", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for name, value in _headline(figures):
        table.add_row(name, value)
    console.print(table)
    _show_list(
        console, "Failure clusters", [f"{c['size']:>4}  {c['name']}" for c in figures["clusters"]], CLUSTERS_SHOWN
    )
    edits = [f"{e['pointer']}: {e['reason']}" for e in figures["edits"]]
    _show_list(console, "Edits and why", edits, EDITS_SHOWN)


def _headline(figures: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("verdict", f"{figures['verdict']}, {figures['status']}; version {figures['served_version']} is served")]
    if figures["delta"] is not None:
        low, high = figures["ci95"]
        rows += [
            (
                "holdout accuracy",
                f"{figures['baseline_accuracy']:.1%} → {figures['promoted_accuracy']:.1%} of {figures['n']}",
            ),
            ("change", f"{figures['delta'] * 100:+.1f} points (CI95 {low * 100:+.1f} to {high * 100:+.1f})"),
            ("McNemar", f"p = {figures['p_value']:.1e}, {figures['wins']} wins, {figures['losses']} losses"),
        ]
    evaluations = figures["evaluations"]
    return [
        *rows,
        ("evaluations", f"{evaluations:,}" if evaluations is not None else "–"),
        ("time", f"{figures['scan_seconds']} s for the scan, {figures['wall_seconds']} s in all"),
        ("spans recorded", f"{figures['spans']:,}"),
    ]


def _show_list(console: Console, title: str, lines: list[str], shown: int) -> None:
    console.print()
    console.print(Text(f"{title} ({len(lines)})", style="bold"))
    for line in lines[:shown]:
        short = line if len(line) <= TEXT_WIDTH_MAX else line[: TEXT_WIDTH_MAX - 1] + "…"
        console.print(Text(f"  {short}"))
    if len(lines) > shown:
        console.print(Text(f"  and {len(lines) - shown} more", style="dim"))
