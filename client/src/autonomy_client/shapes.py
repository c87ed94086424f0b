"""The values that travel between an agent and the server, each a small frozen shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, TypeVar

from autonomy_client.answers import Answer

Item = TypeVar("Item")


@dataclass(frozen=True)
class Document:
    """Anything the API shows, as it is, with the state it was read in."""

    body: Mapping[str, Any]
    etag: str = ""

    @classmethod
    def from_answer(cls, answer: Answer) -> Document:
        return cls(answer.body, answer.etag)


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list, and the address of the part that follows; it is empty behind the last one."""

    items: tuple[Item, ...]
    next: str = ""


@dataclass(frozen=True)
class Me:
    """The agent that a key belongs to."""

    code: str
    name: str
    role: str
    unit: str
    autonomy_level: int
    status: str

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Me:
        names = ("code", "name", "role", "unit", "status")
        texts = {name: str(body.get(name) or "") for name in names}
        return cls(**texts, autonomy_level=int(body.get("autonomy_level") or 0))


@dataclass(frozen=True)
class Agent:
    """An agent as its colleagues see it; `etag` names the state that was read, where the server tells it."""

    code: str
    name: str
    purpose: str
    role: str
    unit: str
    accountable: str
    status: str
    autonomy_level: int
    risk_class: int
    body: Mapping[str, Any]
    etag: str = ""

    @classmethod
    def from_wire(cls, body: Mapping[str, Any], etag: str = "") -> Agent:
        names = ("code", "name", "purpose", "role", "unit", "accountable", "status")
        return cls(
            **{name: str(body.get(name) or "") for name in names},
            autonomy_level=int(body.get("autonomy_level") or 0),
            risk_class=int(body.get("risk_class") or 0),
            body=body,
            etag=etag,
        )


@dataclass(frozen=True)
class Boundary:
    """One thing that an agent may do alone, must ask about, or never does, in words."""

    what: str
    conditions: tuple[str, ...] = ()
    note: str = ""

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Boundary:
        conditions = tuple(str(each) for each in body.get("conditions") or ())
        return cls(str(body["what"]), conditions, str(body.get("note") or ""))


@dataclass(frozen=True)
class Boundaries:
    """What an agent may do alone, must ask about, and never does; `body` has where each of it comes from."""

    agent: str
    level: int
    may_do_alone: tuple[Boundary, ...]
    must_ask: tuple[Boundary, ...]
    never: tuple[Boundary, ...]
    body: Mapping[str, Any]

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Boundaries:
        lists = {name: tuple(map(Boundary.from_wire, body[name])) for name in ("may_do_alone", "must_ask", "never")}
        return cls(agent=str(body["agent"]), level=int(body["level"]), **lists, body=body)


@dataclass(frozen=True)
class RunRef:
    """One run of a workflow, by id and by the key it was started with."""

    id: str
    key: str
    workflow: str = ""
    status: str = ""

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> RunRef:
        return cls(**{name: str(body.get(name) or "") for name in ("id", "key", "workflow", "status")})


@dataclass(frozen=True)
class Run(RunRef):
    """A run with what came of it so far."""

    version: int = 0
    outcome: str = ""
    started_at: str = ""
    ended_at: str = ""
    cost: Decimal = Decimal(0)
    variables: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Run:
        names = ("id", "key", "workflow", "status", "outcome", "started_at", "ended_at")
        return cls(
            **{name: str(body.get(name) or "") for name in names},
            version=int(body.get("version") or 0),
            cost=_number(body, "cost"),
            variables=body.get("variables") or {},
        )


@dataclass(frozen=True)
class Message:
    """A message or signal that was sent; `run` is the run that took a message, `status` sent, taken or dropped."""

    id: str
    kind: str
    name: str
    key: str
    status: str
    run: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Message:
        names = ("id", "kind", "name", "key", "status", "run", "trouble")
        return cls(**{name: str(body.get(name) or "") for name in names}, payload=body.get("payload") or {})


@dataclass(frozen=True)
class Approval:
    """What a person decided about an earlier question of this step."""

    id: str
    escalation: str
    status: str
    reason: str
    approved_until: str
    amended: Mapping[str, Any] = field(default_factory=dict)
    """Values of the context that a person changed: the approval is for the question with these."""

    @property
    def granted(self) -> bool:
        return self.status == "approved"

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Approval:
        names = ("id", "escalation", "status", "reason", "approved_until")
        told = {name: str(body.get(name) or "") for name in names}
        return cls(**told, amended=dict(body.get("amended") or {}))


@dataclass(frozen=True)
class HandedOff:
    """What another agent gave with a step: its own words and values, not checked facts. `references` name facts and
    decisions that you look up by your own rights."""

    id: str
    number: int
    sender: str
    from_role: str
    note: str
    context: Mapping[str, Any]
    references: tuple[Mapping[str, str], ...]
    sha256: str

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> HandedOff:
        return cls(
            id=str(body["id"]),
            number=int(body["number"]),
            sender=str(body["sender"]),
            from_role=str(body["from_role"]),
            note=str(body.get("note") or ""),
            context=body.get("context") or {},
            references=tuple(body.get("references") or ()),
            sha256=str(body["sha256"]),
        )


