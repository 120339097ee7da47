"""Which addresses are this machine, and which are on the public internet. No name is looked up here."""

from __future__ import annotations

import ipaddress
from enum import IntEnum

REDIRECTED_INWARDS = "redirected from a public to a private address"


class Reach(IntEnum):
    """The addresses that a request may lead to, from few to all."""

    PUBLIC = 0  # the public internet
    NETWORK = 1  # private networks too, but no address of this link: clouds have their metadata there
    ANYWHERE = 2


Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Packets to this network go to the IPv4 address in the last 32 bits: RFC 6052.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Hosts on the internet have these. Other IPv6 addresses are unassigned, or mean this machine, this link, this site.
_UNICAST = ipaddress.IPv6Network("2000::/3")
# A cloud's metadata service for its own machines. The ipaddress module of some Python versions calls these global: RFC
# 6890, and the metadata of Azure, Alibaba and AWS.
_OF_CLOUDS = (
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("168.63.129.16/32"),
    ipaddress.IPv4Network("100.100.100.200/32"),
    ipaddress.IPv6Network("fd00:ec2::254/128"),
)


def address_of(host: str) -> Address | None:
    """Return the address that `host` is, without brackets and zone, or None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Return whether this is this machine, by name or address. A name below `localhost` may be any machine."""
    address = address_of(host)
    return host == "localhost" if address is None else address.is_loopback


def is_public(text: str) -> bool:
    """Return whether an address, as the system writes it, or the address inside it, is on the public internet."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inside = _inside(address)
        return is_public(str(inside)) if inside else address in _UNICAST and address.is_global
    return address.is_global and not address.is_multicast and not _is_of_cloud(address)


def is_within(text: str, reach: Reach) -> bool:
    """Return whether an address, as the system writes it, is in reach."""
    if reach is Reach.ANYWHERE or is_public(text):
        return True
    address = ipaddress.ip_address(text.partition("%")[0])
    inside = _inside(address) if isinstance(address, ipaddress.IPv6Address) else None
    if inside:
        return is_within(str(inside), reach)
    special = address.is_link_local or address.is_multicast or address.is_unspecified or _is_of_cloud(address)
    return reach is Reach.NETWORK and not special


def _is_of_cloud(address: Address) -> bool:
    return any(address in network for network in _OF_CLOUDS)


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that packets to this one go to. (Teredo is not public, whatever it contains.)"""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def is_written_within(host: str, reach: Reach) -> bool:
    """Return whether `host` is a name, or an address in reach, in any spelling: `127.1`, `2130706433`."""
    import socket  # noqa: PLC0415 - 4 ms that a run without requests need not wait for

    try:
        found = socket.getaddrinfo(host.strip("[]"), None, flags=socket.AI_NUMERICHOST, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return reach is not Reach.PUBLIC or not is_loopback(host.lower().rstrip("."))
    return all(is_within(str(row[4][0]), reach) for row in found)
