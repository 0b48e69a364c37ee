"""Shared sessions through the front door: private is not there, hidden is not there, and the link can be taken back."""

from __future__ import annotations

import re

import httpx

from tests.interaction.browsing import Browser, signed_in
from tests.interaction.tenant import Tenant
from tests.record.pages.recordings import SESSION, record

LINK = f"/share/{SESSION}"


def share(browser: Browser, address: str, status: str = "unlisted") -> None:
    """Press the button."""
    assert browser.send(f"{address}/share", browser.see(address), status=status).status_code == 303


def viewed(server: str, path: str = LINK) -> httpx.Response:
    """What somebody sees who is not signed in."""
    return httpx.get(server + path, timeout=60)


def shown_title(page: str) -> str:
    """The heading of the page."""
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found is not None
    return found[1]


def test_a_private_session_is_not_there_for_viewers(server: str, person: Tenant) -> None:
    record(person)
    for path in ("", "/piece", "/items/1-0", "/pulse"):
        assert viewed(server, LINK + path).status_code == 404


def test_a_shared_session_is_read_by_everybody_without_raw_data(server: str, browser: Browser, person: Tenant) -> None:
    address = record(person)
    share(browser, address)
    page = viewed(server)
    assert page.status_code == 200
    assert "Teach the parser brackets" in page.text
    assert "noindex" in page.headers["x-robots-tag"]
    assert "download" not in page.text
    assert "exchanges/" not in page.text
    assert person.email not in page.text
    assert "line 399" in viewed(server, f"{LINK}/items/1-6").text
    share(browser, address, "private")
    assert viewed(server).status_code == 404


def test_hidden_exchanges_are_in_no_part_of_the_shared_page(server: str, browser: Browser, person: Tenant) -> None:
    address = record(person, ("The secret recipe", "The public part"), title="The secret recipe")
    share(browser, address)
    page = browser.see(address)
    first = re.search(rf'action="({re.escape(address)}/exchanges/[^"]+)"', page)
    assert first is not None
    browser.send(first[1], page, is_hidden="on", number="1")
    for path in ("", "/piece", "/items/1-0", "/items/2-0", "?from=2"):
        answer = viewed(server, LINK + path)
        assert "secret recipe" not in answer.text
    assert "The public part" in viewed(server).text
    assert "The public part" in shown_title(viewed(server).text)
    preview = browser.see(f"{address}/preview")
    assert "secret recipe" not in preview
    assert "The public part" in preview


def test_a_later_link_with_the_same_id_leads_to_its_own_session(
    server: str, browser: Browser, person: Tenant, stranger: Tenant
) -> None:
    other = "33333333-3333-4333-8333-333333333333"
    address = record(person, ("Mine and first",), session=other)
    share(browser, address)
    with signed_in(server, stranger.email) as rival:
        theirs = record(stranger, ("Theirs and later",), session=other)
        share(rival, theirs)
        link = re.search(r'href="(/share/[^"]+)"', rival.see(theirs))
    assert link is not None
    assert "Mine and first" in viewed(server, f"/share/{other}").text
    assert "Theirs and later" in viewed(server, link[1]).text


def test_the_preview_of_a_private_session_says_so(browser: Browser, person: Tenant) -> None:
    page = browser.see(f"{record(person)}/preview")
    assert "the session is private" in page
    assert "Teach the parser brackets" in page


def test_pages_that_clients_open_say_what_they_are(browser: Browser, person: Tenant) -> None:
    record(person)
    assert f"specstory resume --session {SESSION}" in browser.see("/resume")
    assert "mines none" in browser.see("/skills")
