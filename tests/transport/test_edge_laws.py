"""Laws of the edge's parsers: the depth scan agrees with a real parser, the host parser with itself."""

from __future__ import annotations

import gzip
import ipaddress
import json
from collections.abc import Iterable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.errors import PayloadTooLarge
from specloop.transport.edge import Authority, json_depth, parse_authority, parse_origin
from specloop.transport.edge.errors import CorruptBody
from specloop.transport.edge.inflate import GzipInflater
from tests.work import counted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=60,
)


def real_depth(value: object) -> int:
    """The depth of a value that a real parser made."""
    if not isinstance(value, dict | list):
        return 0
    inner = cast("Iterable[object]", value.values() if isinstance(value, dict) else value)
    return 1 + max((real_depth(part) for part in inner), default=0)


@given(JSON, st.booleans())
def test_the_scan_finds_the_depth_that_a_real_parser_finds(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1).encode("utf-8", "surrogatepass")
    assert json_depth(text) == real_depth(json.loads(text))


@given(st.text(alphabet='[]{}",:\\a1 \n', max_size=200))
def test_whatever_a_real_parser_accepts_is_never_deeper_than_the_scan_says(text: str) -> None:
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return
    assert real_depth(value) == json_depth(text.encode())


@given(st.text(alphabet='[]{}",:\\a1 ', max_size=60), st.integers(1, 300))
def test_the_scan_never_misses_depth_in_front_of_a_mistake(tail: str, depth: int) -> None:
    assert json_depth(b"[" * depth + tail.encode()) >= depth


@pytest.mark.parametrize("shift", range(3))
def test_strings_across_the_slices_of_the_scan_are_still_strings(shift: int) -> None:
    long = json.dumps([" " * shift, *["[[[", "]"] * 300_000, [[]], "{" * 2_000_000, {"a": [[]]}]).encode()
    assert json_depth(long) == 4


@pytest.mark.parametrize("body", [b'"' * 2_000_000, b'"' + b'\\"' * 1_000_000, b"[" * 2_000_000, b'["' * 1_000_000])
def test_the_scan_does_not_look_at_hostile_bytes_one_by_one(body: bytes) -> None:
    with counted() as work:
        json_depth(body)
    assert work.calls < 1_000


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
NAME = st.lists(LABEL, min_size=1, max_size=4).map(".".join).filter(lambda name: not name.split(".")[-1][0].isdigit())
HOST = NAME | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda address: f"[{address}]")
PORT = st.none() | st.integers(0, 65535)


def spelled(host: str, port: int | None) -> str:
    return host if port is None else f"{host}:{port}"


@given(HOST, PORT)
def test_every_host_and_port_is_read_back_in_its_one_spelling(host: str, port: int | None) -> None:
    expected = Authority(host.strip("[]"), port)
    assert parse_authority(spelled(host, port)) == expected
    assert parse_authority(spelled(host.upper(), port)) == expected


@given(HOST, PORT, st.sampled_from("@/#?, \\%\t\r\n\0<>\"'"), st.integers(0, 300))
def test_a_host_with_any_other_character_in_it_is_no_host(host: str, port: int | None, intruder: str, at: int) -> None:
    text = spelled(host, port)
    place = at % (len(text) + 1)
    assert parse_authority(text[:place] + intruder + text[place:]) is None


@given(st.text(max_size=40))
def test_what_is_read_from_any_text_is_read_again_from_its_spelling(text: str) -> None:
    authority = parse_authority(text)
    if authority is not None:
        host = f"[{authority.host}]" if ":" in authority.host else authority.host
        assert parse_authority(spelled(host, authority.port)) == authority


@given(st.ip_addresses(v=6))
def test_all_spellings_of_an_ipv6_address_are_one_host(address: ipaddress.IPv6Address) -> None:
    assert parse_authority(f"[{address.exploded.upper()}]") == parse_authority(f"[{address.compressed}]")


def test_a_default_port_is_the_same_origin_as_none() -> None:
    assert parse_origin("https://a.example") == parse_origin("https://A.example.:443")
    assert parse_origin("http://a.example") != parse_origin("https://a.example")
    assert parse_origin("https://a.example/") is None
    assert parse_origin("https://u@a.example") is None


@given(st.binary(max_size=3000), st.integers(1, 400), st.integers(1, 5))
def test_inflating_undoes_compression_however_it_is_cut(data: bytes, cut: int, members: int) -> None:
    wire = gzip.compress(data) * members
    inflater = GzipInflater(bytes_max=len(data) * members)
    pieces = [piece for start in range(0, len(wire), cut) for piece in inflater.feed(wire[start : start + cut])]
    inflater.finish()
    assert b"".join(pieces) == data * members


@given(st.binary(min_size=1, max_size=2000), st.data())
def test_one_byte_too_many_or_too_few_is_noticed(data: bytes, choice: st.DataObject) -> None:
    wire = gzip.compress(data)
    with pytest.raises(PayloadTooLarge):
        list(GzipInflater(bytes_max=len(data) - 1).feed(wire))
    short = GzipInflater(bytes_max=len(data))
    list(short.feed(wire[: choice.draw(st.integers(0, len(wire) - 1))]))
    with pytest.raises(CorruptBody):
        short.finish()


def test_large_pieces_come_out_whole_and_bounded() -> None:
    data = bytes(5_000_001)
    pieces = list(GzipInflater(bytes_max=len(data)).feed(gzip.compress(data)))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= 256 * 1024
