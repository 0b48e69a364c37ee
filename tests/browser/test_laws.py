"""Laws of what the pages are drawn from: diffs hold both sides, plots stay inside, addresses stay here."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from specloop.app.web import diff, figures
from specloop.app.web.evidence import wilson
from specloop.app.web.frame import local_path
from specloop.app.web.home import folded
from specloop.app.web.plots import Interval, interval_plot, lane
from specloop.app.web.rendering import with_query

LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])), max_size=12)
SHARES = st.floats(0, 1)


@given(LINES, LINES)
def test_the_rows_of_a_diff_hold_both_texts(before: list[str], after: list[str]) -> None:
    rows = diff.rows_between("\n".join(before), "\n".join(after), context=10_000)
    if not rows:
        assert "\n".join(before).splitlines() == "\n".join(after).splitlines()
        return
    texts = [(row.kind, "".join(piece.text for piece in row.pieces)) for row in rows if row.kind != "gap"]
    assert [text for kind, text in texts if kind != "add"] == "\n".join(before).splitlines()
    assert [text for kind, text in texts if kind != "del"] == "\n".join(after).splitlines()


@given(LINES, LINES)
def test_line_numbers_of_a_diff_rise_on_both_sides(before: list[str], after: list[str]) -> None:
    rows = diff.rows_between("\n".join(before), "\n".join(after))
    for numbers in ([row.old for row in rows if row.old], [row.new for row in rows if row.new]):
        assert numbers == sorted(set(numbers))


@given(st.lists(st.tuples(SHARES, SHARES, SHARES).map(sorted), min_size=1, max_size=5), st.none() | SHARES)
@example(rows=[[0.0, 0.0, 5e-324]], goal=None)
@example(rows=[[0.0, 1e-299, 2e-299]], goal=None)
def test_every_mark_of_a_plot_lies_inside_and_keeps_its_order(rows: list[list[float]], goal: float | None) -> None:
    plot = interval_plot([Interval("x", point, low, high, "after") for low, point, high in rows], zero=0.0, goal=goal)
    for mark in plot.marks:
        assert 0 <= mark.x_low <= mark.x <= mark.x_high <= 100
    assert all(0 <= tick.x <= 100 for tick in plot.ticks)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_lane_is_visible_and_inside_its_trace(start: float, took: float, whole: float) -> None:
    bar = lane(start, start + took, 0, whole)
    assert 0 <= bar.x <= 100
    assert bar.width >= 0.5
    assert bar.x + bar.width <= 100.01


@given(SHARES, st.integers(1, 10_000))
def test_wilsons_interval_holds_the_share(share: float, n: int) -> None:
    low, high = wilson(share, n)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


STARTS = st.sampled_from(["", "/", "//", "///", "/\\", "\\\\", "https://", "\t//", "/\t/", "javascript:"])


@given(st.builds(str.__add__, STARTS, st.text("/\\.:@ae ") | st.text()))
def test_no_wanted_address_leads_to_another_host(wanted: str) -> None:
    target = urlsplit(local_path(wanted))
    assert target.scheme == ""
    assert target.netloc == ""
    assert target.path.startswith("/")


@given(st.lists(st.sampled_from("abc"), max_size=8))
def test_folding_repeats_loses_no_act(kinds: list[str]) -> None:
    lines = folded([{"text": kind, "actor": "", "href": ""} for kind in kinds])
    assert sum(line["times"] for line in lines) == len(kinds)
    assert all(one["text"] != other["text"] for one, other in pairwise(lines))


@given(st.floats(1e-300, 1))
def test_probabilities_read_as_what_they_are(value: float) -> None:
    shown = float(figures.probability(value).lstrip("<"))
    assert abs(shown - value) <= max(0.06 * value, 5.1e-4 if value >= 1e-3 else 0)


@given(st.dictionaries(st.sampled_from(["status", "agent_id"]), st.text(min_size=1)), st.integers(1, 500))
def test_turning_a_page_keeps_the_filters(query: dict[str, str], offset: int) -> None:
    address = with_query(query, offset=offset)
    assert address.startswith("?")
    assert f"offset={offset}" in address
    assert address.count("=") == len(query) + 1
