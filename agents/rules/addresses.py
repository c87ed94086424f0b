"""From where a request comes, when proxies stand in between."""

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(remote: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The caller's address: `remote`, or, when that is a trusted proxy, the first hop from the right in the
    X-Forwarded-For header `forwarded` that is none. A hop that is no address ends the search: what stands left of it
    was written by somebody unknown."""
    address = _parsed(remote)
    if address is None:
        return ""
    for hop in reversed([part.strip() for part in forwarded.split(",")] if forwarded else []):
        if not any(address in network for network in trusted):
            break
        nearer = _parsed(hop)
        if nearer is None:
            break
        address = nearer
    return str(address)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
