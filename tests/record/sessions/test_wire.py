"""Pure rules of the wire: Accept, entity tags, bodies of uploads (specstory.md §1.2, §3, §4)."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.record.sessions import BadUpload
from specloop.record.sessions.rest.conditional import Version, cache_headers, is_unmodified_since
from specloop.record.sessions.rest.negotiation import Representation, negotiate
from specloop.record.sessions.service.tags import make_etag
from specloop.record.sessions.uploading import plain, read_upload

TEXTS = st.text(min_size=1, max_size=50)
HEX = st.text("0123456789abcdef", min_size=1, max_size=8)
TAGGED = st.tuples(HEX, st.integers(0, 9), HEX, st.integers(0, 9))
NAMES = [one.value for one in Representation]


@given(st.text(max_size=100))
def test_any_accept_header_chooses_something(accept: str) -> None:
    assert negotiate(accept) in Representation


@given(st.permutations(NAMES), st.lists(st.integers(1, 1_000), min_size=4, max_size=4, unique=True))
def test_highest_quality_wins_whatever_the_order(names: list[str], qualities: list[int]) -> None:
    accept = ", ".join(f"{name};q={quality / 1_000}" for name, quality in zip(names, qualities, strict=True))
    best = names[qualities.index(max(qualities))]
    assert negotiate(accept) is Representation(best)


@pytest.mark.parametrize("accept", [None, "", ";;;", "q=1", "text/markdown;q=nan", "text/markdown;q=2", "*/*;q=0"])
def test_nothing_that_is_known_means_json(accept: str | None) -> None:
    assert negotiate(accept) is Representation.JSON


@given(TEXTS, TEXTS, st.none() | TEXTS)
def test_documents_are_the_utf8_of_their_strings(markdown: str, raw: str, data: str | None) -> None:
    body = {"projectName": "p", "name": "n", "markdown": markdown, "rawData": raw, "sessionData": data, "more": [1]}
    for text in (json.dumps(body), json.dumps(body, ensure_ascii=False)):
        upload = read_upload(text.encode())
        assert (upload.markdown, upload.raw) == (markdown.encode(), raw.encode())
        assert upload.session_data == (data.encode() if data else None)


@pytest.mark.parametrize("depth", [300, 1_500, 100_000])
def test_bodies_nested_too_deeply_are_refused(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    body = b'{"projectName":"p","name":"n","markdown":"m","rawData":"r","more":%s}' % deep
    if depth > 1_000:
        with pytest.raises(BadUpload):
            read_upload(body)
    with pytest.raises(BadUpload):
        read_upload(body.replace(b'"more"', b'"lone":"\\ud800","metadata"'))


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_date_proves_an_old_version() -> None:
    version = Version("tag", NOON + timedelta(milliseconds=1))
    assert is_unmodified_since(cache_headers(version)["Last-Modified"], version)
    assert not is_unmodified_since(format_datetime(NOON - timedelta(seconds=1), usegmt=True), version)


@given(st.text(max_size=60))
def test_any_date_header_is_read_or_ignored(header: str) -> None:
    version = Version("tag", NOON)
    assert is_unmodified_since(header, version) in {True, False}


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with suppress(BadUpload):
        assert read_upload(body).name


def test_bytes_that_are_no_text_come_through_a_lenient_reading() -> None:
    body = (
        b'{"projectName":"p","name":"n","markdown":"\xff\x80 ok","rawData":"r","metadata":{"big":1' + b"0" * 30 + b"}}"
    )
    upload = read_upload(body)
    assert upload.markdown == b"\xff\x80 ok"
    assert upload.metadata == {"big": "1" + "0" * 30}


@given(st.text(max_size=50))
def test_plain_text_can_be_stored_anywhere(text: str) -> None:
    kept = plain(text)
    assert "\x00" not in kept
    assert kept.encode().decode() == kept
    assert len(kept) == len(text)


@given(
    st.tuples(TEXTS, st.integers(0, 9), TEXTS, st.integers(0, 9)),
    st.tuples(TEXTS, st.integers(0, 9), TEXTS, st.integers(0, 9)),
)
def test_tags_differ_when_anything_does(one: tuple[str, int, str, int], other: tuple[str, int, str, int]) -> None:
    assert (make_etag(*one) == make_etag(*other)) == (one == other)
