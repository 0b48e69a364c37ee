"""Sockets below HTTP: addresses and binding, the accept loop that tells TLS from plain HTTP, and the deadlines of one
connection. It knows no application; `specloop.app.listener` puts a server on top of it.
"""

from __future__ import annotations

from specloop.transport.net.acceptor import Acceptor, AcceptPolicy
from specloop.transport.net.addresses import (
    AddressUnavailable,
    BadListenAddress,
    CannotListen,
    ListenAddress,
    PortTaken,
    bind,
    is_loopback,
    parse_listen_address,
)
from specloop.transport.net.protocol import ConnectionPolicy, EdgeProtocol

__all__ = [
    "AcceptPolicy",
    "Acceptor",
    "AddressUnavailable",
    "BadListenAddress",
    "CannotListen",
    "ConnectionPolicy",
    "EdgeProtocol",
    "ListenAddress",
    "PortTaken",
    "bind",
    "is_loopback",
    "parse_listen_address",
]
