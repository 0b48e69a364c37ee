"""The server's certificate: made once, kept, renewed in time, or brought by the operator; and the TLS settings.

Clients pin the fingerprint (spec-ai.md §7), so a certificate is never replaced without need, and a renewal keeps the
key. The settings follow Mozilla's "modern" profile: TLS 1.3 only, an ECDSA P-256 key, at most 90 days.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from specloop.errors import StartupError
from specloop.kit.clock import Clock
from specloop.kit.log import get_logger

_log = get_logger(__name__)

LIFETIME = timedelta(days=90)
RENEW_BEFORE = timedelta(days=30)
_CLOCK_SKEW = timedelta(hours=1)


class BadCertificate(StartupError):
    """The certificate or its key cannot be used."""

    code = "bad-certificate"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the server shows of itself. Times are aware UTC."""

    certificate_path: Path
    key_path: Path
    pem: str
    fingerprint: str
    """SHA-256 of the DER form: 32 upper-case pairs joined by colons (spec-ai.md §7)."""
    subject: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]

    def is_due(self, now: datetime) -> bool:
        """Whether less than the renewal margin is left."""
        return self.not_after - now < RENEW_BEFORE

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that the certificate does not stand for."""
        return tuple(name for name in names if name not in self.names)


class CertificateSource(Protocol):
    """Where the certificate comes from."""

    def current(self, now: datetime) -> Certificate:
        """The certificate to serve at `now`. Raises: BadCertificate."""
        ...


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A self-signed certificate kept in `folder`, for `names` (DNS names and IP literals)."""

    folder: Path
    names: tuple[str, ...]

    def current(self, now: datetime) -> Certificate:
        """The kept certificate; made when there is none, renewed with the same key when it is due.

        Raises: BadCertificate when the files are there but cannot be read.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        certificate_path, key_path = self.folder / "server.crt", self.folder / "server.key"
        if not key_path.exists():
            _write_private(key_path, _new_key())
            certificate_path.unlink(missing_ok=True)  # it belonged to another key
        if certificate_path.exists():
            kept = read_certificate(certificate_path, key_path)
            if not kept.is_due(now):
                self._mention_missing(kept)
                return kept
        _write_private(certificate_path, _issue(_read_key(key_path), self.names, now))
        made = read_certificate(certificate_path, key_path)
        _log.info("tls.certificate_made", fingerprint=made.fingerprint, not_after=made.not_after.isoformat())
        return made

    def _mention_missing(self, kept: Certificate) -> None:
        # Not a reason for a new one: that would break every pinned peer. The next renewal takes the names in.
        if missing := kept.missing(self.names):
            _log.warning("tls.names_missing", names=", ".join(missing), until=kept.not_after.isoformat())


@dataclass(frozen=True, slots=True)
class OperatorCertificate:
    """The operator's own files; whoever brings them renews them."""

    certificate_path: Path
    key_path: Path

    def current(self, now: datetime) -> Certificate:
        """What the files hold now. Raises: BadCertificate, also when it has expired."""
        certificate = read_certificate(self.certificate_path, self.key_path)
        if certificate.not_after <= now:
            raise BadCertificate(f"{self.certificate_path} expired on {certificate.not_after:%Y-%m-%d}")
        if certificate.is_due(now):
            _log.warning("tls.certificate_expires", path=str(self.certificate_path), on=str(certificate.not_after))
        return certificate


class ServerTLS:
    """The TLS side of the listeners: one context whose certificate can be exchanged while serving."""

    def __init__(self, source: CertificateSource, clock: Clock) -> None:
        """Raises: BadCertificate."""
        self._source = source
        self._clock = clock
        self.certificate = source.current(clock.now())
        self.context = server_context(self.certificate)

    def refresh(self) -> bool:
        """Take up a renewed certificate for new connections; True when it changed. Cheap, meant to be called hourly."""
        try:
            latest = self._source.current(self._clock.now())
            if latest.fingerprint == self.certificate.fingerprint:
                return False
            _load_chain(self.context, latest)
        except BadCertificate as error:
            # Serving goes on with what is loaded: a broken file on disk must not take the server down.
            _log.error("tls.refresh_failed", reason=error.detail)
            return False
        self.certificate = latest
        return True


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """TLS as Mozilla's "modern" profile has it, for HTTP/1.1. Raises: BadCertificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The default list holds curves outside of the profile, and this interface can only name one: the one that every
    # TLS 1.3 peer must have (RFC 8446 §9.1).
    context.set_ecdh_curve("prime256v1")
    context.set_alpn_protocols(["http/1.1"])
    _load_chain(context, certificate)
    return context


def own_names(listen_hosts: Iterable[str]) -> tuple[str, ...]:
    """What a certificate of this machine should stand for: loopback, the host name, and the addresses listened on."""
    hosts = (host for host in listen_hosts if not _is_wildcard(host))
    host_name = socket.gethostname().lower()
    names = ("localhost", "127.0.0.1", "::1", *((host_name,) if host_name.isascii() and host_name else ()), *hosts)
    return tuple(dict.fromkeys(names))


def read_certificate(certificate_path: Path, key_path: Path) -> Certificate:
    """The facts of a certificate whose key fits. Raises: BadCertificate naming the file."""
    try:
        pem = certificate_path.read_bytes()
        leaf = x509.load_pem_x509_certificate(pem)
    except (OSError, ValueError) as error:
        raise BadCertificate(f"{certificate_path} is not a readable PEM certificate: {error}") from error
    if _public_bytes(_read_key(key_path)) != leaf.public_key().public_bytes(*_PUBLIC_FORM):
        raise BadCertificate(f"{key_path} is not the key of {certificate_path}")
    return Certificate(
        certificate_path=certificate_path,
        key_path=key_path,
        pem=leaf.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(":").upper(),
        subject=leaf.subject.rfc4514_string(),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        names=_names_of(leaf),
    )


_PUBLIC_FORM = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public_bytes(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(*_PUBLIC_FORM)


def _read_key(path: Path) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BadCertificate(f"{path} is not a readable PEM key without a password: {error}") from error


def _load_chain(context: ssl.SSLContext, certificate: Certificate) -> None:
    try:
        context.load_cert_chain(certificate.certificate_path, certificate.key_path)
    except (OSError, ssl.SSLError) as error:
        raise BadCertificate(f"{certificate.certificate_path}: {error}") from error


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _issue(key: PrivateKeyTypes, names: tuple[str, ...], now: datetime) -> bytes:
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadCertificate("the kept key is not an elliptic-curve key; remove it to have a new one made")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "specloop")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    start = now - _CLOCK_SKEW
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_KEY_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


_KEY_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names_of(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = extension.get_values_for_type(x509.IPAddress)
    return (*extension.get_values_for_type(x509.DNSName), *(str(address) for address in addresses))


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 that is either the old or the new one, whatever happens in between."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