@dataclass(frozen=True)
class Work:
    """One step that this agent holds until its lease ends."""

    step: str
    lease_token: int
    lease_seconds: float
    attempt: int
    element: str
    name: str
    run: RunRef
    variables: Mapping[str, Any]
    approval: Approval | None = None
    index: int | None = None
    item: Any = None
    priority: int = 0
    due_at: str = ""
    hand_off: HandedOff | None = None

    @property
    def context(self) -> Mapping[str, Any]:
        """What the agent that handed the step off knew; empty when nobody did."""
        return self.hand_off.context if self.hand_off else {}

    @property
    def approval_id(self) -> str | None:
        """The person's answer to name when the same question is asked again."""
        return self.approval.id if self.approval else None

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Work:
        approval, given = body.get("approval"), body.get("hand_off")
        return cls(
            step=str(body["step"]),
            lease_token=int(body["lease_token"]),
            lease_seconds=float(body.get("lease_seconds") or 60),
            attempt=int(body.get("attempt") or 1),
            element=str(body.get("element") or ""),
            name=str(body.get("name") or ""),
            run=RunRef.from_wire(body.get("run") or {}),
            variables=body.get("variables") or {},
            approval=Approval.from_wire(approval) if approval else None,
            index=None if body.get("index") is None else int(body["index"]),
            item=body.get("item"),
            priority=int(body.get("priority") or 0),
            due_at=str(body.get("due_at") or ""),
            hand_off=HandedOff.from_wire(given) if given else None,
        )


@dataclass(frozen=True)
class Change:
    """One thing that the asked action would change."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Evidence:
    """One document or fact that backs a question; `kind` is invoice, order, receipt or fact."""

    kind: str
    name: str
    proves: str
    sha256: str = ""


@dataclass(frozen=True)
class Escalation:
    """The question that a person has to answer, and by when; the rest is told where it is listed or shown."""

    id: str
    due_at: str
    kind: str = ""
    status: str = ""
    title: str = ""
    workflow: str = ""
    run: str = ""
    run_key: str = ""
    reason_asked: str = ""
    settled_by: str = ""
    reason: str = ""

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Escalation:
        told = {name: str(body.get(name) or "") for name in cls.__dataclass_fields__ if name != "id"}
        return cls(id=str(body["id"]), **told)


@dataclass(frozen=True)
class Inquiry:
    """What a person asks this agent about its own question, and the answer once it was given."""

    id: str
    escalation: str
    text: str
    asked_by: str = ""
    asked_at: str = ""
    answer: str = ""
    answered_at: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether the agent answered it."""
        return bool(self.answered_at)

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Inquiry:
        return cls(**{name: str(body.get(name) or "") for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Decision:
    """The answer to "may I?": effect allow, deny or escalate, with the rule that made it."""

    id: str
    effect: str
    reason: str
    rule: str
    policy: str
    obligations: tuple[Mapping[str, Any], ...]
    escalation: Escalation | None

    @property
    def allowed(self) -> bool:
        return self.effect == "allow"

    @property
    def waits_for_a_person(self) -> bool:
        return self.effect == "escalate"

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Decision:
        escalation = body.get("escalation")
        return cls(
            id=str(body.get("decision") or body.get("id") or ""),
            # An answer without an effect is no permission.
            effect=str(body.get("effect") or "deny"),
            reason=str(body.get("reason") or ""),
            rule=str(body.get("rule") or ""),
            policy=str(body.get("policy") or ""),
            obligations=tuple(body.get("obligations") or ()),
            escalation=Escalation.from_wire(escalation) if escalation else None,
        )


@dataclass(frozen=True)
class Outcome:
    """What was reported of a decision, and what each budget had held for it (`reserved`, `spent`, `status`)."""

    decision: str
    done: bool
    reported_at: str
    budgets: tuple[Mapping[str, Any], ...]

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Outcome:
        return cls(
            decision=str(body["decision"]),
            done=bool(body["done"]),
            reported_at=str(body.get("reported_at") or ""),
            budgets=tuple(body.get("budgets") or ()),
        )


@dataclass(frozen=True)
class Fact:
    """One entry of the shared memory: its value, who wrote it and when, and what reading it saved."""

    space: str
    key: str
    value: Mapping[str, Any]
    author: str
    at: str
    age_seconds: Decimal
    saved_seconds: Decimal
    saved_cost: Decimal
    id: str = ""
    kind: str = "json"
    text: str = ""
    trust: str = ""
    state: str = ""
    sensitivity: str = ""
    sources: tuple[str, ...] = ()

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Fact:
        told = {name: str(body.get(name) or "") for name in ("id", "text", "trust", "state", "sensitivity")}
        return cls(
            **told,
            kind=str(body.get("kind") or "json"),
            sources=tuple(str(each) for each in body.get("sources") or ()),
            space=str(body.get("space") or ""),
            key=str(body.get("key") or ""),
            value=body.get("value") or {},
            author=str(body.get("author") or ""),
            at=str(body.get("at") or ""),
            age_seconds=_number(body, "age_seconds"),
            saved_seconds=_number(body, "saved_seconds"),
            saved_cost=_number(body, "saved_cost"),
        )


@dataclass(frozen=True)
class File:
    """A file for the shared memory, at most 512 kB of it."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Claim:
    """What you are told when you are about to find something out: `answer` is "known", "yours", or empty while somebody
    else is at it."""

    space: str
    key: str
    answer: str
    fact: Fact | None
    token: int
    until: str

    @classmethod
    def from_wire(cls, space: str, key: str, body: Mapping[str, Any]) -> Claim:
        known = body.get("fact")
        return cls(
            space=space,
            key=key,
            answer=str(body.get("answer") or ""),
            fact=Fact.from_wire(known) if known else None,
            token=int(body.get("token") or 0),
            until=str(body.get("until") or ""),
        )


def _number(body: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(str(body.get(name) or 0))
