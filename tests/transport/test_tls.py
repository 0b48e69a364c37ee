"""The certificate: made once, kept, renewed with the same key, exchanged while serving, or the operator's own."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from specloop.app.listener import ListenerOptions
from specloop.testing.clock import FakeClock
from specloop.transport.tls import (
    LIFETIME,
    BadCertificate,
    OperatorCertificate,
    OwnCertificate,
    ServerTLS,
    own_names,
    read_certificate,
)

from .apps import hello
from .conftest import StartListener

NAMES = own_names(["0.0.0.0", "192.0.2.2", "::", "box.example.com"])  # noqa: S104 - a wildcard that must be left out


def leaf_of(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_certificate_is_made_once_and_kept(tmp_path: Path, now: datetime) -> None:
    first = OwnCertificate(tmp_path / "tls", NAMES).current(now)
    again = OwnCertificate(tmp_path / "tls", NAMES).current(now + timedelta(days=59))
    assert first == again
    assert first.fingerprint == leaf_of(first.certificate_path).fingerprint(hashes.SHA256()).hex(":").upper()
    assert len(first.fingerprint) == 32 * 3 - 1


def test_the_certificate_says_what_it_is_for(tmp_path: Path, now: datetime) -> None:
    made = OwnCertificate(tmp_path, NAMES).current(now)
    extensions = leaf_of(made.certificate_path).extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert made.not_after - made.not_before == LIFETIME
    assert made.not_before < now
    assert set(made.names) == {*own_names([]), "192.0.2.2", "box.example.com"}
    assert made.missing([*NAMES, "other.example.com"]) == ("other.example.com",)


def test_only_the_owner_can_read_the_key(tmp_path: Path, now: datetime) -> None:
    made = OwnCertificate(tmp_path / "tls", NAMES).current(now)
    assert made.key_path.stat().st_mode & 0o777 == 0o600
    assert made.key_path.parent.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in made.key_path.parent.iterdir()} == {"server.crt", "server.key"}


@pytest.mark.parametrize("days", [61, 89, 400])
def test_a_certificate_with_little_time_left_is_renewed_with_the_same_key(
    tmp_path: Path, now: datetime, days: int
) -> None:
    first = OwnCertificate(tmp_path, NAMES).current(now)
    key = first.key_path.read_bytes()
    later = OwnCertificate(tmp_path, NAMES).current(now + timedelta(days=days))
    assert later.fingerprint != first.fingerprint
    assert later.key_path.read_bytes() == key
    assert not later.is_due(now + timedelta(days=days))


def test_a_new_listening_address_does_not_break_pinned_peers(tmp_path: Path, now: datetime) -> None:
    first = OwnCertificate(tmp_path, NAMES).current(now)
    assert OwnCertificate(tmp_path, (*NAMES, "new.example.com")).current(now) == first
    renewed = OwnCertificate(tmp_path, (*NAMES, "new.example.com")).current(now + timedelta(days=61))
    assert renewed.missing(["new.example.com"]) == ()


def test_a_lost_key_brings_a_new_pair_and_a_lost_certificate_keeps_the_key(tmp_path: Path, now: datetime) -> None:
    first = OwnCertificate(tmp_path, NAMES).current(now)
    key = first.key_path.read_bytes()
    first.certificate_path.unlink()
    assert OwnCertificate(tmp_path, NAMES).current(now).key_path.read_bytes() == key
    first.key_path.unlink()
    assert OwnCertificate(tmp_path, NAMES).current(now).key_path.read_bytes() != key


def test_the_operators_files_are_taken_as_they_are(tmp_path: Path, now: datetime) -> None:
    made = OwnCertificate(tmp_path, NAMES).current(now)
    source = OperatorCertificate(made.certificate_path, made.key_path)
    assert source.current(now) == made
    with pytest.raises(BadCertificate, match="expired"):
        source.current(now + timedelta(days=90))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, now: datetime) -> None:
    one = OwnCertificate(tmp_path / "one", NAMES).current(now)
    two = OwnCertificate(tmp_path / "two", NAMES).current(now)
    with pytest.raises(BadCertificate, match="is not the key of"):
        read_certificate(one.certificate_path, two.key_path)


def test_files_that_hold_no_certificate_are_named(tmp_path: Path, now: datetime) -> None:
    made = OwnCertificate(tmp_path, NAMES).current(now)
    made.key_path.write_text("junk")
    with pytest.raises(BadCertificate, match=r"server\.key"):
        OwnCertificate(tmp_path, NAMES).current(now)
    with pytest.raises(BadCertificate, match="absent"):
        read_certificate(tmp_path / "absent", made.key_path)


async def test_a_renewed_certificate_is_shown_to_new_connections_without_a_restart(
    tmp_path: Path, start: StartListener
) -> None:
    clock = FakeClock(datetime.now(UTC))
    tls = ServerTLS(OwnCertificate(tmp_path, NAMES), clock)
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE

    async def shown(port: int) -> str:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=lax)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode()

    async with start(hello, ListenerOptions(tls=tls.context)) as running:
        first = tls.certificate
        assert await shown(running.port) == first.pem
        assert not tls.refresh()
        clock.advance(timedelta(days=61).total_seconds())
        assert tls.refresh()
        assert await shown(running.port) == tls.certificate.pem != first.pem


def test_a_broken_file_does_not_take_a_serving_process_down(tmp_path: Path, now: datetime) -> None:
    tls = ServerTLS(OwnCertificate(tmp_path, NAMES), FakeClock(now))
    kept = tls.certificate
    kept.certificate_path.write_text("junk")
    assert not tls.refresh()
    assert tls.certificate is kept
