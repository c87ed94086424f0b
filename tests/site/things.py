"""What the doors of the API act on, beside what a Side has: made once for each unit, and found again by its unit."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone
from joserfc.jwk import ECKey

from agents import operations as agents
from agents.models import (
    Agent,
    Blueprint,
    ClientKey,
    Consent,
    ForeignCard,
    Grant,
    Key,
    Principal,
    Review,
    ReviewItem,
    Role,
    System,
)
from governance import operations as governance
from governance.models import (
    Budget,
    BusinessCalendar,
    ControlDrill,
    ControlState,
    Decision,
    Delegation,
    Escalation,
    Incident,
    Inquiry,
    LearntRule,
    PlantedCase,
    PolicyVersion,
    PromotionRequest,
    Replay,
    ReplayFlip,
    SafeguardRule,
    SavedView,
    ShadowRuling,
    ValueList,
)
from governance.operations.decisions import request_of
from governance.operations.incidents import open_incident
from governance.rules.breaking import DEFAULTS
from observability import ledger
from observability import operations as logs
from observability.eventlog.columns import Columns
from observability.models import Event, EventLog, Span
from workflows import memory, operations
from workflows.models import (
    DecisionTable,
    Endpoint,
    Fact,
    Follow,
    HandOff,
    Hook,
    Listener,
    Message,
    Push,
    Run,
    Schedule,
    Step,
    WorkflowDraft,
    WorkflowVersion,
)
from workflows.operations.questions import ask_about_incident
from workflows.operations.work.handing import sha256_of

ALLOWED_HOST = "93.184.215.14"  # of the open internet; nothing is sent there
JWK = ECKey.generate_key("P-256").as_dict(private=False)
CARD = {"name": "Rates", "version": "1", "url": "https://rates.example/a2a", "skills": [{"id": "rate"}]}


def for_programs(side: Any, owner: Principal, giver: Principal, at: datetime) -> None:
    """One agent ready to begin and one that rests; a member, one who has left, a consent, a second key."""
    ready, resting = (_agent(side, name, owner, at) for name in ("Ready", "Resting"))
    agents.grant("workflows.work_in_workflow", ready.principal, side.workflow, by=ledger.SYSTEM, at=at)
    agents.submit(ready, by=ledger.SYSTEM, at=at)
    agents.submit(resting, by=ledger.SYSTEM, at=at)
    agents.activate(resting, by=ledger.SYSTEM, at=at)
    agents.pause(resting, by=ledger.SYSTEM, at=at, why="A drill.")
    scope = operations.find_scope("agent", resting.code)
    operations.set_control(scope, "paused", by=ledger.SYSTEM, at=at, why="A drill.")
    operations.practise(scope, by=ledger.SYSTEM, at=at, why="A drill.")
    for name in ("clerk", "leaver"):
        agents.admit_person(
            f"{side.unit.code}-{name}", f"{name} of {side.unit}", unit=side.unit, roles=["member"], password=None,
            by=ledger.SYSTEM, at=at,
        )  # fmt: skip
    agents.disable(person(side, "leaver"), by=ledger.SYSTEM, at=at, why="Left.")
    agents.grant("agents.view_agent", person(side), side.agent, by=ledger.SYSTEM, at=at, reason="A drill.")
    agents.give_consent(side.agent, by=giver, at=at)
    agents.issue_key(side.agent, by=ledger.SYSTEM, at=at, name="spare")
    _tried(side, owner, at)
    _budgeted(side, at)
    _allowed(side)
    _safeguarded(side, at)
    _timed(side, at)
    planted(side)
    learnt(side)


def _tried(side: Any, owner: Principal, at: datetime) -> None:
    """A second version of the policy, a replay of the first that waits, a decision that the first saw in shadow."""
    first = policy_version(side)
    if side.policy.versions.count() == 1:
        governance.add_policy(first.document, unit=side.unit, owner=owner, by=ledger.SYSTEM, at=at)
    replay = Replay.objects.create(version=first, since=at - timedelta(days=7), until=at, asked_by=owner, asked_at=at)
    question = governance.Question(
        request_key=f"{side.unit.code}-read", action="order.read", context={},
        resource={"type": "order", "id": "1", "properties": {}},
    )  # fmt: skip
    decision = governance.decide(question, agent=side.agent, at=at)
    told = {"decision": decision, "band": "none", "before": decision.effect, "after": decision.effect, "moved": True}
    ShadowRuling.objects.create(version=first, at=at, **told)
    ReplayFlip.objects.create(replay=replay, **told)


def policy_version(side: Any) -> PolicyVersion:
    """The first version of the unit's policy."""
    return PolicyVersion.objects.get(policy=side.policy, number=1)


