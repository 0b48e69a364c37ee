"""Pages add up, in every order, and say truly how much there is (specstory.md §2.2)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from specloop.app.graphql import paging
from tests.record.graphql.world import Shelf

COUNT = 11
PAGE = """
query($limit: Int, $offset: Int, $order: SessionOrder) {
  sessions(limit: $limit, offset: $offset, order: $order) {
    total hasNextPage hasPreviousPage sessions { id name }
  }
}
"""
RELAY = """
query($first: Int, $after: String) {
  sessions(first: $first, after: $after) {
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } }
  }
}
"""


async def record(shelf: Shelf) -> None:
    """Sessions that were all made at the same moment, of a few sizes."""
    for number in range(COUNT):
        await shelf.put(f"s{number:02}", "the same words", markdown="x" * (number % 3 + 1))


@pytest.mark.parametrize("order", ["CREATED_AT_DESC", "MARKDOWN_SIZE_ASC", "NAME_DESC", "STARTED_AT_ASC"])
async def test_pages_add_up_to_the_whole_without_gap_or_repetition(shelf: Shelf, order: str) -> None:
    await record(shelf)
    whole = (await shelf.ask(PAGE, {"order": order}))["sessions"]["sessions"]
    assert len(whole) == COUNT
    for size in (1, 4, COUNT, COUNT + 1):
        found: list[Any] = []
        for offset in range(0, COUNT, size):
            page = (await shelf.ask(PAGE, {"order": order, "limit": size, "offset": offset}))["sessions"]
            assert page["total"] == COUNT
            assert page["hasPreviousPage"] is (offset > 0)
            assert page["hasNextPage"] is (offset + size < COUNT)
            found += page["sessions"]
        assert found == whole


async def test_relays_cursors_lead_through_the_same_list(shelf: Shelf) -> None:
    await record(shelf)
    whole = [one["id"] for one in (await shelf.ask(PAGE))["sessions"]["sessions"]]
    found, after = list[str](), None
    while True:
        page = (await shelf.ask(RELAY, {"first": 4, "after": after}))["sessions"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == whole


async def test_the_defaults_are_the_contracts(shelf: Shelf) -> None:
    await shelf.put("first")
    shelf.program.clock.advance(60)
    await shelf.put("second")
    explicit = '{ sessions(limit: 200, offset: 0, orderBy: "createdAt", orderDirection: "desc") { sessions { name } } }'
    assert await shelf.ask("{ sessions { sessions { name } } }") == await shelf.ask(explicit)
    names = (await shelf.ask(explicit))["sessions"]["sessions"]
    assert [one["name"] for one in names] == ["name of second", "name of first"]


async def test_order_by_understands_both_spellings(shelf: Shelf) -> None:
    await record(shelf)
    query = "query($by: String, $way: String) { sessions(orderBy: $by, orderDirection: $way) { sessions { name } } }"
    for by, way in (("name", "asc"), ("name", "ASC"), ("NAME_ASC", "desc")):
        found = (await shelf.ask(query, {"by": by, "way": way}))["sessions"]["sessions"]
        assert [one["name"] for one in found] == [f"name of s{number:02}" for number in range(COUNT)]


async def test_a_list_with_words_pages_like_any_other(shelf: Shelf) -> None:
    await record(shelf)
    query = """
    query($offset: Int) {
      sessions(filters: {searchText: "same words"}, limit: 4, offset: $offset, order: NAME_ASC) {
        total hasNextPage sessions { name }
      }
    }
    """
    found: list[str] = []
    for offset in (0, 4, 8):
        page = (await shelf.ask(query, {"offset": offset}))["sessions"]
        assert (page["total"], page["hasNextPage"]) == (COUNT, offset < 8)
        found += [one["name"] for one in page["sessions"]]
    assert found == [f"name of s{number:02}" for number in range(COUNT)]


async def test_pages_of_a_search_add_up_and_ranks_fall(shelf: Shelf) -> None:
    for number in range(COUNT):
        await shelf.put(f"s{number:02}", "needle " * (number + 1) + "hay " * 50)
    query = """
    query($page: Int) { searchSessions(query: "needle", limit: 3, page: $page) { total results { id rank } } }
    """
    found: list[Any] = []
    for page in (1, 2, 3, 4):
        part = (await shelf.ask(query, {"page": page}))["searchSessions"]
        assert part["total"] == COUNT
        found += part["results"]
    assert len({one["id"] for one in found}) == COUNT
    assert all(better["rank"] >= worse["rank"] for better, worse in pairwise(found))
    assert found[0]["rank"] > found[-1]["rank"]
    beyond = (await shelf.ask(query, {"page": 5}))["searchSessions"]
    assert (beyond["total"], beyond["results"]) == (COUNT, [])


async def test_more_than_a_page_may_have_is_cut_and_the_page_says_what_follows(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(shelf)
    monkeypatch.setattr(paging, "LIMIT_MAX", 5)
    query = """
    query($n: Int, $page: Int) {
      sessions(limit: $n) { total hasNextPage pageInfo { endCursor } sessions { id } }
      first: sessions(first: $n) { edges { node { id } } }
      projects { sessions(limit: $n) { total hasNextPage sessions { id } } }
      searchSessions(query: "words", limit: $n, page: $page) { total results { id } }
      stats { topLLMModels(limit: $n) { model } }
      session(id: "s00") { relatedSessions(limit: $n) { id } }
    }
    """
    found = await shelf.ask(query, {"n": 501, "page": 1})
    for page in (found["sessions"], found["projects"][0]["sessions"]):
        assert (page["total"], page["hasNextPage"], len(page["sessions"])) == (COUNT, True, 5)
    assert len(found["first"]["edges"]) == 5
    assert found["sessions"]["pageInfo"]["endCursor"] == paging.cursor_of(5)
    assert (found["searchSessions"]["total"], len(found["searchSessions"]["results"])) == (COUNT, 5)
    third = (await shelf.ask(query, {"n": 501, "page": 3}))["searchSessions"]["results"]
    assert len(third) == COUNT - 10


async def test_a_blank_cursor_is_the_start(shelf: Shelf) -> None:
    await record(shelf)
    assert await shelf.ask(RELAY, {"first": 3, "after": ""}) == await shelf.ask(RELAY, {"first": 3})


async def test_a_hit_names_hundreds_of_matching_exchanges(shelf: Shelf) -> None:
    await shelf.put("long", *(f"needle {number}" for number in range(60)))
    query = '{ searchSessions(query: "needle") { results { snippet ...F } } } fragment F on SearchResultItem { '
    found = (await shelf.ask(query + "matchingExchanges { orderNumber } }"))["searchSessions"]["results"][0]
    assert [one["orderNumber"] for one in found["matchingExchanges"]] == list(range(60))
    bare = (await shelf.ask(query + "name }"))["searchSessions"]["results"][0]
    assert bare["snippet"] == found["snippet"] != ""


@pytest.mark.parametrize(
    "arguments",
    ['after: "nonsense"', 'after: "YWZ0ZXI6eA=="', "limit: 1, first: 1", 'offset: 1, after: "YWZ0ZXI6MQ=="',
     'orderBy: "colour"', 'orderDirection: "sideways"'],
)  # fmt: skip
async def test_arguments_that_contradict_themselves_are_validation_errors(shelf: Shelf, arguments: str) -> None:
    answer = await shelf.send(f"{{ sessions({arguments}) {{ total }} }}")
    assert answer.json()["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"


async def test_an_empty_page_has_no_cursors(shelf: Shelf) -> None:
    page = (await shelf.ask(RELAY, {"first": 0}))["sessions"]
    assert page["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
