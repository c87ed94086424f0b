"""An agent's verbs as plain typed functions, for a model to call: wrap them as tools of whatever framework you use."""

# Frameworks read the types of these functions at run time: they must not be turned into text.
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from typing import Any

from autonomy_client.aio import AsyncAutonomy
from autonomy_client.client import Autonomy
from autonomy_client.shapes import Change, Decision, Evidence, Fact, Work

NOTHING_KNOWN = "Nothing is known about it yet."
KEPT = "Kept."


class Desk:
    """One step with what may be done at it. `tools` are for the model; `may` is for your own tools, which ask with it
    before they act, so that no model can act without. `waits` turns true when a person decides: report nothing then.
    `cost`, `tokens` and `note` are reported with the result."""

    def __init__(self, autonomy: Autonomy, work: Work) -> None:
        self.autonomy = autonomy
        self.work = work
        self._waiting: Decision | None = None
        self.cost: Decimal | str = "0"
        self.tokens: int | None = None
        self.note = ""

    @property
    def waits(self) -> bool:
        """Whether a person decides about this step now."""
        return self._waiting is not None

    @property
    def tools(self) -> list[Callable[..., str]]:
        """The functions that every agent can use."""
        return [self.recall, self.remember]

    def may(
        self,
        action: str,
        resource: Mapping[str, Any],
        context: Mapping[str, Any],
        *,
        title: str,
        statement: str,
        confidence: Decimal | str,
        changes: Sequence[Change] = (),
        evidence: Sequence[Evidence] = (),
    ) -> Decision:
        """May this be done? What a person answered to this question of this step counts, a no as well."""
        decision = (
            self._waiting
            or answered(self.work)
            or self.autonomy.ask(
                self.work,
                action,
                resource,
                context,
                title=title,
                statement=statement,
                confidence=confidence,
                changes=changes,
                evidence=evidence,
                approval=self.work.approval_id,
            )
        )
        # The lease is over now: whatever a model tries after that gets the same answer.
        self._waiting = decision if decision.waits_for_a_person else None
        return decision

    def recall(self, space: str, key: str) -> str:
        """Look up what is already known about something, before you find it out yourself.

        Args:
            space: the part of the shared memory, such as "orders"
            key: what it is about, such as an order number
        """
        return known(self.autonomy.recall(space, key, run=self.work.run.id))

    def remember(self, space: str, key: str, finding: str) -> str:
        """Keep what you found out, for whoever needs it next.

        Args:
            space: the part of the shared memory, such as "orders"
            key: what it is about, such as an order number
            finding: what you found out, in a sentence
        """
        self.autonomy.remember(space, key, {"finding": finding}, run=self.work.run.id)
        return KEPT


class AsyncDesk:
    """The same for coroutines."""

    def __init__(self, autonomy: AsyncAutonomy, work: Work) -> None:
        self.autonomy = autonomy
        self.work = work
        self._waiting: Decision | None = None
        self.cost: Decimal | str = "0"
        self.tokens: int | None = None
        self.note = ""

    @property
    def waits(self) -> bool:
        """Whether a person decides about this step now."""
        return self._waiting is not None

    @property
    def tools(self) -> list[Callable[..., Coroutine[Any, Any, str]]]:
        """The functions that every agent can use."""
        return [self.recall, self.remember]

    async def may(
        self,
        action: str,
        resource: Mapping[str, Any],
        context: Mapping[str, Any],
        *,
        title: str,
        statement: str,
        confidence: Decimal | str,
        changes: Sequence[Change] = (),
        evidence: Sequence[Evidence] = (),
    ) -> Decision:
        """May this be done? What a person answered to this question of this step counts, a no as well."""
        decision = (
            self._waiting
            or answered(self.work)
            or await self.autonomy.ask(
                self.work,
                action,
                resource,
                context,
                title=title,
                statement=statement,
                confidence=confidence,
                changes=changes,
                evidence=evidence,
                approval=self.work.approval_id,
            )
        )
        # The lease is over now: whatever a model tries after that gets the same answer.
        self._waiting = decision if decision.waits_for_a_person else None
        return decision

    async def recall(self, space: str, key: str) -> str:
        return known(await self.autonomy.recall(space, key, run=self.work.run.id))

    async def remember(self, space: str, key: str, finding: str) -> str:
        await self.autonomy.remember(space, key, {"finding": finding}, run=self.work.run.id)
        return KEPT

    recall.__doc__, remember.__doc__ = Desk.recall.__doc__, Desk.remember.__doc__


def answered(work: Work) -> Decision | None:
    """The no that a person, or nobody in time, gave to this step's question; None without a no."""
    asked = work.approval
    if asked is None or asked.granted:
        return None
    reason = asked.reason or f"The question was {asked.status}."
    return Decision(asked.id, "deny", reason, rule="", policy="", obligations=(), escalation=None)


def in_words(decision: Decision) -> str:
    """A decision as a model understands it."""
    if decision.waits_for_a_person:
        return "WAIT: a person decides. Stop here and do nothing else."
    if not decision.allowed:
        return f"NO: {decision.reason or 'it is not allowed.'} Do not do it."
    duties = json.dumps([dict(each) for each in decision.obligations], default=str)
    return f"YES: go on, and keep to {duties}." if decision.obligations else "YES: go on."


def known(fact: Fact | None) -> str:
    """A fact as a model understands it."""
    return json.dumps(dict(fact.value), default=str) if fact else NOTHING_KNOWN
