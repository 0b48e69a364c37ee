"""Markdown of people and agents to HTML that cannot run: the reader's first wall, with a sanitizer as the second.

HTML in the source is text. Images are links, for a page asks no other server. Links lead only to the web or to mail;
what names a file stays a name. Headings are no headings of the page. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from itertools import pairwise
from typing import Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from specloop.app.web import diff
from specloop.app.web.recorded.highlight import highlighted
from specloop.app.web.recorded.words import plain

TEXT_MAX: Final = 120_000
"""Longer texts are shown as they are: markdown of that length is a pasted file."""
DIFF_ROWS_MAX: Final = 400
_WEB: Final = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_TASK: Final = re.compile(r"\[([ xX✓⚡~])\]\s")
_BOXES: Final = {" ": "☐", "⚡": "◐", "~": "◐"}
_TAGS: Final = {
    "a", "blockquote", "br", "code", "del", "div", "em", "hr", "ins", "li", "ol", "p", "pre", "s", "span", "strong",
    "table", "tbody", "td", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {"*": {"class"}, "a": {"href", "title"}, "ol": {"start"}, "span": {"title"}, "td": {"colspan"}}
_SCHEMES: Final = {"http", "https", "mailto"}


def to_html(text: str) -> Markup:
    """`text` as HTML."""
    text = plain(text)
    if len(text) > TEXT_MAX:
        return Markup(f'<pre class="plain-text">{escape(text)}</pre>')  # noqa: S704  # escaped  # nosec B704
    return clean(_parser().render(text))


def clean(html: str) -> Markup:
    """The second wall: only the tags that this module writes, no scripts, no styles, no foreign schemes."""
    safe = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        clean_content_tags={"script", "style"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(safe)  # noqa: S704  # sanitized one line above  # nosec B704


def code_html(code: str, language: str) -> Markup:
    """A block of code as HTML."""
    body = highlighted(code, language)
    return Markup(f'<pre class="code"><code>{body}</code></pre>')  # noqa: S704  # escaped by the highlighter  # nosec B704


def diff_html(rows: Sequence[diff.Row]) -> str:
    """A unified diff as a table; the sign says what the colour says."""
    lines = "".join(_diff_row(row) for row in rows[:DIFF_ROWS_MAX])
    left = len(rows) - DIFF_ROWS_MAX
    more = f'<tr class="gap"><td class="no" colspan="4">{left} more lines</td></tr>' if left > 0 else ""
    return f'<table class="diff"><tbody>{lines}{more}</tbody></table>'


def _diff_row(row: diff.Row) -> str:
    if row.kind == "gap":
        return f'<tr class="gap"><td class="no" colspan="4">⋯ {escape(row.pieces[0].text)}</td></tr>'
    tag = {"add": "ins", "del": "del"}.get(row.kind, "span")
    pieces = "".join(
        f"<{tag}>{escape(piece.text)}</{tag}>" if piece.changed else escape(piece.text) for piece in row.pieces
    )
    return (
        f'<tr class="{row.kind}"><td class="no">{row.old or ""}</td><td class="no">{row.new or ""}</td>'
        f'<td class="sign">{row.sign}</td><td class="line">{pieces}</td></tr>'
    )


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 20})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: True  # `_open_link` decides; a refused link would show its markup
    for name, rule in _RULES.items():
        parser.add_render_rule(name, rule)
    parser.core.ruler.push("tasks", _mark_tasks)
    return parser


def _mark_tasks(state: Any) -> None:
    """`- [ ]` and its like as boxes."""
    tokens: list[Token] = state.tokens
    for before, token in pairwise(tokens):
        children = token.children or []
        if before.type != "paragraph_open" or token.type != "inline" or not children or children[0].type != "text":
            continue
        box = _TASK.match(children[0].content)
        if box:
            children[0].content = f"{_BOXES.get(box[1], '☑')} {children[0].content[box.end() :]}"


def _open_link(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    address = str(tokens[index].attrGet("href") or "")
    is_web = _WEB.match(address) is not None
    env.setdefault("links", []).append(is_web)
    quoted = escape(address)
    return f'<a href="{quoted}">' if is_web else f'<span class="names" title="{quoted}">'


def _close_link(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    opened: list[bool] = env.get("links") or [True]
    return "</a>" if opened.pop() else "</span>"


def _image(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    address = str(token.attrGet("src") or "")
    name = escape(token.content or "image")
    if _WEB.match(address):
        return f'<a href="{escape(address)}">▣ {name}</a>'
    return f'<span class="names">▣ {name}</span>'


def _fence(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    language = token.info.strip().partition(" ")[0]
    if language in {"diff", "patch"}:
        return diff_html(diff.rows_of_unified(token.content))
    return f'<pre class="code"><code>{highlighted(token.content, language)}</code></pre>'


def _heading(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    return f'<p class="heading level-{token.tag[1:]}"><strong>' if token.nesting == 1 else "</strong></p>"


def _cell(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """Header cells are cells: an empty one would be a header without a name."""
    token = tokens[index]
    kind = ' class="head"' if token.tag == "th" else ""
    return f"<td{kind}>" if token.nesting == 1 else "</td>"


_RULES: Final[dict[str, Any]] = {
    "link_open": _open_link,
    "link_close": _close_link,
    "image": _image,
    "fence": _fence,
    "code_block": _fence,
    "heading_open": _heading,
    "heading_close": _heading,
    "th_open": _cell,
    "th_close": _cell,
    "td_open": _cell,
    "td_close": _cell,
}
