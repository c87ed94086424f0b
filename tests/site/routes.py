"""Every route of the server: what it is, how a good request to it looks, and what each kind of caller is answered.

A new route needs a line in DOORS (the API) or PAGES (the others) here, and its rows in matrix.txt. The tests that read
these tables say which line is missing and print the rows as the server answers them now: look at each, then paste them.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from agents.models import Agent, Unit
from governance.models import Decision, Escalation, Policy
from workflows.models import Run, Space, Step, Workflow

MATRIX = Path(__file__).with_name("matrix.txt")
METHODS = ("get", "post", "put", "patch", "delete")
CALLERS = (
    "nobody", "agent", "far_agent", "paused", "member", "reviewer", "owner", "far_owner", "auditor", "it", "council",
    "risk", "disabled",
)  # fmt: skip

# What an API route is, and with that what the generic tests ask of it:
LIST = "list"  # pages by cursor, next and Link; the same number of queries for any number of rows
ONE = "one"  # one thing with its ETag; 304 to who has it
READ = "read"  # reads something else
CREATE = "create"  # makes something new; an Idempotency-Key
LEASE = "lease"  # acts on a step, bound to what was read by the lease token; an Idempotency-Key
BOUND = "bound"  # acts on what is named by request_sha256 or If-Match: 428 without either, 412 when it changed
CHANGE = "change"  # changes what is there: If-Match, 428 without it, 412 when it changed
CHECK = "check"  # a POST that changes nothing
KINDS = (LIST, ONE, READ, CREATE, LEASE, BOUND, CHANGE, CHECK)


@dataclass(frozen=True)
class Side:
    """The things of one unit: `agent` has `step` in hand, `key` is the prefix of its key."""

    unit: Unit
    agent: Agent
    key: str
    workflow: Workflow
    run: Run
    step: Step
    escalation: Escalation
    decision: Decision
    policy: Policy
    space: Space


def nothing(side: Side) -> Any:
    """A route that names nothing, or a request without a body."""
    return ()


@dataclass(frozen=True)
class Door:
    """One method of one route: its kind, what its address names, and its body or query."""

    kind: str
    names: Callable[[Side], Sequence[Any]] = nothing
    body: Callable[[Side], Mapping[str, Any]] | None = None
    query: Callable[[Side], Mapping[str, Any]] | None = None

    def asked(self, side: Side) -> tuple[list[Any], Any]:
        """What the address names, and the body or query, about the things of this side."""
        return list(self.names(side)), (self.query or self.body or nothing)(side)


def lease(side: Side) -> dict[str, Any]:
    return {"lease_token": side.step.lease_token}


def answer(side: Side) -> dict[str, Any]:
    return {"request_sha256": side.escalation.request_sha256, "reason": "Looked at it.", "reason_code": "other"}


def action(side: Side) -> dict[str, Any]:
    resource = {"type": "invoice", "id": "1", "properties": {"findings": 0}}
    asked = {"action": "invoice.pay", "resource": resource, "context": {"amount": "1.00", "currency": "EUR"}}
    return {"step": str(side.step.uid), **lease(side), **asked}


def policy_text(side: Side) -> str:
    """The newest document of the unit's policy as text (JSON is YAML too)."""
    return json.dumps({**side.policy.versions.all()[0].document})


DOORS: dict[tuple[str, str], Door] = {
    ("api-me", "get"): Door(ONE),
    ("api-agents", "get"): Door(LIST),
    ("api-agent", "get"): Door(ONE, lambda side: [side.agent.code]),
    ("api-claim", "post"): Door(CREATE, body=lambda side: {}),
    ("api-heartbeat", "post"): Door(LEASE, lambda side: [side.step.uid], lease),
    ("api-finish", "post"): Door(
        LEASE, lambda side: [side.step.uid], lambda side: {**lease(side), "output": {"readable": False, "reason": "x"}}
    ),
    ("api-fail", "post"): Door(LEASE, lambda side: [side.step.uid], lambda side: {**lease(side), "reason": "x"}),
    ("api-actions", "post"): Door(LEASE, body=action),
    ("api-decision", "get"): Door(ONE, lambda side: [side.decision.uid]),
    ("api-runs", "get"): Door(LIST, query=lambda side: {"workflow": side.workflow.code, "status": "running"}),
    ("api-runs", "post"): Door(
        CREATE, body=lambda side: {"workflow": side.workflow.code, "key": "another", "input": {"document": "a.xml"}}
    ),
    ("api-run", "get"): Door(ONE, lambda side: [side.run.uid]),
    ("api-facts", "get"): Door(READ, query=lambda side: {"space": side.space.code, "key": "k"}),
    ("api-facts", "post"): Door(
        CREATE, body=lambda side: {"space": side.space.code, "key": "k2", "value": {"total": "1.00"}}
    ),
    ("api-escalations", "get"): Door(LIST, query=lambda side: {"agent": side.agent.code}),
    ("api-escalation", "get"): Door(ONE, lambda side: [side.escalation.uid]),
    ("api-approve", "post"): Door(BOUND, lambda side: [side.escalation.uid], answer),
    ("api-reject", "post"): Door(BOUND, lambda side: [side.escalation.uid], answer),
    ("api-workflows", "post"): Door(
        CREATE,
        body=lambda side: {
            "code": side.workflow.code,
            "bpmn": side.workflow.versions.all()[0].bpmn.replace("</bpmn:definitions>", "\n</bpmn:definitions>"),
        },
    ),
    ("api-policies", "get"): Door(LIST),
    ("api-policies", "post"): Door(CREATE, body=lambda side: {"text": policy_text(side)}),
    ("api-policy", "get"): Door(ONE, lambda side: [side.policy.key]),
    ("api-policy-check", "post"): Door(CHECK, body=lambda side: {"text": policy_text(side)}),
    ("api-policy-activate", "post"): Door(
        CHANGE, lambda side: [side.policy.key], lambda side: {"version": side.policy.versions.all()[0].number}
    ),
    ("api-events", "get"): Door(LIST, query=lambda side: {"after": "0"}),
}
OPEN_API = {("api-schema", "get"), ("api-browse", "get")}  # the description itself, for everybody

