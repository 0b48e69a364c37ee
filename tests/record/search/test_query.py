"""The query language, and the laws that snippets keep."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specloop.record.search import MATCH_END, MATCH_START, Query, Term, make_snippet, parse_query
from specloop.record.search.query import PARTS_MAX, TERMS_MAX, VALUES_MAX, is_too_short
from specloop.record.search.repository.postgresql import vectors
from specloop.record.search.snippets import find_matches
from specloop.record.search.words import WORD_LENGTH_MAX, cut, spans

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200)
WORDS = st.text(alphabet="abcdefghijklmnop0123456789é数", min_size=1, max_size=8)


def words(*parts: str, exact: bool = False) -> Term:
    """A term."""
    return Term(parts, not exact)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Hello World", [words("hello"), words("world")]),
        ("foo-bar.baz qux", [words("foo", "bar", "baz"), words("qux")]),
        ('"exact phrase" rest', [words("exact", "phrase", exact=True), words("rest")]),
        ('"open phra', [words("open", "phra")]),
        ('say"hi"', [words("say"), words("hi", exact=True)]),
        ("snake_case", [words("snake", "case")]),
        ("twice twice", [words("twice")]),
        ("Café ÅNGSTRÖM", [words("cafe"), words("angstrom")]),
        ("数据 db", [words("数", "据"), words("db")]),
        ("--- ... 🎉", []),
        ("http://example.org/x", [words("http", "example", "org", "x")]),
        ("agent: has:nothing after:soon", [words("agent"), words("has", "nothing"), words("after", "soon")]),
        ('color:red tag:""', [words("color", "red"), words("tag")]),
        ('"agent:claude"', [words("agent", "claude", exact=True)]),
    ],
)
def test_words_and_phrases(text: str, terms: list[Term]) -> None:
    assert parse_query(text) == Query(terms=tuple(terms))


def test_filters_are_taken_out_of_the_words() -> None:
    query = parse_query(
        'fix agent:"Claude Code" Project:web file:src/a.py after:2026-02 before:2026-03-05 has:error tag:x tag:y'
    )
    assert query == Query(
        terms=(words("fix"),),
        agents=("Claude Code",),
        projects=("web",),
        files=("src/a.py",),
        tags=("x", "y"),
        after=datetime(2026, 2, 1, tzinfo=UTC),
        before=datetime(2026, 3, 5, tzinfo=UTC),
        has_error=True,
    )


@pytest.mark.parametrize("value", ["2026-13", "2026-02-30", "0000-01-01", "0001-01-01T00:00:00+14:00", "now", "1"])
def test_times_that_make_no_sense_are_words(value: str) -> None:
    query = parse_query(f"after:{value}")
    assert query.after is None
    assert query.terms[0].parts[0] == "after"


@given(st.text(max_size=400) | st.from_regex(r'([a-z]+:"?|[a-z]{1,3}[-"\x00 *()|&!<>^%_]){0,60}', fullmatch=True))
@example('"' * 500)
@example("a " * 50_000)
@example('agent:"' * 2_000)
def test_any_text_is_a_query_of_bounded_size(text: str) -> None:
    query = parse_query(text)
    assert len(query.terms) <= TERMS_MAX
    for term in query.terms:
        assert 1 <= len(term.parts) <= PARTS_MAX
        assert all(part and len(part) <= WORD_LENGTH_MAX for part in term.parts)
        assert all(one.isalnum() for part in term.parts for one in part if one.isascii())
    values = (query.agents, query.projects, query.models, query.branches, query.tags, query.files, query.tools)
    assert all(len(some) <= VALUES_MAX for some in values)
    for value in (value for some in values for value in some):
        value.encode()
        assert "\x00" not in value


@given(TEXTS)
def test_words_and_their_places_agree(text: str) -> None:
    found = list(spans(text))
    assert [span.word for span in found] == cut(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert "".join(one.word for one in found) == "".join(cut(text[a.start : a.end])[0] for a in found)


@given(TEXTS, st.lists(WORDS, min_size=1, max_size=3))
def test_the_two_ways_to_find_matches_agree(text: str, typed: list[str]) -> None:
    terms = parse_query(" ".join(typed)).terms
    plain = text.encode("ascii", "replace").decode()
    # One letter beyond ASCII sends the text the other way; it stands alone, so it changes nothing else.
    assert list(find_matches(plain, terms)) == [
        place for place in find_matches(f"{plain} \u00e6", terms) if place[1] <= len(plain)
    ]


@given(
    st.lists(WORDS, max_size=40), st.lists(WORDS, max_size=40), st.lists(WORDS, min_size=1, max_size=4), st.booleans()
)
def test_a_phrase_is_marked_where_it_stands(
    before: list[str], after: list[str], phrase: list[str], is_exact: bool
) -> None:
    text = " ".join([*before, *phrase, *after])
    terms = parse_query(f'"{" ".join(phrase)}' + ('"' if is_exact else "")).terms
    snippet = make_snippet(text, terms)
    assert snippet.count(MATCH_START) == snippet.count(MATCH_END) >= 1
    marked = snippet.partition(MATCH_START)[2].partition(MATCH_END)[0]
    assert cut(marked)[: len(cut(" ".join(phrase))) - 1] == cut(" ".join(phrase))[:-1]


@given(TEXTS, TEXTS)
def test_marks_are_balanced_and_nothing_else_is_a_control_character(text: str, typed: str) -> None:
    snippet = make_snippet(text, parse_query(typed).terms)
    depth = 0
    for one in snippet:
        depth += (one == MATCH_START) - (one == MATCH_END)
        assert depth in {0, 1}
        assert one in {MATCH_START, MATCH_END} or one >= " "
    assert depth == 0


def test_a_snippet_has_eight_to_eighteen_words_around_the_first_match() -> None:
    text = " ".join(f"w{index}" for index in range(200))
    snippet = make_snippet(text.replace("w100", "needle"), parse_query("needle").terms)
    assert 8 <= len(snippet.split()) <= 18
    assert "w99 \u0002needle\u0003 w101" in snippet
    assert len(make_snippet("x" * 9_000 + " needle", parse_query("needle").terms)) < 400


@given(st.lists(WORDS, max_size=60))
def test_long_exchanges_lose_no_word_between_vectors(some: list[str]) -> None:
    repeated = cut(" ".join(some)) * 40
    joined = {word for vector in vectors(repeated) for word in (one.split(":")[0].strip("'") for one in vector.split())}
    assert joined == set(repeated)
    for vector in vectors(repeated):
        for one in vector.split():
            assert one.count(",") < 255


def test_queries_need_two_letters_or_digits() -> None:
    assert [is_too_short(text) for text in ("", "a", "-a-", "🎉🎉", "ab", "a b", "数据")] == [True] * 4 + [False] * 3