def replay(side: Any) -> Replay:
    """A replay of it that waits for its turn."""
    return Replay.objects.filter(version=policy_version(side)).earliest("pk")


def flip(side: Any) -> ReplayFlip:
    """A decision that the replay found to differ."""
    return ReplayFlip.objects.filter(replay=replay(side)).earliest("pk")


def shadow_ruling(side: Any) -> ShadowRuling:
    """What the first version said to a decision in shadow."""
    return ShadowRuling.objects.filter(version=policy_version(side)).earliest("pk")


def tried_decision(side: Any) -> Decision:
    """A decision about what the policy is about."""
    return Decision.objects.filter(agent=side.agent, action="order.read").earliest("pk")


def _agent(side: Any, name: str, owner: Principal, at: datetime) -> Agent:
    job = agents.Hired(
        code=f"{side.agent.code[:2]}-{name[-3:].upper()}", name=name, purpose="A drill.", unit=side.unit,
        blueprint=side.agent.blueprint, accountable=owner, ends_on=side.agent.ends_on,
    )  # fmt: skip
    return agents.hire(job, by=ledger.SYSTEM, at=at)


def agent(side: Any, status: str) -> str:
    """The code of the unit's agent that can be moved from this status."""
    name = {"draft": "New", "in_review": "Ready", "paused": "Resting"}[status]
    return str(Agent.objects.get(unit=side.unit, status=status, name=name).code)


def control(side: Any) -> ControlState:
    """The stop of the unit's agent that rests: it holds nothing up."""
    return ControlState.objects.filter(kind="agent", unit=side.unit).earliest("pk")


def drill(side: Any) -> ControlDrill:
    """A drill of stopping that agent."""
    return ControlDrill.objects.filter(unit=side.unit).earliest("pk")


def person(side: Any, name: str = "clerk") -> Principal:
    """A member of the unit."""
    return Principal.objects.get(username=f"{side.unit.code}-{name}")


def grant(side: Any) -> Grant:
    """The clerk's right to see the agent."""
    return Grant.objects.get(user=person(side), permission__codename="view_agent")


def delegation(side: Any) -> Delegation:
    """A delegation of the unit's owner."""
    return Delegation.objects.filter(person__unit=side.unit).earliest("pk")


def review(side: Any) -> Review:
    """The review of the unit's rights."""
    return Review.objects.filter(units=side.unit).earliest("pk")


def item(side: Any) -> ReviewItem:
    """A right in that review for which the owner of the unit answers."""
    return review(side).items.filter(reviewer__unit=side.unit, reviewer__groups__name="unit_owner")[0]


def card(side: Any) -> ForeignCard:
    """A foreign card that changed since it was pinned."""
    return ForeignCard.objects.filter(unit=side.unit).earliest("pk")


def promotion(side: Any) -> PromotionRequest:
    """A request that waits for the council."""
    return PromotionRequest.objects.filter(agent__unit=side.unit).earliest("pk")


def new_budget(side: Any) -> dict[str, Any]:
    """A budget of the unit's agent as programs send it."""
    return {
        "name": "Drill", "scope": "agent", "about": side.agent.code, "metric": "money", "currency": "EUR",
        "period": "day", "hard_limit": "10.00", "why": "A drill.",
    }  # fmt: skip


def budget(side: Any) -> Budget:
    """The budget of the unit's agent."""
    return Budget.objects.filter(unit=side.unit).earliest("pk")