PAGES: dict[tuple[str, str], Door] = {
    **{(name, "get"): Door(READ) for name in (
        "overview", "control", "control-posture", "escalations", "escalations-new", "runs", "agents", "workflows",
        "memory", "policies", "sign-in", "signed-out", "password-change", "password-changed", "settings", "performance",
        "audit", "audit-export", "live-counts", "live-events", "search", "health", "api-schema", "api-browse",
    )},
    ("control", "post"): Door(CHANGE, body=lambda side: {"state": "paused", "why": "A drill."}),
    ("escalation", "get"): Door(ONE, lambda side: [side.escalation.uid]),
    ("escalation-answer", "get"): Door(READ, lambda side: [side.escalation.uid]),
    ("escalation-answer", "post"): Door(
        BOUND, lambda side: [side.escalation.uid], lambda side: {**answer(side), "answer": "approved"}
    ),
    ("run", "get"): Door(ONE, lambda side: [side.run.uid]),
    ("run-cancel", "post"): Door(CHANGE, lambda side: [side.run.uid], lambda side: {"why": "A drill."}),
    ("run-states", "get"): Door(READ, lambda side: [side.run.uid]),
    ("agent", "get"): Door(ONE, lambda side: [side.agent.code]),
    ("agent-pause", "post"): Door(CHANGE, lambda side: [side.agent.code], lambda side: {"why": "A drill."}),
    ("agent-resume", "post"): Door(CHANGE, lambda side: [side.agent.code], lambda side: {"why": "A drill."}),
    ("agent-key", "post"): Door(CREATE, lambda side: [side.agent.code]),
    ("agent-key-revoke", "post"): Door(
        CHANGE, lambda side: [side.agent.code, side.key], lambda side: {"why": "A drill."}
    ),
    ("workflow", "get"): Door(ONE, lambda side: [side.workflow.code]),
    ("workflow-drawing", "get"): Door(READ, lambda side: [side.workflow.code, 1]),
    ("workflow-states", "get"): Door(READ, lambda side: [side.workflow.code, 1]),
    ("policy", "get"): Door(ONE, lambda side: [side.policy.key]),
    ("sign-in", "post"): Door(READ, body=lambda side: {"username": "nobody", "password": "wrong"}),
    ("sign-out", "post"): Door(CHANGE),
    ("password-change", "post"): Door(CHANGE, body=lambda side: {"old_password": "wrong"}),
    ("settings", "post"): Door(CHANGE),
    ("performance-chart", "get"): Door(READ, lambda side: ["cycle-time"]),
}  # fmt: skip


def routes() -> Iterator[tuple[str, str, URLPattern]]:
    """(name, path, pattern) of every route that the server knows."""
    yield from _below(get_resolver().url_patterns, "")


def _below(patterns: Sequence[Any], prefix: str) -> Iterator[tuple[str, str, URLPattern]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _below(pattern.url_patterns, path)
        else:
            yield pattern.name or path, path, pattern


def methods(pattern: URLPattern) -> list[str]:
    """The methods that the route takes; one that only refuses does not count."""
    view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
    if view is None:
        return ["get"]
    allowed = {each.lower() for each in view.http_method_names}
    found = [each for each in METHODS if hasattr(view, each) and each in allowed]
    return [each for each in found if not (each == "put" and "post" in found)]  # Django's forms take PUT as POST


def known() -> set[tuple[str, str]]:
    """(name, method) of everything that can be asked."""
    found = {(name, method) for name, _, pattern in routes() for method in methods(pattern)}
    return found - {("sign-out", "get")}


def api_doors() -> list[tuple[str, str]]:
    """(name, method) of what stands below /api/v1/."""
    return sorted(
        (name, method) for name, path, pattern in routes() if path.startswith("api/v1/") for method in methods(pattern)
    )


def idempotency_key() -> str:
    return str(uuid.uuid4())
