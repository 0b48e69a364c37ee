"""Laws of what the pages are drawn from: addresses, folds, charts, files, kept answers."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from specloop.app.web.analysed.columns import HEIGHT, columns_of
from specloop.app.web.analysed.period import DAYS_MAX, read_period
from specloop.app.web.analysed.sheets import Column, Sheet, as_csv
from specloop.app.web.traced.filters import NAMES, read
from specloop.app.web.traced.waterfall import lines_of, walk
from specloop.record.traces.kept import Kept
from specloop.record.traces.model import SpanNode, TraceDetail, build_tree
from tests.browser.catalogue_traces import span, summary

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()
SENSE = {"status": "error", "period": "7d", "from": "2026-11-01", "min_latency": "5000", "has_feedback": "true"}
TEXTS = st.text(max_size=30) | st.sampled_from(list(SENSE.values()))


@given(st.dictionaries(st.sampled_from([*NAMES, "other"]), TEXTS))
def test_every_address_of_the_list_is_read_and_what_is_kept_is_shown(query: dict[str, str]) -> None:
    asked = read(query, NOW, {})
    assert {one.name for one in asked.shown} == set(asked.query)
    assert set(asked.query) <= set(NAMES)
    assert read(asked.query, NOW, {}) == asked


def test_filters_that_make_sense_reach_the_reader() -> None:
    chosen = read({**SENSE, "tag": "beta", "q": "lost parcel"}, NOW, {}).chosen
    assert (chosen.status, chosen.tag, chosen.text, chosen.has_feedback) == ("error", "beta", "lost parcel", True)
    assert chosen.latency_ms_min == 5000
    assert chosen.start == datetime(2026, 11, 15, 12, tzinfo=UTC)  # the later of the two beginnings


@given(st.dictionaries(st.sampled_from(["days", "from", "to"]), st.text(max_size=12) | st.dates().map(str)))
def test_every_period_has_a_day_and_ends_today_at_the_latest(query: dict[str, str]) -> None:
    period = read_period(query, TODAY)
    assert 1 <= len(period.days) <= DAYS_MAX
    assert period.start < period.end
    assert period.last <= TODAY
    assert period.days[0] == period.first.isoformat()
    assert period.days[-1] == period.last.isoformat()


@given(st.sampled_from(["7", "30", "90"]), st.dates(date(2020, 1, 1), TODAY))
def test_a_period_in_an_address_comes_back_as_the_same_period(days: str, first: date) -> None:
    for query in ({"days": days}, {"from": first.isoformat(), "to": first.isoformat()}):
        period = read_period(query, TODAY)
        assert read_period(period.query, TODAY) == period


@given(st.lists(st.none() | st.floats(0, 1e12), max_size=40))
def test_every_column_of_a_chart_stands_inside_and_the_largest_is_the_highest(values: list[float | None]) -> None:
    chart = columns_of([(f"2026-01-{n:02}", value) for n, value in enumerate(values)], str, "x")
    assert len(chart.bars) == sum(bool(value) for value in values)
    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= 100.01
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT + 2
    assert all(0 <= y <= HEIGHT for y, _ in chart.lines)
    known = [value for value in values if value]
    if known:
        highest = min(range(len(known)), key=lambda n: (chart.bars[n].y, -known[n]))
        assert known[highest] == max(known)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=13))
def test_a_row_knows_how_many_rows_a_fold_hides(parents: list[int]) -> None:
    spans = [span(n, parents[n] if parents[n] < n else None, "step", n, 5) for n in range(len(parents))]
    detail = TraceDetail(summary(), build_tree(spans), is_truncated=False)
    nodes = [node for node, _ in walk(detail.roots)]
    rows = lines_of(detail)
    assert {row.span_id for row in rows} == {one.span_id for one in spans}
    assert [row.inner for row in rows] == [_below(node) for node in nodes]


def _below(node: SpanNode) -> int:
    return sum(1 + _below(child) for child in node.children)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)


@given(st.lists(st.tuples(CELLS, st.none() | st.integers(0, 10**12))))
def test_a_csv_file_has_every_row_and_nothing_that_a_spreadsheet_runs(rows: list[tuple[str, int | None]]) -> None:
    sheet = Sheet("x", "X", (Column("name", "Name", "text"), Column("cost_usd", "Cost", "money")), rows)
    read_back = list(csv.reader(io.StringIO(as_csv(sheet).decode(), newline="")))
    assert read_back[0] == ["name", "cost_usd"]
    assert len(read_back) == len(rows) + 1
    for (name, cost), (text, money) in zip(rows, read_back[1:], strict=True):
        assert text.removeprefix("'") == name.removeprefix("'") or text == name
        assert not text.startswith(("=", "+", "-", "@", "\t"))
        assert money == ("" if cost is None else f"{cost / 1_000_000:.6f}")


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.integers())))
def test_a_kept_answer_is_the_last_one_under_its_mark(steps: list[tuple[int, str, int]]) -> None:
    kept: Kept[int] = Kept(3)
    last: dict[int, Any] = {}
    for key, mark, value in steps:
        kept.put(key, mark, value)
        last[key] = (mark, value)
        assert kept.get(key, mark) == value
        assert kept.get(key, "other") is None
    assert sum(kept.get(key, mark) is not None for key, (mark, _) in last.items()) == min(3, len(last))
