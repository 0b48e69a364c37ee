"""A scan's report as Markdown and as a page without scripts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    results: Mapping[str, Any] = report["results"]
    lines = [
        f"# Scan {report['name'] or report['scan_id']}",
        "",
        f"Outcome: **{report['outcome']}** · seed {report['seed']} · agent version {report['agent_version']}",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in _figures(report, results)),
        "",
        "## Failure clusters",
        "",
        "| cluster | kind | size | severity |",
        "|---|---|---|---|",
        *(
            f"| {_cell(one['name'])} | {one['kind']} | {one['size']} | {one['severity']} |"
            for one in [*report["clusters"], *report["patterns"]]
        ),
        "",
    ]
    return "\n".join(lines)


def as_html(report: Mapping[str, Any]) -> str:
    """The report as one plain page."""
    results: Mapping[str, Any] = report["results"]
    title = escape(f"Scan {report['name'] or report['scan_id']}")
    figures = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in _figures(report, results)
    )
    clusters = "".join(
        f"<tr><td>{escape(one['name'])}</td><td>{escape(one['kind'])}</td><td>{one['size']}</td>"
        f"<td>{escape(one['severity'])}</td></tr>"
        for one in [*report["clusters"], *report["patterns"]]
    )
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title></head><body>"
        f"<main><h1>{title}</h1><p>Outcome: {escape(str(report['outcome']))}</p>"
        f"<table><caption>Figures</caption><tbody>{figures}</tbody></table>"
        "<table><caption>Failure clusters</caption><thead><tr><th scope='col'>Cluster</th><th scope='col'>Kind</th>"
        f"<th scope='col'>Size</th><th scope='col'>Severity</th></tr></thead><tbody>{clusters}</tbody></table>"
        "</main></body></html>"
    )


def _figures(report: Mapping[str, Any], results: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("baseline on val", _rounded(results.get("baseline"))),
        ("best on val", _rounded(results.get("best"))),
        ("gain on val", _rounded(results.get("delta_val"))),
        ("candidates", results.get("candidates")),
        ("evaluations", report["cost"]["evaluations"]),
        ("change sets", ", ".join(results.get("changeset_ids", [])) or "none"),
        ("search time (s)", report["timings"].get("search_s")),
    ]


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
