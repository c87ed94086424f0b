"""Telling: of rules of policies that a reader may not see, people and programs are told only that there is one."""

from collections.abc import Callable
from dataclasses import dataclass

from agents.models import Principal
from governance.models import Policy
from governance.rules.budgeting import BUILT_IN
from governance.rules.replaying import without_version

NOT_TOLD = "A rule of another unit decides."
OF_ANOTHER_UNIT = "a rule of another unit"

Named = Callable[[str], str]


@dataclass(frozen=True)
class Telling:
    """What may be told to one reader: the rules of the policies with these keys, and those that no policy has."""

    keys: frozenset[str]

    def tells(self, ref: str) -> bool:
        """Whether the reader may know the rule `key@version#rule`."""
        policy, sign, _ = without_version(ref).partition("#")
        return not sign or ref.startswith(BUILT_IN) or policy in self.keys

    def name(self, ref: str) -> str:
        """The rule as the reader is told of it."""
        return ref if self.tells(ref) else OF_ANOTHER_UNIT


def telling_to(reader: Principal) -> Telling:
    """What may be told to this person, or to the agent with this principal."""
    return Telling(frozenset(Policy.objects.visible_to(reader).order_by().values_list("key", flat=True)))