def _budgeted(side: Any, at: datetime) -> None:
    """A budget that is too wide to be felt."""
    terms = governance.BudgetTerms(
        name="Wide", scope="agent", about=side.agent.code, metric="money", period="total", hard_limit=Decimal(10**9),
        why="A drill.",
    )  # fmt: skip
    governance.open_budget(terms, by=ledger.SYSTEM, at=at)


def _safeguarded(side: Any, at: datetime) -> None:
    """An incident about the unit's agent that rests, limits of one role, a system with a circuit breaker."""
    resting = Agent.objects.get(unit=side.unit, status=Agent.Status.PAUSED, name="Resting")
    open_incident(
        Incident.Kind.QUARANTINE, f"agent:{resting.code}", why="A drill.", at=at, agent=resting,
        evidence=Decision.objects.filter(agent=side.agent)[:2], agent_was=Agent.Status.ACTIVE,
    )  # fmt: skip
    change = governance.SafeguardChange(Role.objects.order_by("code")[0].code, DEFAULTS)
    governance.set_safeguards(change, by=ledger.SYSTEM, at=at, why="A drill.")
    System.objects.create(code=f"{side.unit.code}-books", name=f"Books of {side.unit}", unit=side.unit, resource="book")


def incident(side: Any) -> Incident:
    """The open incident about the unit's agent that rests."""
    return Incident.objects.open().filter(unit=side.unit).earliest("pk")


def safeguard(side: Any) -> SafeguardRule:
    """The limits of one role, the same for both units."""
    return SafeguardRule.objects.earliest("pk")


def system(side: Any) -> System:
    """A system of the unit."""
    return System.objects.get(code=f"{side.unit.code}-books")


def _document(side: Any) -> dict[str, Any]:
    return {name: value for name, value in hours(side).items() if name != "name"}


def _timed(side: Any, at: datetime) -> None:
    """A business calendar, and a training of the clerk."""
    governance.add_calendar(
        f"{side.unit.code}-office", "Office", _document(side), unit=side.unit, by=ledger.SYSTEM, at=at
    )
    governance.record_training(
        person(side), "drill", valid_until=at + timedelta(days=90), by=ledger.SYSTEM, at=at
    )  # fmt: skip


def _allowed(side: Any) -> None:
    """A decision of the unit's agent that allows, whose outcome nobody told yet."""
    made = Decision.objects.filter(agent=side.agent).earliest("pk")
    made.pk, made.uid, made.request_key, made.effect = None, uuid.uuid4(), "allowed", Decision.Effect.ALLOW
    made.save()


def allowed(side: Any) -> Decision:
    """That decision."""
    return Decision.objects.get(agent=side.agent, request_key="allowed")


def value_list(side: Any) -> ValueList:
    """A named list of the unit."""
    return ValueList.objects.filter(unit=side.unit).earliest("pk")


def amendable(side: Any) -> Escalation:
    """A question of an agent of the unit whose amount the policy lets be changed; in finance it may pay less alone."""
    payer = Agent.objects.filter(unit=side.unit, code="AP-04").first()
    properties = {"seller": "Kessler", "order_matched": True, "findings": 0, "bank_changed_days": 412}
    question = governance.Question(
        request_key="", action="invoice.pay", context={"amount": "9000.00", "currency": "EUR"},
        resource={"type": "invoice", "id": "1", "properties": properties},
    )  # fmt: skip
    return _asked(side, "ba", payer or side.agent, question, amendable=[{"field": "amount", "at_most": "9000"}])


def questioned(side: Any, digest: str = "ab") -> Escalation:
    """A question of the unit's agent that waits for a person."""
    resource = {"type": "order", "id": "1", "properties": {}}
    question = governance.Question(request_key="", action="order.read", context={"amount": "5.00"}, resource=resource)
    return _asked(side, digest, side.agent, question)


