"""Laws of redirect addresses: nothing but our own pages, and loopback ones on any port."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.identity.oauth.redirects import is_allowed

OWN = ("https://app.example/cb", "http://127.0.0.1:8000/cb", "http://[::1]:8000/cb")
LETTERS = st.sampled_from("ab./:@?#%\\-0127[]hts ")


@given(st.integers(1, 65_535), st.sampled_from(["127.0.0.1", "[::1]"]))
def test_a_loopback_page_may_be_on_any_port(port: int, host: str) -> None:
    assert is_allowed(f"http://{host}:{port}/cb", OWN)


@given(st.integers(1, 65_535).filter(lambda port: port != 443))
def test_other_pages_keep_their_port(port: int) -> None:
    assert not is_allowed(f"https://app.example:{port}/cb", OWN)


@given(st.text(LETTERS, max_size=30), st.text(LETTERS, max_size=30))
def test_what_is_allowed_leads_to_one_of_our_hosts_and_paths(middle: str, end: str) -> None:
    uri = f"http://127.0.0.1{middle}/cb{end}"
    if is_allowed(uri, OWN):
        parts = urlsplit(uri)
        assert (parts.scheme, parts.hostname, parts.path, parts.query) == ("http", "127.0.0.1", "/cb", "")
        assert "@" not in parts.netloc
        assert parts.fragment == ""


@given(st.text(min_size=1, max_size=10))
def test_nothing_may_be_added_to_an_address(extra: str) -> None:
    for known in OWN:
        assert not is_allowed(known + extra, OWN)
        assert not is_allowed(extra + known, OWN)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1@evil/cb", "http://127.0.0.1:1/cb/../x", "http://127.0.0.1:0/cb", "HTTP://127.0.0.1/cb/"]
)
def test_known_tricks_fail(uri: str) -> None:
    assert not is_allowed(uri, OWN)
