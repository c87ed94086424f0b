"""To which addresses this server may send something."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST = 2000
PORTS = {"https": 443, "http": 80}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# The last label has a letter first: 127.1, 2130706433 and 0x7f.1 are other ways to write an address, and no names.
_NAME = re.compile(rf"(?:{_LABEL}\.)*(?=[a-z]){_LABEL}")
_PLAIN = re.compile(r"[\x21-\x7e]+")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What these networks hold is an IPv4 address in other clothes: translated (NAT64), or tunnelled (6to4, Teredo).
_TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class NotReachable(ValueError):
    """Nothing is sent there."""


@dataclass(frozen=True)
class Target:
    """Where a request goes: `path` with its query; `allowed` when the host may be an inner one."""

    scheme: str
    host: str
    port: int
    path: str
    allowed: bool = False

    @property
    def authority(self) -> str:
        """Host and port as the Host header names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str, allowed: Collection[str] = ()) -> Target:
    """The parts of `url`. `allowed` names hosts, with or without a port, that may be inner ones and may do without
    https. Raises NotReachable for an address that is none, or that could mean another host than it seems to."""
    if len(url) > LONGEST or not _PLAIN.fullmatch(url) or "\\" in url:
        raise NotReachable("Send an address of printable ASCII characters without spaces, at most 2,000.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as wrong:
        raise NotReachable("This is not an address.") from wrong
    if parts.scheme not in PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise NotReachable("Begin with https://.")
    if "@" in parts.netloc:
        raise NotReachable("Leave user and password out of the address.")
    if "#" in url:
        raise NotReachable("Leave out what follows #.")
    if not _is_host(host) or parts.netloc.endswith(":") or port == 0:
        raise NotReachable("This names no host, or not in its usual form.")
    known = host in allowed or f"{host}:{port or PORTS[parts.scheme]}" in allowed
    if parts.scheme == "http" and not known:
        raise NotReachable("Begin with https://.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], path, known)


def _is_host(host: str) -> bool:
    try:
        return str(ipaddress.ip_address(host)) == host
    except ValueError:
        return len(host) <= 253 and _NAME.fullmatch(host) is not None


def is_public(text: str) -> bool:
    """Whether this is an address of the open internet: no loopback, private, link-local, shared or multicast one, nor
    one that leads to such an address through a translation."""
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return False  # with a zone (fe80::1%eth0) or no address at all
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address.scope_id or any(address in network for network in _TRANSLATED):
            return False
    blocked = address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local
    return address.is_global and not (blocked or address.is_private or address.is_unspecified)