def _asked(side: Any, digest: str, agent: Agent, question: governance.Question, **more: Any) -> Escalation:
    asked = {"kind": "action", "agent": agent, "request_sha256": digest * 32}
    found = Escalation.objects.filter(**asked).first()
    if found is not None:
        return found
    words = {"title": "May I?", "path": side.workflow.incident_path, "unit": side.unit, "likeness": "drill"}
    asking = governance.Asked(**asked, **words, request=request_of(question, agent), **more)
    return governance.open_escalation(asking, by=agent, at=ledger.database_now())


def asked_agent(side: Any) -> list[Any]:
    """A question of the unit's agent, and one that a person put to the agent about it."""
    asked, at = questioned(side, "bc"), ledger.database_now()
    told = {"escalation": asked, "asked_by": person(side), "text": "Why?", "asked_at": at}
    inquiry = asked.inquiries.filter(answered_at=None).first()
    if inquiry is None:
        Inquiry.objects.create(**told, answer="So.", answered_at=at)
        inquiry = Inquiry.objects.create(**told)
    return [asked.uid, inquiry.uid]


def colleague(side: Any) -> str:
    """Somebody else of the unit's desk, or who sees all of it, who may decide."""
    return "maria" if side.unit.code == "finance" else "ingrid"


def path_terms(side: Any) -> dict[str, Any]:
    """An escalation path as programs send it."""
    level = {"people": [colleague(side)], "seconds": 3600}
    return {"name": "Drill", "levels": [level], "reason": "A drill."}


def office(side: Any) -> BusinessCalendar:
    """The business calendar of the unit."""
    return BusinessCalendar.objects.filter(unit=side.unit).earliest("pk")


def hours(side: Any) -> dict[str, Any]:
    """Working time as programs send it."""
    return {"name": "Drill", "days": ["mon"], "from": "08:00", "to": "17:00", "zone": "UTC", "holidays": []}


def asked_person(side: Any) -> Principal:
    """Somebody who is asked the unit's question."""
    return side.escalation.asked.people.order_by("-username")[0]  # type: ignore[no-any-return]


def looked_at(side: Any) -> Escalation:
    """The unit's question, at which that person looks."""
    asked = Escalation.objects.get(pk=side.escalation.pk)
    if asked.claimed_by is None:
        governance.claim_escalation(asked, by=asked_person(side), at=ledger.database_now())
    return asked


def other_run(side: Any) -> Run:
    """A run of the unit whose first step nobody holds."""
    return Run.objects.get(workflow=side.workflow, key=f"{side.unit.code}-2")


def ready_step(side: Any) -> Step:
    """The step of it that stands ready."""
    return other_run(side).steps.get()


def failed_step(side: Any) -> Step:
    """A step that failed for good, in a run of its own."""
    run = _run(side, "failed")
    step = run.steps.get()
    if step.status == Step.Status.READY:
        at = ledger.database_now()
        ledger.move(step, Step.Status.FAILED, by=ledger.SYSTEM, verb="step.failed", at=at, error="Broken.")
        ask_about_incident(step, reason="Broken.", at=at)
    return step


def paused_run(side: Any) -> Run:
    """A run that is paused."""
    run = _run(side, "paused")
    if not run.is_paused:
        operations.pause_run(run, by=ledger.SYSTEM, at=ledger.database_now(), why="A drill.")
    return Run.objects.get(pk=run.pk)


def ended_run(side: Any) -> Run:
    """A run that was cancelled."""
    run = _run(side, "ended")
    if run.is_under_way:
        operations.cancel(run, by=ledger.SYSTEM, at=ledger.database_now(), why="A drill.")
    return Run.objects.get(pk=run.pk)


def _run(side: Any, name: str) -> Run:
    given: dict[str, Any] = {"variables": {"document": "1.xml"}, "by": ledger.SYSTEM, "at": ledger.database_now()}
    run, _ = operations.start(side.workflow, key=f"{side.unit.code}-{name}", **given)
    return Run.objects.select_related("workflow").get(pk=run.pk)


def soon() -> str:
    """A moment in half an hour."""
    return (timezone.now() + timedelta(minutes=30)).isoformat()


