"""Handing off: an agent gives its step on to another role, with a snapshot of what it knows. Who holds the step next
reads it, and only as long as it holds it; people read it who see the run."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from django.conf import settings
from django.db import transaction

from agents.models import Agent, Principal, Role
from agents.operations import require_active
from governance import operations as governance
from governance.models import Decision
from observability import ledger
from observability.models import Event
from workflows.models import Fact, HandOff, Run, Step, Workflow
from workflows.operations import questions
from workflows.operations.definitions import graph_of
from workflows.operations.schemas import too_large, wrong_with_values
from workflows.operations.turns import next_turn
from workflows.operations.work.leases import held_for_report

REFERENCES_AT_MOST = 50
ROUND = "Handed off {} times without being finished; a person has to look at who should do it."
ALTERED = "What was handed off with this step is not what its sender gave: it was changed afterwards."


class HandOffAltered(ledger.Refused):
    """What was handed off is not what its sender gave: it was changed afterwards, and nothing of it is shown."""

    code = "hand_off_altered"


class SenderDiffers(ledger.Invalid):
    """The SHA-256 that was sent is not that of the context as it arrived. Nothing was handed off."""

    code = "context_altered"


@dataclass(frozen=True)
class Reference:
    """Something that the receiver may look up by its own rights: a fact or a decision, by its id."""

    kind: str
    id: UUID


@dataclass(frozen=True)
class Given:
    """What goes with a step: why, what the sender knows, and to what it refers; `sha256` is that of the canonical
    context (RFC 8785), when the sender wants to be sure that it arrives as it was sent."""

    to_role: str
    note: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    references: Sequence[Reference] = ()
    sha256: str = ""


@transaction.atomic
def hand_off(step: Step, given: Given, *, agent: Agent, lease_token: int, at: datetime) -> Step:
    """Give the step on to agents of another role. The sender is who holds the lease, never who is said to. A step that
    goes to and fro too often is put to a person instead. Raises StaleLease, or Invalid that names what does not fit."""
    require_active(agent)
    step = held_for_report(step, agent=agent, lease_token=lease_token, at=at)
    _check(step, given, agent, at)
    governance.release_step(str(step.uid), at=at, why="Handed off.")
    kept = _keep(step, given, agent, at)
    told = {"to_role": given.to_role, "number": kept.number, "sha256": kept.sha256, "hand_off": str(kept.uid)}
    if step.hand_offs >= settings.HAND_OFFS_AT_MOST:
        _stop(step, agent, told, at)
        return step
    ledger.move(
        step, Step.Status.READY, by=agent, verb="step.handed_off", at=at, why=given.note, data=told,
        expect={"lease_token": lease_token}, role=given.to_role, lease_token=lease_token + 1, leased_until=None,
        attempt=0, available_at=at, hand_offs=step.hand_offs + 1, assigned_to=None, assigned_until=None, capability="",
        turn=next_turn(step, role=given.to_role), ranked_at=at,
    )  # fmt: skip
    return step


def _stop(step: Step, agent: Agent, told: dict[str, Any], at: datetime) -> None:
    reason = ROUND.format(step.hand_offs)
    ledger.move(
        step, Step.Status.FAILED, by=agent, verb="step.handed_round", at=at, why=reason, data=told, error=reason,
        lease_token=step.lease_token + 1, leased_until=None, hand_offs=0,
    )  # fmt: skip
    questions.ask_about_incident(step, reason=reason, at=at)


# --- what is given ----------------------------------------------------------------------------------------------
def _check(step: Step, given: Given, agent: Agent, at: datetime) -> None:
    wrong = _wrong_with_role(step, given.to_role)
    wrong |= too_large(given.context, root="context")
    schema = graph_of(step.run.version_id).nodes[step.element].input_schema
    wrong |= wrong_with_values(given.context, schema, root="context")
    wrong |= _wrong_with_references(step, given.references, agent)
    if wrong:
        raise ledger.Invalid("Nothing was handed off.", fields=wrong)
    if given.sha256 and given.sha256 != sha256_of(given.context):
        raise SenderDiffers


def _wrong_with_role(step: Step, to_role: str) -> dict[str, str]:
    if to_role == step.role:
        return {"to_role": "This is the step's own role already; release the step instead."}
    if not Role.objects.filter(code=to_role).exists():
        return {"to_role": f"There is no role {to_role}."}
    workers = Agent.objects.employed().filter(role__code=to_role).select_related("principal")
    if any(step.run.workflow_id in each.principal.granted("workflows.work_in_workflow", Workflow) for each in workers):
        return {}
    return {"to_role": f"No agent of the role {to_role} works in {step.run.workflow}; nobody would ever take the step."}


def _wrong_with_references(step: Step, references: Sequence[Reference], agent: Agent) -> dict[str, str]:
    if len(references) > REFERENCES_AT_MOST:
        return {"references": f"Name at most {REFERENCES_AT_MOST}."}
    facts = Fact.objects.visible_to(agent.principal).filter(uid__in=_ids(references, "fact"))
    decisions = Decision.objects.filter(run=str(step.run.uid), uid__in=_ids(references, "decision"))
    known = {*facts.values_list("uid", flat=True), *decisions.values_list("uid", flat=True)}
    return {
        f"references.{place}": f"There is no such {each.kind}, or you may not see it."
        for place, each in enumerate(references)
        if each.id not in known
    }


def _ids(references: Sequence[Reference], kind: str) -> list[UUID]:
    return [each.id for each in references if each.kind == kind]


def _keep(step: Step, given: Given, agent: Agent, at: datetime) -> HandOff:
    last = HandOff.objects.filter(step=step).order_by("-number").first()
    kept = HandOff(
        step=step, number=last.number + 1 if last else 1, sender=agent, from_role=step.role, to_role=given.to_role,
        note=given.note, context=given.context, at=at, previous_sha256=last.sha256 if last else "",
        references=[{name: str(value) for name, value in asdict(each).items()} for each in given.references],
    )  # fmt: skip
    kept.sha256 = sha256_of(kept.as_document())
    kept.save()
    return kept


def sha256_of(document: Any) -> str:
    """The SHA-256 of the canonical form (RFC 8785) of plain values. Raises Invalid for what has none."""
    try:
        return hashlib.sha256(rfc8785.dumps(document)).hexdigest()
    except rfc8785.CanonicalizationError as odd:
        raise ledger.Invalid(fields={"context": f"This cannot be kept exactly: {odd}"[:300]}) from odd


# --- what is read -----------------------------------------------------------------------------------------------
def receive(steps: list[Step], *, agent: Agent, at: datetime) -> list[Step]:
    """The claimed steps, each of those that were handed off with `given`, the newest of what came with it. One whose
    hand-off was changed afterwards is put to a person instead."""
    handed = [step for step in steps if step.hand_offs]
    newest: dict[int, HandOff] = {}
    for each in HandOff.objects.filter(step__in=handed).select_related("sender").order_by("number") if handed else ():
        newest[each.step_id] = each
    return [step for step in steps if step.pk not in newest or _received(step, newest[step.pk], agent, at)]


def _received(step: Step, given: HandOff, agent: Agent, at: datetime) -> bool:
    given.step = step
    if not _is_as_sent(given):
        _refuse(step, at)
        return False
    given.receiver, given.received_at = agent, at
    given.save(update_fields=["receiver", "received_at"])
    step.handed = given
    return True


def _refuse(step: Step, at: datetime) -> None:
    # Who claims has locked the step without its run, so the run is not waited for: when somebody else has it, the lease
    # runs out and the next claim sees the same.
    run = Run.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=step.run_id).first()
    if run is None:
        return
    step.run = run
    ledger.move(
        step, Step.Status.FAILED, by=ledger.SYSTEM, verb="step.hand_off_altered", at=at, why=ALTERED, error=ALTERED,
        lease_token=step.lease_token + 1, leased_until=None,
    )  # fmt: skip
    questions.ask_about_incident(step, reason=ALTERED, at=at)


def _is_as_sent(given: HandOff) -> bool:
    # The ledger cannot be changed: who changes the row and its digest still differs from what stands there.
    try:
        digest = sha256_of(given.as_document())
    except ledger.Invalid:
        return False
    told = Event.objects.filter(run=str(given.step.run.uid), subject_kind="step", subject_id=str(given.step.uid))
    sent = told.filter(verb__in=("step.handed_off", "step.handed_round")).values_list("data", flat=True)
    said = {each.get("hand_off"): each.get("sha256") for each in sent}
    return digest == given.sha256 == said.get(str(given.uid))


def read_hand_offs(uid: UUID, *, by: Principal) -> list[HandOff]:
    """Everything that was handed off with this step, the first one first, for the agent that holds it and for people
    who see its run. Raises NotFound for everybody else, HandOffAltered when something of it was changed."""
    given = HandOff.objects.visible_to(by).filter(step__uid=uid).in_order()
    found = list(given.select_related("step__run", "sender", "receiver"))
    if not found:
        raise ledger.NotFound
    if not all(_is_as_sent(each) for each in found):
        raise HandOffAltered
    return found
