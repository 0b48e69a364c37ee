"""Laws of what stored text becomes: nothing runs, nothing is loaded, nothing is lost, whatever it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from specloop.app.web.recorded.highlight import highlighted
from specloop.app.web.recorded.listing import pieces_of
from specloop.app.web.recorded.markup import clean, to_html
from specloop.app.web.recorded.words import one_line, plain, squeezed
from specloop.record.search import MATCH_END, MATCH_START

TAGS = {
    *("a", "blockquote", "br", "code", "del", "div", "em", "hr", "ins", "li", "ol", "p", "pre", "s", "span", "strong"),
    *("table", "tbody", "td", "thead", "tr", "ul"),
}
ATTRIBUTES = {"class", "href", "title", "rel", "start", "colspan"}
DANGERS = st.sampled_from(
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](  jAvAsCrIpT\u0000:alert(1))",
        "![x](data:image/svg+xml;base64,AAAA)",
        "![x](https://evil.example/pixel.png)",
        '<https://a.example/"onmouseover=alert(1)>',
        '[x](<javascript:alert(1)> "t" onclick=1)',
        "</details></div></pre></code>",
        "<!-- -->",
        "<svg onload=alert(1)>",
        "```html\n<script>\n```",
        '```"><script>alert(1)</script>\nx\n```',
        "[x][y]\n\n[y]: javascript:alert(1)",
        "\u202e\u2066\u200f",
        "\x1b[31mred\x1b[0m",
        "&lt;script&gt; &#106;avascript:",
        "# h <b>\n",
        "| <i> | |\n|-|-|\n| [x](data:text/html,1) | |\n",
        "- [ ] <u>\n",
        "<style>*{}</style>",
    ]
)
TEXT = st.lists(DANGERS | st.text(max_size=30) | st.sampled_from(["\n", "\n\n", "`", "    ", "> ", "* "])).map("".join)


class Reader(HTMLParser):
    """Notes every tag and attribute as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Keeps what was opened."""
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


@given(TEXT)
def test_no_text_becomes_anything_that_runs_or_loads(text: str) -> None:
    reader = Reader()
    reader.feed(str(to_html(text)))
    assert reader.tags <= TAGS
    assert {name for name, _ in reader.attributes} <= ATTRIBUTES
    for name, value in reader.attributes:
        assert name != "href" or re.match(r"https?://|mailto:", value, re.IGNORECASE)


@given(TEXT)
def test_the_second_wall_alone_lets_nothing_run(text: str) -> None:
    reader = Reader()
    reader.feed(str(clean(text)))
    assert reader.tags <= TAGS
    assert {name for name, _ in reader.attributes} <= ATTRIBUTES


@given(st.text(), st.sampled_from(["python", "go", "html", "json", "nonsense", "", "bash", "../../etc", "text"]))
def test_highlighting_keeps_every_character_of_code(code: str, language: str) -> None:
    class Text(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += data

    reader = Text(convert_charrefs=True)
    code = plain(code)
    reader.feed(highlighted(code, language))
    reader.close()
    assert reader.text.rstrip("\n") == code.replace("\r", "\n").rstrip("\n")


@given(st.text(st.characters(codec="utf-8")))
def test_shown_text_has_no_characters_that_hide_or_turn(text: str) -> None:
    shown = plain(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert plain(shown) == shown
    for line in (one_line(text, 40), squeezed(text, 40)):
        assert "\n" not in line
        assert len(line) <= 41


def test_half_characters_can_be_sent() -> None:
    assert str(to_html("a \ud83d b")).encode() == "<p>a \ufffd b</p>\n".encode()


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), st.booleans())))
def test_a_snippet_is_cut_where_its_marks_are(pieces: list[tuple[str, bool]]) -> None:
    text = "".join(f"{MATCH_START}{one}{MATCH_END}" if is_match else one for one, is_match in pieces)
    shown = pieces_of(text)
    assert "".join(one for one, _ in shown) == plain("".join(one for one, _ in pieces)) or any(
        plain(one) != one for one, _ in pieces
    )
    assert sum(is_match for _, is_match in shown) == sum(bool(one) and is_match for one, is_match in pieces)
