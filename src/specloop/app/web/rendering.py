"""Templates to HTML: one Jinja2 environment, strict about missing names, escaping everything.

It knows how values read (figures, diffs, addresses of assets) and must not know services.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from specloop.app.web import assets, diff, figures, nav, plots
from specloop.app.web.recorded.words import plain
from specloop.app.web.shell import Shell

TEMPLATES: Final = Path(__file__).parent / "templates"
SCAN_PHASES: Final = ("observe", "detect", "cluster", "generate", "evaluate", "diagnose", "safety")


def page(template: str, shell: Shell, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, or a part of one, as a response that no cache keeps.

    Raises: jinja2.UndefinedError when the template uses a name that was not given.
    """
    html = environment().get_template(template).render(shell=shell, at=shell.base, **values)
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})


@cache
def environment() -> Environment:
    """The shared environment with the house's filters."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(_filters())
    names: dict[str, Any] = made.globals
    names.update(
        asset=assets.address, stages=nav.STAGES, home=nav.HOME, workspace_pages=nav.WORKSPACE, scan_phases=SCAN_PHASES
    )
    return made


def _filters() -> dict[str, Callable[..., Any]]:
    return {
        "ago": _ago,
        "as_text": diff.as_text,
        "as_time": figures.as_time,
        "count": figures.count,
        "duration": figures.duration,
        "exact": figures.exact,
        "initials": figures.initials,
        "money": figures.money,
        "number": figures.number,
        "percent": figures.percent,
        "plain": plain,
        "points": figures.points,
        "probability": figures.probability,
        "shape": figures.shape_of,
        "short_id": figures.short_id,
        "tone": figures.tone_of,
        "with_query": with_query,
        "words": figures.words,
        "rows_of_unified": diff.rows_of_unified,
        "rows_between": diff.rows_between,
        "lane": plots.lane,
    }


def _ago(moment: datetime) -> str:
    return figures.ago(moment, datetime.now(UTC))


def with_query(query: Mapping[str, str], **changes: Any) -> str:
    """`?a=1&b=2` of the present filters with some replaced; empty and None values fall away."""
    merged = {**query, **{name: str(value) for name, value in changes.items() if value not in (None, "", 0)}}
    for name, value in changes.items():
        if value in (None, "", 0):
            merged.pop(name, None)
    kept = {name: value for name, value in merged.items() if value}
    return f"?{urlencode(kept)}" if kept else "?"
