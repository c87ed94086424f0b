"""What a stop reaches: everything, a unit with all below it, a blueprint, an agent, a workflow or a system."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

EVERYTHING, UNIT, BLUEPRINT, AGENT, WORKFLOW, SYSTEM = KINDS = (
    "everything", "unit", "blueprint", "agent", "workflow", "system"
)  # fmt: skip
NORMAL, RESTRICTED, PAUSED = "normal", "restricted", "paused"
_STRICTNESS = {NORMAL: 0, RESTRICTED: 1, PAUSED: 2}


def strictness(status: str) -> int:
    """How much this state forbids; one that nobody knows forbids everything."""
    return _STRICTNESS.get(status, _STRICTNESS[PAUSED])


@dataclass(frozen=True)
class Stop:
    """One scope that is restricted or paused: which, by whom, why, and until when. `path` is that of a unit."""

    kind: str
    code: str
    name: str
    status: str
    why: str = ""
    by: str = ""
    until: datetime | None = None
    path: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether it stops anything at this moment."""
        return strictness(self.status) > 0 and (self.until is None or self.until > at)

    @property
    def is_paused(self) -> bool:
        """Whether nothing goes on here; otherwise actions of low risk do."""
        return strictness(self.status) >= strictness(PAUSED)

    @property
    def words(self) -> str:
        """What is told to an agent and to people: which scope, who stopped it, until when, and why."""
        state = "paused" if self.is_paused else "restricted to actions of low risk"
        by = f" by {self.by}" if self.by else ""
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"{self.name[:1].upper()}{self.name[1:]} is {state}{by}{until}: {self.why}"


@dataclass(frozen=True)
class Reach:
    """What a question, a claim or a step touches; `paths` are those of the units of agent and workflow."""

    agent: str = ""
    blueprint: str = ""
    workflow: str = ""
    system: str = ""
    paths: tuple[str, ...] = ()


def applies(stop: Stop, reach: Reach) -> bool:
    """Whether this stop is about it."""
    if stop.kind == EVERYTHING:
        return True
    if stop.kind == UNIT:
        return bool(stop.path) and any(path.startswith(stop.path) for path in reach.paths)
    touched = {AGENT: reach.agent, BLUEPRINT: reach.blueprint, WORKFLOW: reach.workflow, SYSTEM: reach.system}
    return bool(stop.code) and touched.get(stop.kind) == stop.code


def strictest(stops: Iterable[Stop], reach: Reach, at: datetime) -> Stop | None:
    """The stop that counts here and now: the strictest, of equal ones the widest; None when none applies."""
    found = [stop for stop in stops if stop.holds(at) and applies(stop, reach)]
    return min(found, key=lambda stop: (-strictness(stop.status), KINDS.index(stop.kind), stop.code), default=None)
