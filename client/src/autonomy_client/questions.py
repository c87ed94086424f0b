"""Questions as AuthZEN puts them: what a decision point is asked, and how its answers are read; in doubt it is no."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from autonomy_client.shapes import Inquiry

SETTLED = frozenset({"approved", "denied", "expired", "cancelled", "failed", "partial"})


@dataclass(frozen=True)
class Evaluation:
    """The answer of the decision point. `allowed` is true only for a plain yes whose obligations you can all fulfil;
    `beyond` names the types of those that you cannot. `asked` is the question, `context` everything that was said."""

    id: str
    allowed: bool
    effect: str
    reason: str
    rule: str
    policy: str
    obligations: tuple[Mapping[str, Any], ...]
    beyond: tuple[str, ...]
    asked: Mapping[str, Any]
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def can_be_requested(self) -> bool:
        """Whether a person can be asked, with `request_access`."""
        return bool(self.context.get("access_request"))

    @classmethod
    def from_wire(cls, body: Mapping[str, Any], asked: Mapping[str, Any], can: Collection[str]) -> Evaluation:
        context = body.get("context")
        context = context if isinstance(context, Mapping) else {}
        given = context.get("obligations") or ()
        obligations = tuple(each if isinstance(each, Mapping) else {} for each in given)
        beyond = tuple(sorted({str(each.get("type", "")) for each in obligations} - set(can)))
        # Anything but true is no, and so is a yes with an obligation that nobody here fulfils.
        allowed = body["decision"] is True and not beyond
        effect = "allow" if allowed else str(context.get("effect") or "deny")
        user = context.get("reason_user")
        reason = user.get("en") if isinstance(user, Mapping) else context.get("reason")
        return cls(
            id=str(context.get("evaluation_id") or ""),
            allowed=allowed,
            effect="deny" if not allowed and effect == "allow" else effect,
            reason=str(reason or ""),
            rule=str(context.get("rule") or ""),
            policy=str(context.get("policy") or ""),
            obligations=obligations,
            beyond=beyond,
            asked=asked,
            context=context,
        )


@dataclass(frozen=True)
class Found:
    """A part of what a search found; `token` leads to the next one, empty at the end."""

    results: tuple[Mapping[str, Any], ...]
    token: str

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Found:
        page = body.get("page") or {}
        return cls(tuple(body["results"]), str(page.get("next_token") or ""))


@dataclass(frozen=True)
class AccessRequest:
    """A question that a person was asked; `approval` goes into the next `evaluate` about the same."""

    id: str
    status: str
    expires_at: str
    reason: str
    approval: Mapping[str, Any] | None
    amended: Mapping[str, Any] = field(default_factory=dict)
    """Values of the context that a person changed: evaluate again with these."""
    inquiries: tuple[Inquiry, ...] = ()
    """What a person asks and this agent has not answered yet."""

    @property
    def granted(self) -> bool:
        """Whether a person said yes; only the next evaluation allows."""
        return self.status == "approved"

    @property
    def is_settled(self) -> bool:
        """Whether nothing changes any more."""
        return self.status in SETTLED

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> AccessRequest:
        task = body["task"]
        result = task.get("result") or {}
        return cls(
            id=str(task["id"]),
            status=str(task["status"]),
            expires_at=str(task.get("expires_at") or ""),
            reason=str(task.get("reason") or ""),
            approval=result.get("approval"),
            amended=dict(result.get("amended") or {}),
            inquiries=tuple(
                Inquiry.from_wire({**each, "escalation": task["id"]}) for each in task.get("questions") or ()
            ),
        )


def question(
    agent: str, action: str, resource: Mapping[str, Any], context: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """One question: may this agent do that? `resource` has type, id and properties."""
    who = {"type": "agent", "id": agent}
    return {"subject": who, "action": {"name": action}, "resource": dict(resource), "context": dict(context or {})}
