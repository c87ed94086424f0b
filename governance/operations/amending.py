"""Amending: whoever decides changes a request within the bounds of the policy, and it is decided again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agents.models import Agent, Principal
from governance.models import Decision, Escalation, EscalationPath
from governance.operations.decisions import (
    Answer,
    answer_to,
    conditions_told,
    confirm_of,
    excluded,
    request_digest,
    request_of,
    shown_of,
    write,
)
from governance.operations.escalations import RequestChanged
from governance.operations.facts import Circumstances, Question
from governance.operations.opening import Place, queued
from governance.operations.paths import levels_of
from governance.operations.standing import require_standing
from governance.rules import EscalationTerms, Verdict
from governance.rules.amending import wrong_amendments
from governance.rules.approving import needed_for
from observability import ledger

TITLE_AT_MOST = 300


class AmendmentRefused(ledger.Refused):
    """The policies do not let this be done in the changed form. Nothing was changed."""

    code = "amendment_refused"


@dataclass(frozen=True)
class Amendment:
    """New values of fields of the context, as text, for the request that was read."""

    values: Mapping[str, str]
    request_sha256: str
    reason: str = ""


def amend(
    escalation: Escalation, amendment: Amendment, *, reviewer: Principal, at: datetime, place: Place | None = None
) -> None:  # fmt: skip
    """Change the request that the question is about, within the bounds of the policy, and decide it again: from then on
    an answer is bound to the changed request, and approvals given before count no more. `place` is where in a workflow
    it comes up. Raises what an answer raises, Invalid for a value out of bounds, or AmendmentRefused."""
    require_standing(reviewer, escalation, at=at)
    if amendment.request_sha256 != escalation.request_sha256:
        raise RequestChanged
    agent = escalation.agent
    if agent is None or not escalation.amendable or escalation.is_planted:  # nobody asked what is planted
        raise AmendmentRefused("The policy lets nothing of this request be changed.")
    context = _changed(escalation, amendment.values)
    answer = _decided_again(escalation, context, agent, place, at)
    terms = _still_asked(escalation, answer)
    decision = write(_asking_still(answer), reviewer)
    _put(escalation, amendment, answer, decision, terms, by=reviewer, at=at)


def _changed(escalation: Escalation, values: Mapping[str, str]) -> dict[str, Any]:
    context = escalation.request["context"]
    wrong = wrong_amendments(values, escalation.amendable)
    changed = {name: _like(context[name], value) for name, value in values.items() if name not in wrong}
    wrong |= {name: "Give a whole number." for name, value in changed.items() if value is None}
    if not wrong and all(str(context[name]) == str(value) for name, value in changed.items()):
        wrong = dict.fromkeys(values or ("values",), "Nothing is changed by this.")
    if wrong:
        raise ledger.Invalid("Nothing was changed.", fields=wrong)
    return {**context, **changed}


def _like(before: Any, value: str) -> Any:
    # A whole number stays one in the request; all other numbers are kept as text.
    if isinstance(before, int):
        return int(value) if value.strip().lstrip("-").isdecimal() else None
    return value.strip()


def _decided_again(
    escalation: Escalation, context: dict[str, Any], agent: Agent, place: Place | None, at: datetime
) -> Answer:
    was = escalation.request
    question = Question(
        action=was["action"], resource=was["resource"], context=context, request_key="", title=escalation.title,
        statement=escalation.statement, confidence=escalation.confidence, place=place or Place(),
        subject=was["subject"].get("properties", {}), action_properties=was.get("action_properties", {}),
    )  # fmt: skip
    request = request_of(question, agent)
    return answer_to(question, request, request_digest(request), Circumstances(agent, at))


def _asking_still(answer: Answer) -> Answer:
    # What needs nobody in this form is asked all the same, and nobody was allowed it: the agent asks again itself.
    return replace(answer, ruling=replace(answer.ruling, verdict=Verdict.ESCALATE))


def _still_asked(escalation: Escalation, answer: Answer) -> EscalationTerms | None:
    ruling = answer.ruling
    if ruling.verdict is Verdict.DENY:
        raise AmendmentRefused(f"The policies deny it in this form, and nothing was changed. {ruling.reason}")
    terms = ruling.escalation
    if terms is not None and {terms.path, *terms.also} - {escalation.path.key}:
        raise AmendmentRefused("In this form other people would have to be asked. Nothing was changed; reject it.")
    return terms


def _put(
    escalation: Escalation, amendment: Amendment, answer: Answer, decision: Decision, terms: EscalationTerms | None, *,
    by: Principal, at: datetime,
) -> None:  # fmt: skip
    path, levels = escalation.path, levels_of(escalation.path)
    wanted = max(escalation.approvals_asked, terms.approvals if terms else 1)
    asked = escalation.asked if path.mode == EscalationPath.Mode.PASS_ON else levels[0]
    place = next((number for number, level in enumerate(levels) if level.pk == asked.pk), 0)
    before = {name: str(escalation.request["context"][name]) for name in amendment.values}
    after = {name: str(answer.request["context"][name]) for name in amendment.values}
    escalation.votes.all().delete()
    ledger.move(
        escalation, Escalation.Status.OPEN, by=by, verb="escalation.amended", at=at, why=amendment.reason,
        data={"from": before, "to": after, "sha256": answer.asking.digest},
        expect={"request_sha256": escalation.request_sha256}, request=answer.request,
        request_sha256=answer.asking.digest, original=escalation.original or escalation.request,
        amended_decision=decision, amended_by=by, title=_title(escalation, after), asked=asked,
        approvals_asked=wanted, approvals_needed=needed_for(path.mode, [each.quorum for each in levels], place, wanted),
        **(_asking(answer, decision, terms) if terms else {}), **_queued(escalation, answer, after),
    )  # fmt: skip
    if terms:
        escalation.not_by.add(*excluded(terms))


def _asking(answer: Answer, decision: Decision, terms: EscalationTerms) -> dict[str, Any]:
    question, known = answer.asking.question, answer.asking.known
    return {
        "shown": shown_of(question, known.schema), "confirm": confirm_of(terms), "on_timeout": terms.on_timeout,
        "conditions": conditions_told(answer.ruling, answer.facts, known.rules), "reason_asked": answer.ruling.reason,
        "policy": decision.policy, "policy_version": decision.policy_version,
    }  # fmt: skip


def _queued(escalation: Escalation, answer: Answer, after: Mapping[str, str]) -> dict[str, Any]:
    return queued(
        escalation.agent, title=_title(escalation, after), likeness=escalation.likeness, path=escalation.path.key,
        risk=escalation.risk, run_key=escalation.run_key, request=answer.request,
    )  # fmt: skip


def _title(escalation: Escalation, after: Mapping[str, str]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in {**escalation.amended, **after}.items())
    title = escalation.title.partition(" (amended: ")[0]
    return f"{title[: TITLE_AT_MOST - 120]} (amended: {told[:100]})"
