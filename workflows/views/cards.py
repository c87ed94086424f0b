"""The decision card: everything a person needs to answer one escalation, computed from its row and its path."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Prefetch
from django.utils import timezone

from agents.models import Principal
from governance import operations as governance
from governance.models import Delegation, Escalation, EscalationPath, HandOver, Inquiry, PathStep, Policy, Vote
from governance.operations import learning
from observability.charts import amount
from observability.templatetags.ledger import inert
from workflows.models import Run, Step, Timer
from workflows.views.similar import Past, facts_named, past_of, record_of

FACTS_AT_MOST, FACTS_OF_ONE_STEP, FACT_LENGTH = 4, 2, 40
NO_FACT = {"", "0", "0.0", "True", "False", "None"}
DIGEST = re.compile(r"[0-9a-f]{32,}")
EXACT = re.compile(r"-?\d+\.\d+")
CURRENCY = re.compile(r"[A-Z]{3}")
ICONS = {
    "invoice": "receipt",
    "order": "clipboard-list",
    "receipt": "package-check",
    "fact": "database",
    "step": "circle-check",
}
MINUTE, HOUR, DAY = 60, 3600, 86400
CARD_ONLY = ("request", "conditions", "shown", "changes", "evidence", "statement")  # large, and no list shows them


@dataclass(frozen=True)
class Level:
    """Who is asked on one level of the path: `state` is past, now or next, `until` the end of their time if known."""

    who: str
    state: str
    time: str
    until: datetime | None
    approved: int = 0
    quorum: int = 1


@dataclass(frozen=True)
class Card:
    """One escalation as `viewer` sees it at the time `at`."""

    escalation: Escalation
    viewer: Principal
    at: datetime

    @cached_property
    def votes(self) -> list[Vote]:
        """The approvals given so far where more than one is needed."""
        return list(self.escalation.votes.select_related("person", "instead_of").order_by("id"))

    @property
    def lacking(self) -> int:
        """How many more people have to approve."""
        return max(self.escalation.approvals_needed - len(self.votes), 0)

    @property
    def has_voted(self) -> bool:
        """Whether the viewer approved already and waits for others."""
        return any(self.viewer.pk in (vote.person_id, vote.instead_of_id) for vote in self.votes)

    @property
    def was_voted_for(self) -> bool:
        """Whether somebody approved it instead of the viewer."""
        return any(vote.instead_of_id == self.viewer.pk for vote in self.votes)

    @cached_property
    def standing(self) -> governance.Standing | None:
        """How the viewer may decide it; None for who is not asked now."""
        return governance.standing_of(self.viewer, self.escalation) if self.escalation.is_open else None

    @property
    def may_answer(self) -> bool:
        """Whether the viewer is one of those who are asked now, in time."""
        return self.standing is not None and not self.is_late

    @cached_property
    def why_not(self) -> str:
        """Why the viewer does not decide it, where there is more to say than that others are asked."""
        return governance.why_not(self.viewer, self.escalation) if self.escalation.is_open else ""

    @property
    def delegation(self) -> Delegation | None:
        """Under which delegation the viewer would decide; None for somebody who is asked in person."""
        return self.standing.delegation if self.standing is not None and self.may_answer else None

    @property
    def is_late(self) -> bool:
        """Whether the time of those who are asked has run out."""
        return self.at >= self.escalation.due_at

    @cached_property
    def run(self) -> Run | None:
        """The run it belongs to."""
        if not self.escalation.run:
            return None
        return Run.objects.visible_to(self.viewer).filter(uid=self.escalation.run).first()

    @cached_property
    def step(self) -> Step | None:
        """The step that waits for the answer, or waited for it."""
        return Step.objects.filter(escalation=self.escalation).first()

    @cached_property
    def policy_title(self) -> str:
        """The title of the policy that asks, its key when the viewer may not open it."""
        if not self.escalation.policy:
            return ""
        visible = Policy.objects.visible_to(self.viewer).filter(key=self.escalation.policy)
        return visible.values_list("title", flat=True).first() or ""

    @cached_property
    def facts(self) -> list[dict[str, str]]:
        """At most four facts: what is known about the request, then the agent's confidence and the cost so far."""
        facts = leading_facts(self.escalation.shown)
        if self.escalation.confidence is not None:
            facts.append({"label": "Agent’s confidence", "value": f"{self.escalation.confidence.normalize():f}"})
        if self.run is not None and self.run.cost:
            facts.append({"label": "Cost of the run so far", "value": amount(self.run.cost)})
        return facts[:FACTS_AT_MOST]

    @property
    def known(self) -> list[dict[str, str]]:
        """Everything that was known when it was asked, in the order of the work."""
        given = [fact for fact in self.escalation.shown if fact["value"]]
        return [{"label": inert(fact["label"]), "value": readable(fact["value"])} for fact in given]

    @property
    def changes(self) -> list[dict[str, str]]:
        """What the asked action changes, in the agent's words made harmless."""
        columns = ("field", "before", "after")
        return [{name: inert(change.get(name)) for name in columns} for change in self.escalation.changes]

    @property
    def evidence(self) -> list[dict[str, str]]:
        """What backs the request; a fact of shared memory with its author and age."""
        known = facts_named(self.escalation.evidence, self.viewer, self.at)
        return [
            {
                "icon": ICONS.get(item.get("kind", ""), "file-text"), "name": inert(item.get("name")),
                "proves": inert(item.get("proves")), "sha256": inert(item.get("sha256")),
                "found": known.get(str(item.get("sha256")), ""),
            }
            for item in self.escalation.evidence
        ]  # fmt: skip

    @property
    def conditions(self) -> list[dict[str, Any]]:
        """The policy's conditions with their values, those that made it ask first."""
        shown = [_inert_condition(condition) for condition in self.escalation.conditions]
        return sorted(shown, key=lambda condition: condition["outcome"] == "false")

    @cached_property
    def levels(self) -> list[Level]:
        """Who is asked, level by level."""
        steps = self.escalation.path.steps.select_related("group").prefetch_related(by_name("people"))
        if self.escalation.kind == Escalation.Kind.REVIEW:
            steps = steps.filter(pk=self.escalation.asked_id)  # nobody is asked after these
        return [self._level(step) for step in steps.order_by("level")]

    def _level(self, step: PathStep) -> Level:
        asked = self.escalation.asked.level
        state = "past" if step.level < asked else "now" if step.level == asked else "next"
        until = self.escalation.due_at if state == "now" else None
        if self.escalation.path.mode == EscalationPath.Mode.PARALLEL:
            state = "now"
        approved = self._given[step.pk]
        who = f"{step.quorum} of {step.who()}" if step.quorum > 1 else step.who()
        return Level(who, state, length(step.seconds), until, approved, step.quorum)

    @cached_property
    def _given(self) -> "Counter[int | None]":
        return Counter(vote.level_id for vote in self.votes)

    @property
    def asked_now(self) -> str:
        """The people or the group whose turn it is."""
        return next((level.who for level in self.levels if level.state == "now"), "nobody")

    @cached_property
    def past(self) -> Past:
        """How questions like this were settled, as far as the viewer may see them."""
        return past_of(self.escalation, self.viewer)

    @cached_property
    def record(self) -> Mapping[str, int] | None:
        """How the agent's own questions of this kind were answered."""
        return record_of(self.escalation)

    @cached_property
    def four_eyes(self) -> str:
        """Which of several approvals the viewer's would be, and whose turn it is then."""
        if self.lacking == 0 or self.escalation.approvals_needed == 1 or not self.may_answer or self.has_voted:
            return ""
        mine = f"You are the {ordinal(len(self.votes) + 1)} of {self.escalation.approvals_needed}"
        return f"{mine}; {self._others} {ordinal(len(self.votes) + 2)}." if self.lacking > 1 else f"{mine}, the last."

    @property
    def _others(self) -> str:
        in_order = self.escalation.path.mode == EscalationPath.Mode.IN_ORDER
        level = self.escalation.asked
        asked = level.quorum - sum(vote.level_id == level.pk for vote in self.votes) > 1 or not in_order
        steps = self.escalation.path.steps.select_related("group").prefetch_related(by_name("people"))
        wanted = steps.filter(level=level.level) if asked else steps.filter(level__gt=level.level)[:1]
        if self.escalation.path.mode == EscalationPath.Mode.PARALLEL:
            wanted = steps.all()
        voted = {vote.person_id for vote in self.votes} | {self.viewer.pk}
        names = [str(each) for step in wanted for each in step.people.all() if each.pk not in voted]
        names += [f"somebody of {step.group.name}" for step in wanted if step.group is not None]
        return f"{' or '.join(dict.fromkeys(names)) or 'somebody else'} is"

    @cached_property
    def inquiries(self) -> list[Inquiry]:
        """What people asked the agent, and its answers."""
        return list(self.escalation.inquiries.select_related("asked_by"))

    @property
    def waits_for_agent(self) -> Inquiry | None:
        """The question that the agent has not answered yet."""
        return next((each for each in self.inquiries if each.answered_at is None), None)

    @cached_property
    def handed_over(self) -> list[HandOver]:
        """Who handed it over to whom."""
        return list(self.escalation.handed_over.select_related("by", "to_person", "to_group"))

    @property
    def amendable(self) -> list[dict[str, Any]]:
        """The fields that the viewer may change: their name, label, value and bounds."""
        context = self.escalation.request.get("context", {})
        return [
            {**each, "label": each["field"].replace("_", " ").capitalize(), "value": context.get(each["field"], "")}
            for each in self.escalation.amendable
        ]

    @property
    def confirm_words(self) -> str:
        """What has to be typed to approve: the amount."""
        name = str(self.escalation.confirm.get("type", "")).rpartition(".")[2].replace("_", " ")
        return f"Confirm the {name}"

    @property
    def amended(self) -> list[dict[str, str]]:
        """What somebody changed in the request, before and after."""
        was = (self.escalation.original or {}).get("context", {})
        return [
            {"field": inert(name), "before": inert(was.get(name)), "after": inert(value)}
            for name, value in self.escalation.amended.items()
        ]

    @cached_property
    def receivers(self) -> list[tuple[str, str]]:
        """Whom the viewer may name to hand it over to: people who may decide, and roles."""
        people = governance.deciders(self.viewer).exclude(pk=self.viewer.pk).order_by("name")[:200]
        roles = Group.objects.filter(permissions__codename="settle_escalation").order_by("name")
        named = [(f"person:{each.username}", each.name) for each in people]
        return named + [(f"role:{role.name}", f"Everybody of the role {role.name}") for role in roles]

    @cached_property
    def learning(self) -> learning.Told:
        """What is learnt from answers, as far as it is told on this card."""
        return learning.told_on_card(self.escalation, self.viewer, may_answer=self.may_answer, at=self.at)

    @property
    def if_approved(self) -> str:
        """What follows when the viewer approves."""
        if self.lacking > 1:
            return f"Nothing yet: {others(self.lacking - 1)} to approve as well. Then: {self.escalation.if_approved}"
        return self.escalation.if_approved or "The work goes on."

    @property
    def if_rejected(self) -> str:
        """What follows when the viewer rejects."""
        return self.escalation.if_rejected or "It is not done."

    @property
    def if_nobody(self) -> str:
        """What follows when the time runs out: the workflow's own way, the next people, or no."""
        moment = f"{when(self.escalation.due_at, self.at)}:"
        if self.escalation.kind == Escalation.Kind.REVIEW:
            return f"{moment} {self.escalation.if_nobody}"
        if self.escalation.if_nobody and self._timer_fires():
            return f"{moment} {self.escalation.if_nobody}"
        following = next((level for level in self.levels if level.state == "next"), None)
        if following is not None and self.escalation.path.mode == EscalationPath.Mode.PASS_ON:
            return f"{moment} {following.who} is asked, for {following.time}. Nothing is done until then."
        if governance.approves_unanswered(self.escalation):
            return f"{moment} the answer is yes: the path approves what has low risk. {self.if_approved}"
        return f"{moment} the answer is no. {self.if_rejected}"

    def _timer_fires(self) -> bool:
        due = Timer.objects.filter(status=Timer.Status.SET, due_at=self.escalation.due_at)
        return bool(self.escalation.run) and due.filter(run__uid=self.escalation.run).exists()


