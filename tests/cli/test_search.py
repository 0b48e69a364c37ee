"""`specloop search` beside a started server."""

from __future__ import annotations

from pathlib import Path

from specloop.cli.search import highlighted
from tests.cli.conftest import Terminal
from tests.record.importers import stores


def test_sessions_are_found_shown_with_marks_and_printed_as_json(signed_in: Terminal, tmp_path: Path) -> None:
    stores.write_all(tmp_path)
    assert signed_in("sessions", "import", "--json").code == 0
    listed = signed_in("sessions", "list", "--json").document
    word = next(word for word in str(listed[0]["firstExchangeContent"]).split() if len(word) > 3 and word.isalpha())
    found = signed_in("search", word, "--facets", "--json").document
    assert found["total"] >= 1
    assert "\u0002" in found["hits"][0]["snippet"]
    assert sum(one["count"] for one in found["facets"]["agent"]) == found["total"]
    shown = signed_in("search", word, "--facets")
    assert shown.code == 0
    assert "\u0002" not in shown.out
    assert f"of {found['total']} sessions" in shown.out
    agent = found["hits"][0]["metadata"]["agentName"]
    assert signed_in("search", word, "--agent", agent, "--json").document["total"] >= 1
    assert signed_in("search", word, "--agent", "Nobody", "--json").document["total"] == 0
    assert "Nothing found" in signed_in("search", "nosuchwordanywhere").out
    assert signed_in("search", word, "--since", "soon").code == 2


def test_marks_become_a_style_and_nothing_in_a_snippet_steers_the_terminal() -> None:
    text = highlighted("a \u0002needle\u0003 b\x1b[31m \u0002two\u0003")
    assert text.plain == "a needle b[31m two"
    assert [(span.start, span.end) for span in text.spans if "bold" in str(span.style)][:1] == [(2, 8)]