def fact(side: Any, kind: str = "") -> Fact:
    """A fact of the side's space: the one that is there, or a "file", or a "low" one that nobody has confirmed; made
    when it is first needed."""
    found = Fact.objects.filter(space=side.space, key=kind or "k").order_by("-id").first()
    if found is not None:
        return found
    file = memory.FileGiven("drill.txt", "text/plain", b"total") if kind == "file" else None
    value = {} if file else {"total": "1.00"}
    finding = memory.Finding(key=kind, value=value, file=file, read_from=["web"] if kind == "low" else [])
    return memory.keep(side.space, finding, agent=side.agent, at=ledger.database_now())


def event_log(side: Any) -> EventLog:
    """A log of the unit that was read, made when it is first needed."""
    found = EventLog.objects.filter(unit_id=side.unit.pk).first()
    if found is None:
        rows = "case,activity,time\nA,Check,2026-03-02T08:00:00Z\nA,Pay,2026-03-02T09:00:00Z\n"
        given = logs.Upload(side.unit.pk, "Drill", "drill.csv", BytesIO(rows.encode()))
        found = logs.upload(given, by=ledger.SYSTEM, at=ledger.database_now())
        columns = Columns("case", "activity", "time")
        logs.choose_columns(found, columns, by=ledger.SYSTEM, at=ledger.database_now())
        logs.begin_reading(found, at=ledger.database_now())
        logs.read_log(found, clock=ledger.database_now)
    return found


def columns_of_log() -> dict[str, Any]:
    """Which column of that log is what, as its page sends it."""
    return {"case": "case", "activity": "activity", "time": "time", "shape": "iso", "zone": "UTC"}


def baseline_of_log(side: Any) -> dict[str, Any]:
    """What a person adds to that log to make it a baseline."""
    return {
        "workflow": side.workflow.pk, "cost_per_hour": "40", "minutes_per_case": "6", "error_percent": "1",
        "source": "Drill", "why": "A drill.",
    }  # fmt: skip


def new_event_log(side: Any) -> dict[str, Any]:
    """Another log of the unit, as its page sends it."""
    rows = b"case,activity,time\nB,Check,2026-03-02T08:00:00Z\n"
    return {"file": ContentFile(rows, name="new.csv"), "unit": side.unit.pk, "name": "Drill"}


def claimed(side: Any) -> dict[str, Any]:
    """What the side's agent is finding out, as its door names it."""
    flight, _ = memory.take(
        side.space, "claimed", at=ledger.database_now(), agent=side.agent,
        until=ledger.database_now() + timedelta(minutes=5),
    )  # fmt: skip
    return {"space": side.space.code, "key": "claimed", "token": flight.token}


def saved_view(side: Any, table: str = "escalations") -> SavedView:
    """A view of the list that this person shares with the unit, made when it is first needed."""
    found = SavedView.objects.of(table).filter(unit=side.unit).first()
    query = {"tab": "teams"} if table == "escalations" else {"state": "stuck"}
    terms = governance.ViewTerms("Drill", query, side.unit, table=table)
    return found or governance.save_view(terms, by=asked_person(side), at=ledger.database_now())


def access_request(side: Any) -> Escalation:
    """A question that the unit's agent had put to a person, made when it is first needed: lists know nothing of it."""
    asked = {"kind": "action", "agent": side.agent, "request_sha256": "cd" * 32}
    found = Escalation.objects.filter(**asked).first()
    if found is not None:
        return found
    words = {"title": "May I?", "path": side.workflow.incident_path, "unit": side.unit, "likeness": "drill"}
    question = governance.Asked(**asked, **words, request={})
    return governance.open_escalation(question, by=side.agent, at=ledger.database_now())


def held_escalation(side: Any) -> Escalation:
    """A question of the unit's agent that the unit's reviewer answered and can still undo."""
    asked = access_request(side)
    asked.status, asked.held_answer = "held", "approved"
    asked.settled_by = asked.path.steps.earliest("level").people.earliest("pk")
    asked.settled_at = ledger.database_now()
    asked.effect_at = asked.settled_at + timedelta(hours=1)
    asked.save()
    return asked


def version(side: Any, status: str) -> list[Any]:
    """The key of the unit's policy and the number of its version with this status."""
    return [side.policy.key, side.policy.versions.get(status=status).number]