def by_name(people: str) -> "Prefetch[str]":
    """The people at the end of a relation, in the order of their names."""
    return Prefetch(people, Principal.objects.order_by("name"))


def leading_facts(shown: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The facts to show large: short values of the latest steps first, at most two of one step; an amount has its
    currency beside it."""
    kept, of_group = [], dict[str, int]()
    known = [fact for fact in shown if _is_short(fact["value"])]
    currency = next((fact["value"] for fact in known if CURRENCY.fullmatch(fact["value"])), "")
    groups = list(dict.fromkeys(fact.get("group", "") for fact in known))
    for fact in sorted(known, key=lambda fact: -groups.index(fact.get("group", ""))):
        group = fact.get("group", "")
        if fact["value"] == currency or (group and of_group.get(group, 0) >= FACTS_OF_ONE_STEP):
            continue
        of_group[group] = of_group.get(group, 0) + 1
        unit = f" {currency}" if currency and "amount" in fact["label"].casefold() else ""
        kept.append({"label": inert(fact["label"]), "value": f"{readable(fact['value'])}{unit}"})
    return kept[:FACTS_AT_MOST]


def _is_short(value: str) -> bool:
    return value not in NO_FACT and len(value) <= FACT_LENGTH and not DIGEST.fullmatch(value)


def readable(value: str) -> str:
    """A value as people read it: exact numbers with separators, yes and no, nothing hidden."""
    if EXACT.fullmatch(value):
        return f"{Decimal(value):,}"
    return {"True": "yes", "False": "no"}.get(value, inert(value))


def length(seconds: int) -> str:
    """How long people have: 4 h, 30 min, 2 days."""
    if seconds % DAY == 0:
        return "1 day" if seconds == DAY else f"{seconds // DAY} days"
    return f"{seconds // HOUR} h" if seconds % HOUR == 0 else f"{seconds // MINUTE} min"


def ordinal(number: int) -> str:
    """first, second, third, 4th."""
    return ("first", "second", "third")[number - 1] if number <= 3 else f"{number}th"


def others(number: int) -> str:
    """Who else is needed: another person has, 2 other people have."""
    return "another person has" if number == 1 else f"{number} other people have"


def when(moment: datetime, at: datetime) -> str:
    """A deadline in a sentence: At 13:38, with the day when it is not within a day of `at`."""
    local = timezone.localtime(moment)
    near = abs(moment - at) < timedelta(hours=20) and local.date() == timezone.localtime(at).date()
    return f"At {local:%H:%M}" if near else f"On {local.day} {local:%b at %H:%M}"


def _inert_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    """A condition with nothing in it that a browser would take for more than text, and those inside it."""
    told: dict[str, Any] = {name: inert(value) for name, value in condition.items() if name != "inside"}
    return told | {"inside": [_inert_condition(below) for below in condition.get("inside") or ()]}
