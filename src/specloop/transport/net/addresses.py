"""Listening addresses: their spelling, and the sockets bound to them. Knows nothing of HTTP."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from specloop.errors import StartupError

_SPELLING = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")


class BadListenAddress(StartupError):
    """A listening address is ADDR:PORT, such as 127.0.0.1:8000, [::1]:8000 or 0.0.0.0:8443."""

    code = "bad-listen-address"


class CannotListen(StartupError):
    """The server cannot listen on this address."""

    code = "cannot-listen"


class PortTaken(CannotListen):
    """Another program already listens on this address."""

    code = "port-taken"


class AddressUnavailable(CannotListen):
    """This machine has no such address, or the name does not resolve."""

    code = "address-unavailable"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """One place to listen: an IP address or a name, and a port (0: any free one)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return self.host == "localhost" or is_loopback(self.host)


def parse_listen_address(text: str) -> ListenAddress:
    """The address that `ADDR:PORT` names; IPv6 stands in brackets.

    Raises: BadListenAddress naming the text.
    """
    match = _SPELLING.fullmatch(text.strip())
    if match is None:
        raise BadListenAddress(f"{text!r} is not ADDR:PORT; write for example 127.0.0.1:8000 or [::1]:8000")
    port = int(match["port"])
    if port > 65535:
        raise BadListenAddress(f"{text!r}: the port must be between 0 and 65535")
    host = match["ipv6"] or match["name"].lower()
    if match["ipv6"] and not _is_ipv6(host):
        raise BadListenAddress(f"{text!r}: what stands in brackets is not an IPv6 address")
    return ListenAddress(host, port)


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback IP literal; an IPv4 address inside IPv6 counts as what it carries."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def bind(addresses: Sequence[ListenAddress], backlog: int = 1024) -> list[socket.socket]:
    """Listening, non-blocking sockets for all `addresses`, or none of them.

    Raises: PortTaken, AddressUnavailable or CannotListen, each naming the address.
    """
    with contextlib.ExitStack() as undo:
        sockets: list[socket.socket] = []
        for address in addresses:
            for sock in _bind_one(address, backlog):
                undo.callback(sock.close)
                sockets.append(sock)
        undo.pop_all()
    return sockets


def _bind_one(address: ListenAddress, backlog: int) -> list[socket.socket]:
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_ADDRCONFIG
        )
    except socket.gaierror as error:
        raise AddressUnavailable(f"{address}: {error.strerror}") from error
    # `localhost` may stand for two families; with port 0 the second one must take the number the first one got.
    places = dict.fromkeys((family, target) for family, _, _, _, target in found)
    sockets: list[socket.socket] = []
    port = address.port
    try:
        for family, target in places:
            sockets.append(_listen(address, family, (target[0], port, *target[2:]), backlog))
            port = sockets[0].getsockname()[1]
    except CannotListen:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _listen(address: ListenAddress, family: int, target: tuple[str | int, ...], backlog: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # A wildcard of one family must not silently take the other one's port as well.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(target)
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _reason(address, error) from error
    return sock


def _reason(address: ListenAddress, error: OSError) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"{address} is taken by another program; stop it or choose another address with --listen")
    if error.errno == errno.EADDRNOTAVAIL:
        return AddressUnavailable(f"{address}: this machine has no such address")
    if error.errno in (errno.EACCES, errno.EPERM):
        return CannotListen(f"{address}: this user may not open the port; choose one above 1023")
    return CannotListen(f"{address}: {error.strerror}")


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
