"""Where a webhook may point: never into the server's own network (server-side request forgery).

A name is resolved once, every address it has is checked, and the connection goes to one of those addresses, so that a
name cannot mean something else a moment later.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from specloop.identity.workspaces.webhooks.errors import AddressRefused

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_url(url: str, *, allows_private: bool) -> str:
    """The host of an absolute http or https address without a password in it.

    Raises: AddressRefused.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise AddressRefused("this is no web address") from error
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.password or parts.fragment:
        raise AddressRefused("a webhook needs an http or https address without user, password and fragment")
    literal = _literal(host)
    if literal is not None and not is_allowed(literal, allows_private=allows_private):
        raise AddressRefused
    if literal is None and not allows_private and (host == "localhost" or host.endswith((".localhost", ".local"))):
        raise AddressRefused
    return host


def is_allowed(address: IPAddress, *, allows_private: bool) -> bool:
    """Whether anybody on the Internet could mean this address; what IPv6 carries of IPv4 counts as IPv4."""
    if allows_private:
        return not address.is_multicast and not address.is_unspecified
    inner = _carried(address)
    return inner.is_global and not inner.is_multicast


def _carried(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
    return address


async def resolve(host: str, port: int, *, allows_private: bool) -> str:
    """One address of `host`, after all of them have been checked.

    Raises: AddressRefused; OSError when the name does not resolve.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(target[0]).partition("%")[0]) for _, _, _, _, target in found]
    if not addresses or not all(is_allowed(address, allows_private=allows_private) for address in addresses):
        raise AddressRefused
    return str(addresses[0])


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
