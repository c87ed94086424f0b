"""Planted cases: questions with a known answer, asked like any other; whoever answers is told kindly afterwards."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import rfc8785
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from agents.models import Agent, Principal
from agents.operations import require
from governance.models import Decision, Escalation, PlantedCase, Policy
from governance.operations.opening import Asked, Place, open_escalation
from governance.rules.amending import value_at
from governance.rules.learning import differences, retold
from observability import ledger

RIGHT = "governance.plant_case"
TITLE_AT_MOST, WHY_AT_MOST, FACTS_AT_MOST, FACT_AT_MOST = 300, 2_000, 30, 300
REQUEST_AT_MOST = 20_000
_RANDOM = secrets.SystemRandom()


class NoPattern(ledger.NotFound):
    """There is no answered question of an agent with this id, or you may not see it."""

    code = "no_pattern"


@dataclass(frozen=True)
class Planted:
    """What somebody plants: an answered question that it looks like, what differs, the right answer and why."""

    like: Escalation
    title: str
    request: Mapping[str, Any]
    shown: list[dict[str, str]]
    right_answer: str
    why: str
    statement: str = ""


def may_plant(user: Principal) -> bool:
    """Whether this person plants cases, and sees those that are planted."""
    return user.is_person and user.may(RIGHT)


def pattern(user: Principal, uid: UUID) -> Escalation:
    """The answered question of an agent that a planted case shall look like. Raises NoPattern."""
    rows = Escalation.objects.visible_to(user).decided().exclude(agent=None).exclude(policy="")
    found = rows.select_related("agent", "path", "unit").filter(uid=uid).first()
    if found is None:
        raise NoPattern
    return found


@transaction.atomic
def plant(given: Planted, *, by: Principal, at: datetime) -> PlantedCase:
    """Keep a case for a moment that nobody knows. It is asked once, counts nowhere, and does nothing."""
    require(by, RIGHT)
    policy = Policy.objects.visible_to(by).filter(key=given.like.policy).first()
    if policy is None:
        raise ledger.Invalid(fields={"like": "Its policy is gone, or you may not see it."})
    _check(given)
    digest = _digest(given.request)
    if Decision.objects.filter(request_sha256=digest).exists():
        raise ledger.Invalid(fields={"request": "An agent asked exactly this already. Change the request."})
    case = PlantedCase.objects.create(
        policy=policy, like=given.like, path=given.like.path, title=given.title.strip(), request=dict(given.request),
        shown=given.shown, statement=given.statement.strip(), right_answer=given.right_answer, why=given.why.strip(),
        ask_at=_some_time(at), planted_by=by, planted_at=at,
    )  # fmt: skip
    ledger.record("planted.added", case, by=by, at=at, data={"policy": policy.key})
    return case


def _check(given: Planted) -> None:
    wrong: dict[str, str] = {}
    if not 0 < len(given.title.strip()) <= TITLE_AT_MOST:
        wrong["title"] = f"Write what is asked, in at most {TITLE_AT_MOST} characters."
    if given.right_answer not in PlantedCase.Answer.values:
        wrong["right_answer"] = "Approve or reject."
    if not 0 < len(given.why.strip()) <= WHY_AT_MOST:
        wrong["why"] = "Say why this is the right answer: who answers reads it afterwards."
    if len(given.shown) > FACTS_AT_MOST or any(len(f["label"] + f["value"]) > FACT_AT_MOST for f in given.shown):
        wrong["shown"] = f"At most {FACTS_AT_MOST} facts of {FACT_AT_MOST} characters."
    if not _fits(given.request):
        wrong["request"] = "A request has action, resource and context, and at most 20,000 characters."
    if wrong:
        raise ledger.Invalid("The case was not planted.", fields=wrong)


def _fits(request: Mapping[str, Any]) -> bool:
    parts = isinstance(request.get("resource"), Mapping) and isinstance(request.get("context"), Mapping)
    try:
        return bool(parts and request.get("action") and len(rfc8785.dumps(dict(request))) <= REQUEST_AT_MOST)
    except (rfc8785.CanonicalizationError, RecursionError):
        return False


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(dict(request))).hexdigest()


def _some_time(at: datetime) -> datetime:
    """A moment after the last one that is waited for; on average as far apart as the setting says."""
    last = PlantedCase.objects.waiting().aggregate(last=Max("ask_at"))["last"] or at
    rate = settings.PLANTED_PER_DAY or 1
    return max(last, at) + timedelta(days=_RANDOM.uniform(0, 2 / rate))


@transaction.atomic
def withdraw_case(case: PlantedCase, *, by: Principal, at: datetime) -> PlantedCase:
    """Take back a case that nobody was asked yet."""
    require(by, RIGHT)
    case = PlantedCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if not case.is_waiting:
        raise ledger.WrongStatus("It was asked already, or taken back.")
    case.withdrawn_at = at
    case.save(update_fields=["withdrawn_at"])
    ledger.record("planted.withdrawn", case, by=by, at=at)
    return case


# --- asked ----------------------------------------------------------------------------------------------------
def ask_planted(*, at: datetime, at_most: int) -> int:
    """Ask the cases whose moment has come; how many. Where the setting says none a day, none is asked."""
    if not settings.PLANTED_PER_DAY:
        return 0
    due = PlantedCase.objects.due(at).order_by("ask_at").values_list("pk", flat=True)[:at_most]
    return sum(_ask(pk, at) for pk in list(due))


@transaction.atomic
def _ask(pk: int, at: datetime) -> bool:
    rows = PlantedCase.objects.select_for_update(of=("self",)).select_related(
        "like__agent", "like__unit", "path", "policy"
    )
    case = rows.filter(pk=pk).first()
    agent = case.like.agent if case is not None else None
    if case is None or not case.is_waiting or agent is None or agent.status != Agent.Status.ACTIVE:
        return False  # somebody was faster, or the agent does not ask now: a question of it would be none
    asked = _asked(case)
    # As the agent's question it has to look: the ledger says whose it was as soon as it is over.
    escalation = open_escalation(asked, by=agent, at=at)
    escalation.is_planted = True
    escalation.save(update_fields=["is_planted"])
    case.escalation = escalation
    try:
        with transaction.atomic():
            case.save(update_fields=["escalation"])
    except IntegrityError:
        return False
    return True


def _asked(case: PlantedCase) -> Asked:
    like = case.like
    changed = differences(like.request, case.request)
    copied = ("kind", "risk", "effect", "unit", "agent", "likeness", "policy", "confidence", "if_approved",
              "if_rejected", "if_nobody", "reach", "reversible")  # fmt: skip
    told = ("reason_asked", "conditions", "changes", "evidence")
    return Asked(
        **{name: getattr(like, name) for name in copied},
        **{name: retold(getattr(like, name), changed) for name in told},
        path=case.path, title=case.title, request=case.request, request_sha256=_digest(case.request), shown=case.shown,
        confirm=_confirm(like.confirm, case.request),
        statement=case.statement or retold(like.statement, changed), policy_version=_version_now(case),
        seconds=max(int((like.due_at - like.opened_at).total_seconds()), 60),
        place=Place(workflow=like.workflow, workflow_name=like.workflow_name), not_by=tuple(_who_know()),
    )  # fmt: skip


def _confirm(wanted: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    # As of any question on this policy; what is not in the request cannot be typed.
    missing = value_at(request, wanted.get("type", "")) is None
    return {name: each for name, each in wanted.items() if not (name == "type" and missing)}


def _version_now(case: PlantedCase) -> int | None:
    # A question of today names the version of today.
    active = case.policy.versions.active().values_list("number", flat=True).first()
    return active or case.like.policy_version


def _who_know() -> list[Principal]:
    """Those who see which cases are planted: they would not be tested by one."""
    people = Principal.objects.people().filter(groups__permissions__codename="plant_case").distinct()
    return list(people)


# --- told -----------------------------------------------------------------------------------------------------
@transaction.atomic
def note_planted(*, at: datetime, at_most: int) -> int:
    """Put on record that a question was planted, once it is over; how many."""
    rows = PlantedCase.objects.unnoted().select_for_update(skip_locked=True, of=("self",))
    found = list(rows.select_related("escalation__settled_by", "planted_by").order_by("pk")[:at_most])
    for case in found:
        case.noted_at = at
        case.save(update_fields=["noted_at"])
        if case.escalation is not None:
            # Colleagues read this too: it says that the agent never asked, not who caught what.
            ledger.record("planted.over", case.escalation, by=ledger.SYSTEM, at=at, data={"case": str(case.uid)})
    return len(found)


def to_tell(person: Principal) -> list[PlantedCase]:
    """The planted cases that this person answered and has not been told about, the newest first."""
    return list(PlantedCase.objects.to_tell(person).select_related("escalation")[:3])


def mark_told(uid: UUID, *, by: Principal, at: datetime) -> None:
    """The person has read that the case was planted. Raises NotFound for a case of somebody else."""
    if not PlantedCase.objects.to_tell(by).filter(uid=uid).update(told_at=at):
        raise ledger.NotFound
