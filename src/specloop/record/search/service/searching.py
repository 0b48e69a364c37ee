"""The search itself: which sessions match, in what order, and one page of them with snippets.

The index answers with keys of exchanges of everybody; nothing is looked at before they are limited to the caller's own
sessions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from specloop.db.context import Context
from specloop.record.search.keys import Keys, number_of, order_of
from specloop.record.search.model import (
    Hit,
    MatchedExchange,
    SearchAnswer,
    SearchMode,
    SearchRequest,
    SearchSort,
)
from specloop.record.search.query import Query, Term, parse_query
from specloop.record.search.ranking import Matches, by_score, distinct_numbers, fuse, within
from specloop.record.search.repository import exchanges, sessions, text_index
from specloop.record.search.repository.exchanges import PackedText, Place
from specloop.record.search.service.meaning import ExchangeMeaning
from specloop.record.search.snippets import make_snippet
from specloop.record.sessions import SessionFilters

SCORED_MAX: Final = 2_000
"""When more exchanges match, the newest so many are scored, by whole words only; the rest follow by age."""
FUSED_MAX: Final = 200
MEANING_WEIGHT: Final = 0.5
"""Measured on the judged questions, where all-words hits as a third ranking only took away."""
THREAD_FROM: Final = 50


@dataclass(frozen=True, slots=True)
class Found:
    """Every session that matches, in order, with scores of exchanges and of sessions where they are known."""

    order: Sequence[int]
    matches: Matches
    scores: Mapping[int, float] = field(default_factory=dict[int, float])
    ranks: Mapping[int, float] = field(default_factory=dict[int, float])
    nearest: Mapping[int, int] = field(default_factory=dict[int, int])


class SearchService:
    """Searches the caller's sessions."""

    def __init__(self, meaning: ExchangeMeaning) -> None:
        self._meaning = meaning

    async def search(self, ctx: Context, request: SearchRequest) -> SearchAnswer:
        """One page of hits, the number of all and, when asked for, their facets.

        A query without words lists what the filters leave, newest first; without filters too it finds nothing.
        """
        query = parse_query(request.query)
        if not query.terms and query == Query() and request.filters == SessionFilters():
            return SearchAnswer()
        keys = await text_index(ctx).matching(ctx, query.terms) if query.terms else None
        among = None if keys is None or request.mode is SearchMode.HYBRID else distinct_numbers(keys)
        newest = await sessions.newest_first(ctx, request.filters, query, among)
        found = await self._find(ctx, request, query, newest, keys)
        end = None if request.limit is None else request.offset + request.limit
        hits = await self._hits(ctx, found, found.order[request.offset : end], query.terms, request)
        if not request.has_facets:
            return SearchAnswer(hits, len(found.order))
        return SearchAnswer(hits, len(found.order), await sessions.facets(ctx, found.order))

    async def _find(self, ctx: Context, request: SearchRequest, query: Query, newest: Keys, keys: Keys | None) -> Found:
        if keys is None or not newest.size:
            return Found(newest.tolist(), Matches(newest[:0], newest))
        matches = within(keys, newest)
        if request.mode is SearchMode.HYBRID:
            return await self._find_by_meaning(ctx, request, query, newest, matches)
        if request.sort is SearchSort.RECENT or not matches.keys.size:
            return Found(matches.sessions.tolist(), matches)
        scores = await _scores(ctx, query.terms, matches)
        order, ranks = by_score(matches, scores)
        numbers: list[int] = order.tolist()
        return Found(numbers, matches, scores, dict(zip(numbers, ranks.tolist(), strict=True)))

    async def _find_by_meaning(
        self, ctx: Context, request: SearchRequest, query: Query, newest: Keys, matches: Matches
    ) -> Found:
        """Two rankings as one: any of the words, and meaning; what has all words but is in neither comes after."""
        scores = await _scores(ctx, query.terms, matches) if matches.keys.size else dict[int, float]()
        strict: list[int] = by_score(matches, scores)[0].tolist()
        allowed = frozenset[int](newest.tolist())
        loose = await text_index(ctx).any_scores(ctx, query.terms, FUSED_MAX)
        near = await self._meaning.nearest(ctx, request.query)
        ranks = fuse([(1.0, _sessions_of(loose, allowed)), (MEANING_WEIGHT, _sessions_of(near, allowed))])
        order = [*ranks, *(number for number in strict if number not in ranks)]
        if request.sort is SearchSort.RECENT:
            wanted = frozenset(order)
            order = [number for number in newest.tolist() if number in wanted]
        nearest: dict[int, int] = {}
        for key in (*near, *loose):
            nearest.setdefault(number_of(key), key)
        return Found(order, matches, {**near, **loose, **scores}, ranks, nearest)

    async def _hits(
        self, ctx: Context, found: Found, numbers: Sequence[int], terms: Sequence[Term], request: SearchRequest
    ) -> list[Hit]:
        keys = {number: _keys_of(found, number)[: request.exchanges_max] for number in numbers}
        places = await exchanges.places(ctx, keys)
        ids = {number: places[some[0]].session_id for number, some in keys.items() if some and some[0] in places}
        if bare := [number for number, some in keys.items() if not some]:
            ids |= await sessions.session_ids(ctx, bare)
        known = await sessions.load(ctx, list(ids.values()))
        snippets = await _snippets(places.values(), terms)
        return [
            Hit(
                session=known[ids[number]],
                exchanges=[
                    MatchedExchange(places[key].exchange_id, order_of(key), found.scores.get(key, 0.0))
                    for key in some
                    if key in places
                ],
                snippet=snippets.get(ids[number], ""),
                rank=found.ranks.get(number, 0.0),
            )
            for number, some in keys.items()
            if ids.get(number) in known
        ]


async def _snippets(places: Iterable[Place], terms: Sequence[Term]) -> dict[str, str]:
    """By session, of those places that come with their text."""
    packed = {place.session_id: place.packed for place in places if place.packed is not None}
    if len(packed) < THREAD_FROM:
        return _make_snippets(packed, terms)
    return await asyncio.to_thread(_make_snippets, packed, terms)


async def _scores(ctx: Context, terms: Sequence[Term], matches: Matches) -> Mapping[int, float]:
    """Of the matched exchanges. What begins with a letter or two says little about an exchange and takes long."""
    terms = [term for term in terms if not term.is_short] or terms
    is_many = matches.keys.size > SCORED_MAX
    floor = int(matches.keys[-SCORED_MAX] if is_many else matches.keys[0])
    return await text_index(ctx).scores(ctx, terms, floor, is_whole=is_many)


def _keys_of(found: Found, number: int) -> list[int]:
    matched = found.matches.keys_of(number)
    return matched or ([found.nearest[number]] if number in found.nearest else [])


def _sessions_of(scores: Mapping[int, float], allowed: frozenset[int]) -> list[int]:
    """Sessions in the order of their best exchange."""
    ranked = sorted(scores, key=lambda key: -scores[key])
    return [number for number in dict.fromkeys(map(number_of, ranked)) if number in allowed]


def _make_snippets(packed: Mapping[str, PackedText], terms: Sequence[Term]) -> dict[str, str]:
    return {session_id: make_snippet(one.text(), terms) for session_id, one in packed.items()}