def key(side: Any) -> Key:
    """The second key of the agent."""
    return Key.objects.filter(agent=side.agent, name="spare").earliest("pk")


def client_key(side: Any) -> ClientKey:
    """A public key of the agent."""
    return ClientKey.objects.filter(agent=side.agent).earliest("pk")


def consent(side: Any) -> Consent:
    """A consent that somebody of the unit gave to the agent."""
    return Consent.objects.filter(agent=side.agent, person__unit=side.unit).earliest("pk")


def event(side: Any) -> Event:
    """Something that happened to the unit's agent."""
    return Event.objects.filter(subject_kind="agent", subject_id=side.agent.code).earliest("pk")


def blueprint(side: Any) -> Blueprint:
    """The job description of the agent."""
    return side.agent.blueprint  # type: ignore[no-any-return]


def later() -> str:
    """A day that has not come."""
    return (timezone.now() + timedelta(days=10)).isoformat()


def job(side: Any) -> Mapping[str, Any]:
    """A new job description."""
    role = side.agent.role.code
    owner = blueprint(side).owner.username
    return {
        "code": f"{side.unit.code}-new", "name": "New", "purpose": "A drill.", "role": role, "unit": side.unit.code,
        "owner": owner,
    }  # fmt: skip


def hired(side: Any) -> Mapping[str, Any]:
    """A new agent."""
    return {
        "code": f"{side.agent.code[:2]}-99", "name": "Another", "blueprint": blueprint(side).code,
        "accountable": blueprint(side).owner.username, "unit": side.unit.code,
    }  # fmt: skip


def decided(side: Any) -> Escalation:
    """A question of the unit's agent that a person answered."""
    marked = {"agent": side.agent, "request_sha256": "de" * 32}
    found = Escalation.objects.filter(**marked).first()
    if found is not None:
        return found
    now = ledger.database_now()
    words = {"title": "May I?", "path": side.workflow.incident_path, "unit": side.unit, "likeness": "drill"}
    question = governance.Asked(kind="action", **marked, **words, request={}, policy=side.policy.key)
    asked = governance.open_escalation(question, by=side.agent, at=now)
    Escalation.objects.filter(pk=asked.pk).update(
        status="rejected", settled_at=now, settled_by=side.workflow.incident_path.steps.earliest("pk").people.first()
    )
    return asked


def planted(side: Any) -> PlantedCase:
    """A planted case about the unit's policy that nobody was asked yet."""
    found = side.policy.planted_cases.first()
    now = ledger.database_now()
    return found or PlantedCase.objects.create(
        policy=side.policy, like=decided(side), path=side.workflow.incident_path, title="May I?", request={},
        right_answer="rejected", why="A drill.", ask_at=now, planted_by=side.policy.owner, planted_at=now,
    )  # fmt: skip


def learnt(side: Any) -> LearntRule:
    """A learnt rule in a draft of the unit's policy."""
    found = side.policy.learnt_rules.first()
    version = side.policy.versions.get(status="draft")
    return found or LearntRule.objects.create(
        group=f"drill-{side.policy.key}", policy=side.policy, version=version, rule="learnt-drill",
        asked_by_rule="drill", action="drill", role="drill", undo={},
        criteria={"action": "drill", "role": "drill", "currency": "", "amount_at_most": None, "parties": {}},
        figures={"answers": 25, "quick": 0, "reviewers": [], "refused_from": None, "changed_tests": []},
        created_by=side.policy.owner, created_at=ledger.database_now(),
    )  # fmt: skip


def message(side: Any) -> Message:
    """A message that the unit's run took."""
    found = Message.objects.filter(receiver=side.run).first()
    at = ledger.database_now()
    return found or Message.objects.create(
        kind="message", name="drill", unit=side.unit, receiver=side.run, status="taken", sent_at=at, due_at=at
    )


def told(side: Any, kind: str) -> Mapping[str, Any]:
    """A message or signal that the unit's workflow knows."""
    name = f"{kind} for {side.unit.code}"
    Listener.objects.get_or_create(workflow=side.workflow, element=f"drill-{kind}", kind=kind, name=name)
    return {"name": name, "payload": {"drill": True}}


