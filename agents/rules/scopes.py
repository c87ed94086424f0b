"""What a credential of an agent opens: a small fixed set of scopes, each a group of doors."""

from collections.abc import Iterable, Mapping

SCOPES: Mapping[str, str] = {
    "work": "Take steps, report them, start and read runs",
    "ask": "Ask before acting, read decisions and questions",
    "memory:read": "Look into shared memory",
    "memory:write": "Store what it found out in shared memory",
    "read": "Read the registry of agents, events, and itself",
}
ALL_SCOPES: tuple[str, ...] = tuple(SCOPES)
ANY = "any"  # of a door that every credential of an agent opens, whatever its scopes


class UnknownScope(ValueError):
    """A scope that there is not."""


class NothingLeft(ValueError):
    """None of the scopes that were asked for may be had."""


def ordered(scopes: Iterable[str]) -> list[str]:
    """The scopes in their fixed order, each once. Raises UnknownScope, whose argument names the first unknown one."""
    wanted = set(scopes)
    if unknown := sorted(wanted - set(SCOPES)):
        raise UnknownScope(unknown[0])
    return [scope for scope in ALL_SCOPES if scope in wanted]


def narrowed(asked: str, *limits: Iterable[str]) -> list[str]:
    """What is left of `asked` (words with spaces between; nothing stands for everything) within all the limits."""
    wanted = ordered(asked.split(" ")) if asked else list(ALL_SCOPES)
    for limit in limits:
        within = set(limit)
        wanted = [scope for scope in wanted if scope in within]
    if not wanted:
        raise NothingLeft
    return wanted
