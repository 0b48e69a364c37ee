"""The list of sessions through the front door: search, facets, order, pages; the address carries all of it."""

from __future__ import annotations

import re
import uuid

import pytest

from tests.interaction.browsing import Browser
from tests.interaction.tenant import Tenant
from tests.record.pages.recordings import PROJECT, record

TITLE = re.compile(r'class="hit-title"[^>]*>([^<]+)</a>')


def many(person: Tenant, count: int) -> None:
    """Several sessions."""
    for number in range(count):
        record(person, session=str(uuid.uuid4()), title=f"Session {number}")


def test_an_empty_list_says_what_it_is_and_the_one_command(browser: Browser, sessions_page: str) -> None:
    page = browser.see(sessions_page)
    assert "No sessions recorded yet" in page
    assert "specloop sessions import" in page


def test_words_are_found_marked_and_lead_to_their_exchange(
    browser: Browser, person: Tenant, sessions_page: str
) -> None:
    address = record(person, ("Teach the parser brackets", "Now measure the zeppelin"))
    page = browser.see(f"{sessions_page}?q=zeppelin")
    assert "<mark>zeppelin</mark>" in page
    assert f'href="{address}?from=2#e2"' in page
    assert "No session matches" in browser.see(f"{sessions_page}?q=submarine")


def test_facets_count_and_narrow(browser: Browser, person: Tenant, sessions_page: str) -> None:
    record(person, title="Red", session=str(uuid.uuid4()), machineName="red")
    record(person, title="Blue", session=str(uuid.uuid4()), machineName="blue")
    page = browser.see(sessions_page)
    assert f"{sessions_page}?machine=red" in page
    page = browser.see(f"{sessions_page}?machine=red")
    assert TITLE.findall(page) == ["Red"]
    assert "filtered by" in page
    page = browser.see(f"{sessions_page}?machine=red&machine=blue&q=parser")
    assert sorted(TITLE.findall(page)) == ["Blue", "Red"]


def test_a_filter_without_a_session_can_be_cleared(browser: Browser, person: Tenant, sessions_page: str) -> None:
    record(person)
    page = browser.see(f"{sessions_page}?agent=Nobody")
    assert "No session matches" in page
    assert f'<a href="{sessions_page}" hx-boost="false">Clear</a>' in page


def test_pages_follow_each_other_and_show_each_session_once(
    browser: Browser, person: Tenant, sessions_page: str
) -> None:
    many(person, 60)
    first = TITLE.findall(browser.see(sessions_page))
    second = TITLE.findall(browser.see(f"{sessions_page}?offset=50"))
    assert len(first) == 50
    assert sorted(first + second) == sorted(f"Session {number}" for number in range(60))


def test_the_order_is_chosen_by_the_address(browser: Browser, person: Tenant, sessions_page: str) -> None:
    record(person, ["one"], title="Beta", session=str(uuid.uuid4()))
    record(person, ["one", "two", "three"], title="Alpha", session=str(uuid.uuid4()))
    assert len(TITLE.findall(browser.see(f"{sessions_page}?sort=oldest&q="))) == 2
    assert TITLE.findall(browser.see(f"{sessions_page}?sort=longest"))[0] == "Alpha"


def test_a_part_is_answered_with_the_clean_address(browser: Browser, person: Tenant, sessions_page: str) -> None:
    record(person)
    answer = browser.client.get(f"{sessions_page}?q=parser&sort=&agent=", headers={"HX-Request": "true"})
    assert answer.headers["hx-replace-url"] == f"{sessions_page}?q=parser"


def test_sessions_of_others_are_not_in_the_list(
    browser: Browser, person: Tenant, stranger: Tenant, sessions_page: str
) -> None:
    record(stranger, title="Secret plans")
    assert "Secret plans" not in browser.see(sessions_page)
    assert "Secret plans" not in browser.see(f"{sessions_page}?q=parser")
    browser.see(f"/app/w/{stranger.workspace_id}/sessions", 404)


@pytest.mark.parametrize(
    "query", ["?offset=x&sort=evil", "?q=%22", "?q=agent:", "?q=a", "?tag=" + "x" * 3000, "?offset=99999"]
)
def test_an_odd_address_is_read_as_well_as_it_goes(
    query: str, browser: Browser, person: Tenant, sessions_page: str
) -> None:
    record(person)
    browser.see(sessions_page + query)


def test_the_palette_finds_sessions_and_projects(browser: Browser, person: Tenant) -> None:
    address = record(person)
    found = browser.see(f"/app/w/{person.workspace_id}/palette?q=brackets")
    assert address in found
    assert f"/projects/{PROJECT}" in browser.see(f"/app/w/{person.workspace_id}/palette?q=demo")


def test_the_pulse_of_the_list_beats_with_every_session(browser: Browser, person: Tenant, sessions_page: str) -> None:
    mark = browser.client.get(f"{sessions_page}/pulse").headers["etag"]
    assert browser.client.get(f"{sessions_page}/pulse", headers={"If-None-Match": mark}).status_code == 304
    record(person)
    assert browser.client.get(f"{sessions_page}/pulse", headers={"If-None-Match": mark}).status_code == 204


def test_home_counts_sessions(browser: Browser, person: Tenant) -> None:
    record(person)
    assert "Sessions" in browser.see(f"/app/w/{person.workspace_id}")