def schedule_terms(side: Any) -> Mapping[str, Any]:
    """What a schedule is made of."""
    return {"workflow": side.workflow.code, "name": "Another", "rule": "0 7 * * *", "input": {"document": "a.xml"}}


def schedule(side: Any, status: str = "active") -> Schedule:
    """A schedule of the unit's workflow in this status."""
    found = Schedule.objects.filter(workflow=side.workflow, status=status).first()
    if found is None:
        at = ledger.database_now()
        plan = operations.Plan(f"Drill {status}", "0 7 1 1 *", variables={"document": "a.xml"})
        found = operations.add_schedule(side.workflow, plan, by=ledger.SYSTEM, at=at)
        if status == "paused":
            operations.pause_schedule(found, by=ledger.SYSTEM, at=at, why="A drill.")
    return found


def hook(side: Any) -> Hook:
    """An address of the unit's workflow."""
    found = Hook.objects.filter(workflow=side.workflow, status="active").first()
    return found or Hook.objects.create(
        workflow=side.workflow, name="Drill", secret="sealed", created_at=ledger.database_now()
    )


def follow(side: Any) -> Follow:
    """The unit's workflow begins runs after failed ones of its own: a connection that nobody could make."""
    found = Follow.objects.filter(workflow=side.workflow).first()
    return found or Follow.objects.create(
        workflow=side.workflow, after=side.workflow, status="failed", created_at=ledger.database_now()
    )


DMN = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" name="Limits"><decision id="limit" name="Limit">'
    '<decisionTable hitPolicy="FIRST"><input label="Amount"><inputExpression typeRef="number"><text>amount</text>'
    '</inputExpression></input><output name="who" typeRef="string"/><rule><inputEntry><text>-</text></inputEntry>'
    '<outputEntry><text>"clerk"</text></outputEntry></rule></decisionTable></decision></definitions>'
)


def decision_table(side: Any) -> DecisionTable:
    """A decision table of the unit's workflow."""
    found = side.workflow.tables.filter(code="limit").first()
    return found or operations.publish_table(
        side.workflow, DMN.replace("Limits", side.unit.code).encode(), by=ledger.SYSTEM, at=ledger.database_now()
    )


def dmn_file() -> Mapping[str, Any]:
    """A form with a DMN file."""
    return {"file": ContentFile(DMN.encode(), "limits.dmn"), "why": "A drill."}


# --- workflows that are drawn --------------------------------------------------------------------------------
def _begun(side: Any, code: str) -> WorkflowDraft:
    """The draft of another workflow of the unit."""
    code = f"{code}-{side.unit.code}"
    found = WorkflowDraft.objects.with_people().filter(workflow__code=code).first()
    terms = operations.NewWorkflow(
        code=code, name=code, unit=side.unit, owner=side.workflow.owner, incident_path=side.workflow.incident_path
    )
    return found or operations.begin_workflow(terms, by=ledger.SYSTEM, at=ledger.database_now())


def draft(side: Any) -> WorkflowDraft:
    """A draft that is drawn."""
    return _begun(side, "drawn")


def in_review(side: Any) -> WorkflowDraft:
    """A draft that waits for a second person."""
    found = _begun(side, "reviewed")
    if found.status == WorkflowDraft.Status.DRAFT:
        operations.ask_to_publish(found, by=ledger.SYSTEM, at=ledger.database_now())
    return found


def restorable(side: Any) -> WorkflowVersion:
    """The first of two versions of another workflow of the unit."""
    found = _begun(side, "twice")
    if not found.workflow.versions.exists():
        for bpmn in (found.bpmn, found.bpmn.replace('"Done"', '"All done"')):
            operations.publish(
                found.workflow.code, bpmn.encode(), by=ledger.SYSTEM, at=ledger.database_now(), unit=side.unit,
                owner=found.workflow.owner, incident_path=found.workflow.incident_path,
            )  # fmt: skip
    return found.workflow.versions.get(number=1)


