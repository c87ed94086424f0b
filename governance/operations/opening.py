"""Opening a question: what people are asked, whom, until when, and who must not decide it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from agents.models import Agent, Principal, Unit
from governance.models import Decision, Escalation, EscalationPath, PolicyVersion, Risk
from governance.operations.paths import first_to_end, levels_of, reminder
from governance.rules.approving import needed_for
from governance.rules.queueing import Likeness, band_of, sought_in
from observability import ledger


@dataclass(frozen=True)
class Place:
    """Where in a workflow a question comes up; names and ids, the path of the unit whose workflow it is, and which
    steps a person approved on the way."""

    workflow: str = ""
    workflow_name: str = ""
    run: str = ""
    run_key: str = ""
    step: str = ""
    approved: tuple[str, ...] = ()
    unit_path: str = ""


@dataclass(frozen=True)
class Asked:
    """Everything that the card of a question shows, and what its answer is bound to."""

    kind: str
    title: str
    path: EscalationPath
    unit: Unit
    likeness: str
    request: dict[str, Any]
    request_sha256: str
    place: Place = Place()
    risk: int = Risk.MEDIUM
    effect: str = ""
    agent: Agent | None = None
    decision: Decision | None = None
    reason_asked: str = ""
    policy: str = ""
    policy_version: int | None = None
    seconds: int | None = None
    approvals: int = 1
    on_timeout: str = "deny"
    reach: str = ""
    reversible: str = ""
    amendable: list[dict[str, Any]] = field(default_factory=list)
    confirm: dict[str, Any] = field(default_factory=dict)
    conditions: list[dict[str, Any]] = field(default_factory=list)
    shown: list[dict[str, str]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    statement: str = ""
    confidence: Decimal | None = None
    if_approved: str = ""
    if_rejected: str = ""
    if_nobody: str = ""
    not_by: tuple[Principal, ...] = ()


def open_escalation(asked: Asked, *, by: ledger.Acts, at: datetime) -> Escalation:
    """Ask the first level of the path (where all are asked at once, all of them), within the path's time or the shorter
    `seconds` of the policy. Whom the path keeps from deciding is looked up now and does not decide later either."""
    levels = levels_of(asked.path)
    if not levels:
        raise ledger.Invalid(f"The escalation path {asked.path} has no level; nobody can be asked.")
    quorums, first = [level.quorum for level in levels], first_to_end(asked.path, levels)
    due_at = asked.path.ends_at(at, min(first.seconds, asked.seconds or first.seconds))
    columns = {name: value for name, value in vars(asked).items() if name not in _NOT_COLUMNS}
    found_by = queued(
        asked.agent, title=asked.title, likeness=asked.likeness, path=asked.path.key, risk=asked.risk,
        run_key=asked.place.run_key, request=asked.request,
    )  # fmt: skip
    escalation = Escalation.objects.create(
        **columns, asked=levels[0], approvals_asked=asked.approvals, opened_at=at, due_at=due_at,
        approvals_needed=needed_for(asked.path.mode, quorums, 0, asked.approvals),
        remind_at=reminder(first, due_at, at), workflow=asked.place.workflow,
        workflow_name=asked.place.workflow_name, run=asked.place.run, run_key=asked.place.run_key, **found_by,
    )  # fmt: skip
    escalation.not_by.set(barred(asked, by))
    ledger.record("escalation.opened", escalation, by=by, at=at, why=asked.reason_asked, after=escalation.status)
    return escalation


def queued(
    agent: Agent | None, *, title: str, likeness: str, path: str, risk: int, run_key: str, request: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """What the queue groups and finds a question about this request by."""
    known = request.get("context") or {}
    currency, below = str(known.get("currency", ""))[:3], band_of(known.get("amount", ""))
    resource = (request.get("resource") or {}).get("id", "")
    alike = Likeness(agent.code if agent else "", likeness, path, risk, currency, below)
    who = (agent.code, agent.name) if agent else ()
    sought = sought_in(title, *who, run_key, str(resource))
    return {"alike": alike.key, "currency": currency, "amount_below": below, "sought": sought}


_NOT_COLUMNS = {"place", "seconds", "approvals", "not_by"}


def barred(asked: Asked, by: ledger.Acts) -> set[Principal]:
    """Who must not decide this question: whom the asker names, for whom an agent asks, and whom the path names."""
    people = {*asked.not_by, *_behind(by)}
    if asked.path.bars_accountable and asked.agent is not None:
        people |= {each for each in (asked.agent.accountable, asked.agent.stand_in) if each is not None}
    if asked.path.bars_author and asked.policy:
        version = PolicyVersion.objects.filter(policy__key=asked.policy, number=asked.policy_version or 0)
        people |= {each.author for each in version.select_related("author") if each.author is not None}
    return people


def _behind(by: ledger.Acts) -> set[Principal]:
    # A person for whom an agent acts does not approve what it asks in their name.
    caller = by.as_actor().caller
    names = [each["id"] for each in caller.on_behalf_of if each.get("kind") == "person"] if caller else []
    return set(Principal.objects.people().filter(username__in=names)) if names else set()