AT_CHOICE = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"
  xmlns:aos="https://autonomy-os.org/bpmn/1"><process id="p" name="Free" isExecutable="true">
  <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="free"/>
  <adHocSubProcess id="free"><serviceTask id="read" aos:role="{role}"/><serviceTask id="call" aos:role="none-does"/>
  </adHocSubProcess><sequenceFlow id="f2" sourceRef="free" targetRef="end"/><endEvent id="end"/>
  </process></definitions>"""


def at_choice(side: Any) -> Step:
    """A step in an ad-hoc sub-process that the unit's agent has in hand."""
    code, at = f"{side.unit.code}-free", ledger.database_now()
    found = Step.objects.filter(run__workflow__code=code, element="read").first()
    if found is not None:
        return found
    Role.objects.get_or_create(code="none-does", defaults={"name": "None does it"})
    workflow = operations.publish(
        code, AT_CHOICE.format(role=side.agent.role.code).encode(), by=ledger.SYSTEM, at=at, unit=side.unit,
        owner=side.workflow.owner, incident_path=side.workflow.incident_path,
    ).workflow  # fmt: skip
    agents.grant("workflows.work_in_workflow", side.agent.principal, workflow, by=ledger.SYSTEM, at=at)
    side.agent.principal.forget_grants()
    run, _ = operations.start(workflow, key="1", variables={}, by=ledger.SYSTEM, at=at, priority=100)
    step = operations.claim(side.agent, at=at)
    assert step is not None and step.run_id == run.pk
    return step


def terms_of_workflow(side: Any) -> Mapping[str, Any]:
    """The form of a new workflow."""
    rows = {"unit": side.unit, "owner": side.workflow.owner, "incident_path": side.workflow.incident_path}
    return {"name": "Drill", "code": "drill", **{name: row.pk for name, row in rows.items()}}


def other_role(side: Any) -> str:
    """Another role whose agents work in the unit's workflow."""
    code = f"{side.unit.code}-second-reader"
    role, new = Role.objects.get_or_create(code=code, defaults={"name": "Second reader"})
    if new:
        second = _agent(side, "Second", side.agent.accountable, ledger.database_now())
        Agent.objects.filter(pk=second.pk).update(role=role)
        agents.grant(
            "workflows.work_in_workflow", second.principal, side.workflow, by=ledger.SYSTEM, at=ledger.database_now()
        )
    return code


def handed_off(side: Any) -> Step:
    """The step that the unit's agent has in hand, as another agent handed it off."""
    step: Step = side.step
    if not HandOff.objects.filter(step=step).exists():
        given = HandOff(
            step=step, number=1, sender=side.agent, from_role="reader", to_role=step.role, at=ledger.database_now()
        )
        given.sha256 = sha256_of(given.as_document())
        given.save()
        told = {"hand_off": str(given.uid), "sha256": given.sha256}
        ledger.record("step.handed_off", step, by=side.agent, at=given.at, data=told)
    return step


def endpoint(side: Any) -> Endpoint:
    """Where the unit's agent is told of work; three messages went there."""
    at = ledger.database_now()
    defaults = {"url": f"https://{ALLOWED_HOST}/work", "due_at": at, "set_at": at}
    found, new = Endpoint.objects.get_or_create(agent=side.agent, defaults=defaults)
    if new:
        Push.objects.bulk_create(Push(endpoint=found, at=at, ready=1, code=204, outcome="Taken.") for _ in range(3))
    return found


def span(side: Any) -> Span:
    """What the program of the unit's agent told: one call of a model."""
    made, _ = Span.objects.get_or_create(
        trace_id=f"{side.unit.pk:032x}", span_id="ab" * 8,
        defaults={
            "agent": side.agent.code, "agent_name": str(side.agent), "unit": str(side.unit.pk), "name": "chat",
            "kind": "model", "model": "drill-1", "started_at": timezone.now(), "nanoseconds": 10**9,
            "run": str(side.run.uid), "step": str(side.step.uid), "received_at": timezone.now(),
        },
    )  # fmt: skip
    return made
