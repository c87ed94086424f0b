"""Every route of the server: what it is, how a good request to it looks, and what each kind of caller is answered.

A new route needs a line in DOORS (the API) or PAGES (the others) here, and its rows in matrix.txt. The tests that read
these tables say which line is missing and print the rows as the server answers them now: look at each, then paste them.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from agents.models import Agent, Blueprint, ForeignCard, Grant, Principal, Review, Unit
from governance.api.shapes.safeguards import circuit_tag, incident_tag, safeguard_tag
from governance.models import (
    FUSE,
    Decision,
    Delegation,
    DemotionRule,
    Escalation,
    Policy,
    PromotionRequest,
    SystemGuard,
)
from governance.rules.breaking import USUAL_FUSE
from tests.site import things
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
LEASE = "lease"  # acts on what its body names: a step by its lease token, a card by its SHA-256; an Idempotency-Key
END = "end"  # ends what never changes otherwise, once and for all; an Idempotency-Key, 409 the second time
BOUND = "bound"  # acts on what is named by request_sha256 or If-Match: 428 without either, 412 when it changed
CHANGE = "change"  # changes what is there: If-Match, 428 without it, 412 when it changed
CHECK = "check"  # a POST that changes nothing
STANDARD = "standard"  # follows a standard of others, whose rules have tests of their own (tests/governance)
KINDS = (LIST, ONE, READ, CREATE, LEASE, END, BOUND, CHANGE, CHECK, STANDARD)


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


def together(side: Side) -> dict[str, Any]:
    item = {"id": str(side.escalation.uid), "request_sha256": side.escalation.request_sha256}
    return {"items": [item], "answer": "approved"}


def view(side: Side) -> dict[str, Any]:
    return {"name": "Drill", "query": {"tab": "all", "risk": "3"}, "unit": side.unit.code}


def runs_view(side: Side) -> dict[str, Any]:
    return {"name": "Drill", "query": {"state": "stuck"}, "unit": side.unit.code}


def action(side: Side) -> dict[str, Any]:
    resource = {"type": "invoice", "id": "1", "properties": {"findings": 0}}
    asked = {"action": "invoice.pay", "resource": resource, "context": {"amount": "1.00", "currency": "EUR"}}
    return {"step": str(side.step.uid), **lease(side), **asked}


def evaluation(side: Side) -> dict[str, Any]:
    asked = {"context": {"amount": "1.00", "currency": "EUR"}, "resource": {"type": "invoice", "id": "1"}}
    return {"subject": {"type": "agent", "id": side.agent.code}, "action": {"name": "invoice.pay"}, **asked}


def policy_text(side: Side) -> str:
    """The newest document of the unit's policy as text (JSON is YAML too)."""
    return json.dumps({**side.policy.versions.all()[0].document})


def written(side: Side, do: str) -> dict[str, Any]:
    return {"mode": "text", "text": policy_text(side), "do": do}


def bench(side: Side) -> dict[str, Any]:
    resource = {"type": "invoice", "id": "1", "properties": {"findings": 0}}
    return {"agent": side.agent.code, "action": "invoice.pay", "resource": resource, "context": {"amount": "1.00"}}


def stop(side: Side) -> dict[str, Any]:
    return {"kind": "agent", "id": side.agent.code, "state": "restricted", "until": None, **why(side)}


def practice(side: Side) -> dict[str, Any]:
    return {"kind": "unit", "id": side.unit.code, **why(side)}


def why(side: Side) -> dict[str, Any]:
    return {"why": "A drill."}


def reason(side: Side) -> dict[str, Any]:
    return {"reason": "A drill."}


def path_form(side: Side) -> dict[str, Any]:
    level = {"form-0-people": [things.colleague(side)], "form-0-seconds": "1h", "form-0-quorum": 1}
    terms = {"name": "Drill", "mode": "pass_on", "pauses_at_most": 2, "pause_hours_at_most": 8, **why(side)}
    return {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 0, **level, **terms}


def calendar_form(side: Side) -> dict[str, Any]:
    return {"name": "Drill", "days": ["mon"], "begin": "08:00", "end": "17:00", "zone": "UTC", "holidays": ""}


def _planted(side: Side) -> dict[str, Any]:
    request = {"action": "drill", "resource": {"type": "drill", "id": str(uuid.uuid4())}, "context": {}}
    return {
        "like": str(things.decided(side).uid), "title": "May I?", "request": request, "right_answer": "rejected",
        **why(side),
    }  # fmt: skip


def purpose(side: Side) -> dict[str, Any]:
    return {"purpose": "Another one.", **why(side)}


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
    ("api-release", "post"): Door(LEASE, lambda side: [side.step.uid], lambda side: {**lease(side), "why": "x"}),
    ("api-hand-off", "post"): Door(
        LEASE, lambda side: [side.step.uid], lambda side: {**lease(side), "to_role": things.other_role(side)}
    ),
    ("api-hand-offs", "get"): Door(READ, lambda side: [things.handed_off(side).uid]),
    ("api-escalate", "post"): Door(LEASE, lambda side: [side.step.uid], lambda side: {**lease(side), "code": "x"}),
    ("api-step-tasks", "get"): Door(READ, lambda side: [things.at_choice(side).uid]),
    ("api-step-tasks", "post"): Door(
        LEASE, lambda side: [things.at_choice(side).uid], lambda side: {"lease_token": 1, "task": "call"}
    ),
    ("api-batch", "post"): Door(CREATE, body=lambda side: {"claim": 1}),
    ("api-endpoint", "get"): Door(ONE, lambda side: [things.endpoint(side).agent.code]),
    ("api-endpoint", "post"): Door(
        CREATE, lambda side: [side.agent.code], lambda side: {"url": f"https://{things.ALLOWED_HOST}/work"}
    ),
    ("api-endpoint-disable", "post"): Door(END, lambda side: [things.endpoint(side).agent.code], why),
    ("api-endpoint-messages", "get"): Door(LIST, lambda side: [things.endpoint(side).agent.code]),
    ("api-actions", "post"): Door(LEASE, body=action),
    ("api-decision", "get"): Door(ONE, lambda side: [side.decision.uid]),
    ("api-runs", "get"): Door(LIST, query=lambda side: {"workflow": side.workflow.code, "status": "running"}),
    ("api-runs", "post"): Door(
        CREATE, body=lambda side: {"workflow": side.workflow.code, "key": "another", "input": {"document": "a.xml"}}
    ),
    ("api-runs-batch", "post"): Door(
        LEASE,
        body=lambda side: {
            "workflow": side.workflow.code, "runs": [{"key": "one-of-many", "input": {"document": "a.xml"}}],
        },
    ),
    ("api-run", "get"): Door(ONE, lambda side: [side.run.uid]),
    ("api-run-pause", "post"): Door(END, lambda side: [side.run.uid], why),
    ("api-run-resume", "post"): Door(END, lambda side: [things.paused_run(side).uid], why),
    ("api-run-cancel", "post"): Door(END, lambda side: [side.run.uid], why),
    ("api-run-restart", "post"): Door(CREATE, lambda side: [things.ended_run(side).uid], why),
    ("api-run-variable", "post"): Door(
        LEASE, lambda side: [side.run.uid],
        lambda side: {**why(side), "variable": "input.document", "value": "2.xml", "before": "1.xml"},
    ),
    ("api-run-move", "post"): Door(
        END, lambda side: [things.other_run(side).uid],
        lambda side: {**why(side), "token": things.ready_step(side).token, "to": "match"},
    ),
    ("api-runs-together", "post"): Door(
        LEASE, body=lambda side: {**why(side), "act": "pause", "runs": [str(side.run.uid)]}
    ),
    ("api-steps", "get"): Door(LIST, query=lambda side: {"workflow": side.workflow.code}),
    ("api-step-retry", "post"): Door(END, lambda side: [things.failed_step(side).uid], why),
    ("api-step-skip", "post"): Door(
        END, lambda side: [things.ready_step(side).uid], lambda side: {**why(side), "output": {"readable": False}}
    ),
    ("api-step-assign", "post"): Door(LEASE, lambda side: [things.ready_step(side).uid], why),
    ("api-step-reassign", "post"): Door(
        LEASE, lambda side: [things.ready_step(side).uid], lambda side: {**why(side), "agent": side.agent.code}
    ),
    ("api-migration-plan", "post"): Door(
        CHECK, lambda side: [side.workflow.code], lambda side: {"from_version": 1, "to_version": 1}
    ),
    ("api-migration", "post"): Door(
        LEASE, lambda side: [side.workflow.code],
        lambda side: {**why(side), "from_version": 1, "to_version": 1, "runs": [str(side.run.uid)]},
    ),
    ("api-facts", "get"): Door(READ, query=lambda side: {"space": side.space.code, "key": "k"}),
    ("api-facts", "post"): Door(
        CREATE, body=lambda side: {"space": side.space.code, "key": "k2", "value": {"total": "1.00"}}
    ),
    ("api-fact", "get"): Door(ONE, lambda side: [things.fact(side).uid]),
    ("api-fact-file", "get"): Door(READ, lambda side: [things.fact(side, "file").uid]),
    ("api-fact-confirm", "post"): Door(
        END, lambda side: [things.fact(side, "low").uid], lambda side: {"why": "A drill."}
    ),
    ("api-fact-invalidate", "post"): Door(END, lambda side: [things.fact(side).uid], lambda side: {"why": "A drill."}),
    ("api-memory-search", "get"): Door(LIST, query=lambda side: {"space": side.space.code}),
    ("api-memory-claims", "post"): Door(LEASE, body=lambda side: {"space": side.space.code, "key": "unknown"}),
    ("api-memory-release", "post"): Door(LEASE, body=things.claimed),
    ("api-memory-spaces", "get"): Door(LIST),
    ("api-memory-spaces", "post"): Door(
        CREATE, body=lambda side: {"code": "drill", "name": "Drill", "unit": side.unit.code}
    ),
    ("api-memory-purge", "post"): Door(END, body=lambda side: {"agent": side.agent.code, "why": "A drill."}),
    ("api-escalations", "get"): Door(LIST, query=lambda side: {"agent": side.agent.code}),
    ("api-escalation", "get"): Door(ONE, lambda side: [side.escalation.uid]),
    ("api-approve", "post"): Door(BOUND, lambda side: [side.escalation.uid], answer),
    ("api-amend", "post"): Door(
        BOUND, lambda side: [things.amendable(side).uid],
        lambda side: {"values": {"amount": "100.00"}, "request_sha256": things.amendable(side).request_sha256},
    ),
    ("api-ask-agent", "post"): Door(CREATE, lambda side: [things.questioned(side).uid], lambda side: {"text": "Why?"}),
    ("api-hand-over", "post"): Door(
        CREATE, lambda side: [things.questioned(side).uid], lambda side: {"to": things.colleague(side)}
    ),
    ("api-inquiries", "get"): Door(LIST, lambda side: things.asked_agent(side)[:1]),
    ("api-my-inquiries", "get"): Door(READ),
    ("api-inquiry-answer", "post"): Door(END, things.asked_agent, lambda side: {"answer": "So."}),
    ("api-paths", "get"): Door(LIST),
    ("api-paths", "post"): Door(
        CREATE, body=lambda side: {"key": "drill", "unit": side.unit.code, **things.path_terms(side)}
    ),
    ("api-path", "get"): Door(ONE, lambda side: [side.workflow.incident_path.key]),
    ("api-path", "patch"): Door(CHANGE, lambda side: [side.workflow.incident_path.key], things.path_terms),
    ("api-calendars", "get"): Door(LIST),
    ("api-calendars", "post"): Door(
        CREATE, body=lambda side: {"key": "drill", "unit": side.unit.code, **things.hours(side)}
    ),
    ("api-calendar", "get"): Door(ONE, lambda side: [things.office(side).key]),
    ("api-calendar", "patch"): Door(CHANGE, lambda side: [things.office(side).key], things.hours),
    ("api-trainings", "get"): Door(LIST),
    ("api-trainings", "post"): Door(
        CREATE,
        body=lambda side: {"person": f"{side.unit.code}-clerk", "name": "drill", "valid_until": "2030-01-01T00:00:00Z"},
    ),
    ("api-undo", "post"): Door(END, lambda side: [things.held_escalation(side).uid]),
    ("api-reject", "post"): Door(BOUND, lambda side: [side.escalation.uid], answer),
    ("api-decide-together", "post"): Door(LEASE, body=together),
    ("api-escalation-attention", "get"): Door(ONE, lambda side: [side.escalation.uid]),
    **{(f"api-escalation-{act}", "post"): Door(CREATE, lambda side: [side.escalation.uid]) for act in (
        "claim", "watch", "unwatch", "wake",
    )},
    ("api-escalation-assign", "post"): Door(
        CREATE, lambda side: [side.escalation.uid], lambda side: {"person": things.asked_person(side).username}
    ),
    ("api-escalation-snooze", "post"): Door(
        CREATE, lambda side: [side.escalation.uid], lambda side: {"until": things.soon()}
    ),
    ("api-escalation-release", "post"): Door(CREATE, lambda side: [things.looked_at(side).uid]),
    ("api-escalation-views", "get"): Door(LIST),
    ("api-escalation-views", "post"): Door(CREATE, body=lambda side: {**view(side), "name": "Another"}),
    ("api-escalation-view", "get"): Door(ONE, lambda side: [things.saved_view(side).uid]),
    ("api-escalation-view", "patch"): Door(CHANGE, lambda side: [things.saved_view(side).uid], lambda side: view(side)),
    ("api-escalation-view-drop", "post"): Door(CHANGE, lambda side: [things.saved_view(side).uid]),
    ("api-run-views", "get"): Door(LIST),
    ("api-run-views", "post"): Door(CREATE, body=lambda side: {**runs_view(side), "name": "Another"}),
    ("api-run-view", "get"): Door(ONE, lambda side: [things.saved_view(side, "runs").uid]),
    ("api-run-view", "patch"): Door(CHANGE, lambda side: [things.saved_view(side, "runs").uid], runs_view),
    ("api-run-view-drop", "post"): Door(CHANGE, lambda side: [things.saved_view(side, "runs").uid]),
    ("api-workflows", "post"): Door(
        CREATE,
        body=lambda side: {
            "code": side.workflow.code,
            "bpmn": side.workflow.versions.all()[0].bpmn.replace("</bpmn:definitions>", "\n</bpmn:definitions>"),
        },
    ),
    ("api-messages", "get"): Door(LIST),
    ("api-messages", "post"): Door(CREATE, body=lambda side: things.told(side, "message")),
    ("api-message", "get"): Door(ONE, lambda side: [things.message(side).uid]),
    ("api-signals", "post"): Door(CREATE, body=lambda side: things.told(side, "signal")),
    ("api-schedules", "get"): Door(LIST),
    ("api-schedules", "post"): Door(CREATE, body=things.schedule_terms),
    ("api-schedule", "get"): Door(ONE, lambda side: [things.schedule(side).uid]),
    ("api-schedule-pause", "post"): Door(END, lambda side: [things.schedule(side).uid], why),
    ("api-schedule-resume", "post"): Door(END, lambda side: [things.schedule(side, "paused").uid]),
    ("api-schedule-end", "post"): Door(END, lambda side: [things.schedule(side).uid]),
    ("api-hooks", "get"): Door(LIST),
    ("api-hooks", "post"): Door(CREATE, body=lambda side: {"workflow": side.workflow.code, "name": "Drill"}),
    ("api-hook-revoke", "post"): Door(END, lambda side: [things.hook(side).uid], why),
    ("api-follows", "get"): Door(LIST),
    ("api-follows", "post"): Door(
        CREATE, body=lambda side: {"workflow": side.workflow.code, "after": things.draft(side).workflow.code}
    ),
    ("api-follow-drop", "post"): Door(CREATE, lambda side: [things.follow(side).uid]),
    ("api-workflow-begin", "post"): Door(
        CREATE,
        body=lambda side: {
            "code": "drill", "name": "Drill", "unit": side.unit.code, "owner": things.colleague(side),
            "incident_path": side.workflow.incident_path.key,
        },
    ),
    ("api-workflow-templates", "get"): Door(ONE),
    ("api-workflow-versions", "get"): Door(LIST, lambda side: [side.workflow.code]),
    ("api-workflow-restore", "post"): Door(
        CREATE, lambda side: [things.restorable(side).workflow.code, 1], lambda side: {"reason": "A drill."}
    ),
    ("api-workflow-draft", "get"): Door(ONE, lambda side: [things.draft(side).workflow.code]),
    ("api-workflow-draft", "post"): Door(CREATE, lambda side: [side.workflow.code]),
    ("api-workflow-draft", "patch"): Door(
        CHANGE, lambda side: [things.draft(side).workflow.code], lambda side: {"bpmn": f"{things.draft(side).bpmn}\n"}
    ),
    ("api-workflow-draft-check", "post"): Door(
        CHECK, lambda side: [side.workflow.code], lambda side: {"bpmn": things.draft(side).bpmn}
    ),
    **{(f"api-workflow-draft-{act}", "post"): Door(CHANGE, lambda side: [things.draft(side).workflow.code], reason)
       for act in ("ask", "discard")},
    **{(f"api-workflow-draft-{act}", "post"): Door(CHANGE, lambda side: [things.in_review(side).workflow.code], reason)
       for act in ("withdraw", "publish", "send-back")},
    ("api-tables", "get"): Door(LIST, lambda side: [side.workflow.code]),
    ("api-tables", "post"): Door(CREATE, lambda side: [side.workflow.code], lambda side: {"dmn": things.DMN}),
    ("api-table", "get"): Door(ONE, lambda side: [things.decision_table(side).uid]),
    ("api-table-try", "post"): Door(
        CHECK, lambda side: [things.decision_table(side).uid], lambda side: {"facts": {"amount": 1}}
    ),
    ("api-policies", "get"): Door(LIST),
    ("api-policies", "post"): Door(CREATE, body=lambda side: {"text": policy_text(side)}),
    ("api-policy", "get"): Door(ONE, lambda side: [side.policy.key]),
    ("api-policy-schema", "get"): Door(READ),
    ("api-policy-bench", "post"): Door(CHECK, body=bench),
    ("api-policy-check", "post"): Door(CHECK, body=lambda side: {"text": policy_text(side)}),
    ("api-policy-activate", "post"): Door(
        CHANGE, lambda side: [side.policy.key], lambda side: {"version": things.version(side, "approved")[1]}
    ),
    ("api-policy-analysis", "get"): Door(READ, lambda side: [side.policy.key, 1]),
    ("api-insights", "get"): Door(READ),
    ("api-learnt-rules", "get"): Door(LIST),
    ("api-learnt-revoke", "post"): Door(END, lambda side: [things.learnt(side).uid], lambda side: {"why": "A drill."}),
    ("api-planted", "get"): Door(LIST),
    ("api-planted", "post"): Door(CREATE, body=_planted),
    ("api-planted-withdraw", "post"): Door(END, lambda side: [things.planted(side).uid]),
    ("api-value-lists", "get"): Door(LIST),
    ("api-value-lists", "post"): Door(
        CREATE,
        body=lambda side: {
            "name": "drill", "title": "Drill", "items": ["a"], "reason": "A drill.", "unit": side.unit.code,
        },
    ),
    ("api-value-list", "get"): Door(ONE, lambda side: [things.value_list(side).name]),
    ("api-value-list", "patch"): Door(
        CHANGE, lambda side: [things.value_list(side).name], lambda side: {"items": ["b"], "reason": "A drill."}
    ),
    ("api-policy-templates", "get"): Door(ONE),
    ("api-policy-versions", "get"): Door(LIST, lambda side: [side.policy.key]),
    ("api-policy-version", "get"): Door(ONE, lambda side: things.version(side, "draft")),
    ("api-policy-version", "patch"): Door(
        CHANGE, lambda side: things.version(side, "draft"), lambda side: {"text": policy_text(side)}
    ),
    ("api-policy-gate", "get"): Door(ONE, lambda side: things.version(side, "draft")),
    ("api-policy-diff", "get"): Door(
        READ, lambda side: [side.policy.key], query=lambda side: {"before": "1", "after": "2"}
    ),
    ("api-policy-comments", "get"): Door(LIST, lambda side: things.version(side, "draft")),
    ("api-policy-comments", "post"): Door(
        CREATE, lambda side: things.version(side, "draft"), lambda side: {"text": "A drill."}
    ),
    ("api-policy-restore", "post"): Door(CREATE, lambda side: things.version(side, "retired")),
    ("api-policy-ask-review", "post"): Door(CHANGE, lambda side: things.version(side, "draft"), reason),
    **{(f"api-policy-{act}", "post"): Door(CHANGE, lambda side: things.version(side, "in_review"), reason) for act in (
        "approve", "send-back", "withdraw",
    )},
    **{(f"api-policy-{act}", "post"): Door(CHANGE, lambda side: things.version(side, "approved"), reason) for act in (
        "shadow", "retire",
    )},
    ("api-replays", "get"): Door(LIST, lambda side: [side.policy.key, 1]),
    ("api-replays", "post"): Door(CREATE, lambda side: [side.policy.key, 2], lambda side: {"days": 7}),
    ("api-replay", "get"): Door(ONE, lambda side: [side.policy.key, 1, things.replay(side).uid]),
    ("api-replay-decisions", "get"): Door(LIST, lambda side: [side.policy.key, 1, things.replay(side).uid]),
    ("api-in-shadow", "get"): Door(READ, lambda side: [side.policy.key, 1]),
    ("api-in-shadow-decisions", "get"): Door(LIST, lambda side: [side.policy.key, 1]),
    ("api-replay-cancel", "post"): Door(END, lambda side: [side.policy.key, 1, things.replay(side).uid]),
    ("api-events", "get"): Door(LIST, query=lambda side: {"after": "0"}),
    ("api-event", "get"): Door(ONE, lambda side: [things.event(side).uid]),
    # --- agents and their work -------------------------------------------------------------------------------------
    ("api-blueprints", "get"): Door(LIST),
    ("api-blueprints", "post"): Door(CREATE, body=things.job),
    ("api-blueprint", "get"): Door(ONE, lambda side: [side.agent.blueprint.code]),
    ("api-blueprint", "patch"): Door(CHANGE, lambda side: [side.agent.blueprint.code], purpose),
    ("api-agents", "post"): Door(CREATE, body=things.hired),
    ("api-agent", "patch"): Door(CHANGE, lambda side: [side.agent.code], purpose),
    ("api-agent-submit", "post"): Door(CHANGE, lambda side: [things.agent(side, "draft")]),
    ("api-agent-send-back", "post"): Door(CHANGE, lambda side: [things.agent(side, "in_review")], why),
    ("api-agent-activate", "post"): Door(CHANGE, lambda side: [things.agent(side, "in_review")]),
    ("api-agent-pause", "post"): Door(CHANGE, lambda side: [side.agent.code], why),
    ("api-agent-resume", "post"): Door(CHANGE, lambda side: [things.agent(side, "paused")], why),
    ("api-agent-retire", "post"): Door(CHANGE, lambda side: [things.agent(side, "paused")], why),
    ("api-agent-versions", "get"): Door(LIST, lambda side: [side.agent.code]),
    ("api-agent-readiness", "get"): Door(ONE, lambda side: [things.agent(side, "in_review")]),
    ("api-boundaries", "get"): Door(ONE, lambda side: [side.agent.code]),
    ("api-evidence", "get"): Door(READ, lambda side: [side.agent.code], query=lambda side: {"days": "30"}),
    ("api-promotions", "get"): Door(LIST, lambda side: [things.promotion(side).agent.code]),
    ("api-promotions", "post"): Door(CREATE, lambda side: [things.agent(side, "paused")], reason),
    **{(f"api-promotion-{act}", "post"): Door(END, lambda side: [things.promotion(side).uid], reason) for act in (
        "approve", "reject", "withdraw",
    )},
    ("api-budgets", "get"): Door(LIST, query=lambda side: {"status": "active"}),
    ("api-budgets", "post"): Door(CREATE, body=things.new_budget),
    ("api-budget", "get"): Door(ONE, lambda side: [things.budget(side).uid]),
    ("api-budget", "patch"): Door(
        CHANGE, lambda side: [things.budget(side).uid], lambda side: {"hard_limit": "20.00", **why(side)}
    ),
    ("api-budget-close", "post"): Door(CHANGE, lambda side: [things.budget(side).uid], why),
    ("api-agent-budgets", "get"): Door(LIST, lambda side: [side.agent.code]),
    ("api-incidents", "get"): Door(LIST, query=lambda side: {"status": "open"}),
    ("api-incident", "get"): Door(ONE, lambda side: [things.incident(side).uid]),
    **{(f"api-incident-{act}", "post"): Door(CHANGE, lambda side: [things.incident(side).uid], why) for act in (
        "release", "keep",
    )},
    ("api-safeguards", "get"): Door(LIST),
    ("api-safeguard", "get"): Door(ONE, lambda side: ["everybody"]),
    ("api-safeguard", "patch"): Door(
        CHANGE, lambda side: [things.safeguard(side).role], lambda side: {"repeats": 9, **why(side)}
    ),
    ("api-safeguard-drop", "post"): Door(CHANGE, lambda side: [things.safeguard(side).role], why),
    ("api-circuits", "get"): Door(LIST),
    ("api-circuit", "get"): Door(ONE, lambda side: [things.system(side).code]),
    ("api-circuit", "patch"): Door(
        CHANGE, lambda side: [things.system(side).code], lambda side: {"percent": 40, **why(side)}
    ),
    ("api-outcome", "post"): Door(LEASE, lambda side: [things.allowed(side).uid], lambda side: {"done": True}),
    # --- people and their rights -----------------------------------------------------------------------------------
    ("api-people", "get"): Door(LIST),
    ("api-people", "post"): Door(
        CREATE, body=lambda side: {"username": "nina", "name": "Nina", "unit": side.unit.code, "roles": ["member"]}
    ),
    ("api-person", "get"): Door(ONE, lambda side: [things.person(side).username]),
    ("api-person", "patch"): Door(CHANGE, lambda side: [things.person(side).username], lambda side: {"title": "Clerk"}),
    ("api-person-disable", "post"): Door(CHANGE, lambda side: [things.person(side).username], why),
    ("api-person-enable", "post"): Door(CHANGE, lambda side: [things.person(side, "leaver").username], why),
    ("api-access-object", "get"): Door(LIST, lambda side: ["agent", side.agent.code]),
    ("api-access-principal", "get"): Door(LIST, lambda side: [side.agent.principal.username]),
    ("api-grants", "post"): Door(
        CREATE,
        body=lambda side: {
            "kind": "agent", "id": side.agent.code, "permission": "agents.pause_agent", **reason(side),
            "to": things.person(side).username,
        },
    ),
    ("api-grant", "delete"): Door(CHANGE, lambda side: [things.grant(side).uid], query=reason),
    ("api-reviews", "get"): Door(LIST),
    ("api-reviews", "post"): Door(
        CREATE, body=lambda side: {"name": "Again", "due_at": things.later(), "units": [side.unit.code]}
    ),
    ("api-review", "get"): Door(ONE, lambda side: [things.review(side).uid]),
    ("api-review-items", "get"): Door(LIST, lambda side: [things.review(side).uid]),
    ("api-review-certify", "post"): Door(CHANGE, lambda side: [things.review(side).uid, things.item(side).pk]),
    ("api-review-revoke", "post"): Door(CHANGE, lambda side: [things.review(side).uid, things.item(side).pk], reason),
    ("api-control", "get"): Door(LIST),
    ("api-control", "post"): Door(LEASE, body=stop),
    ("api-control-preview", "get"): Door(READ, query=lambda side: {"kind": "agent", "id": side.agent.code}),
    ("api-control-drills", "get"): Door(LIST),
    ("api-control-drills", "post"): Door(CREATE, body=practice),
    ("api-control-drill", "get"): Door(ONE, lambda side: [things.drill(side).uid]),
    ("api-delegations", "get"): Door(LIST),
    ("api-delegations", "post"): Door(
        CREATE,
        body=lambda side: {
            "person": side.agent.accountable.username, "to": {"finance": "priya"}.get(side.unit.code, "ingrid"),
            "ends_at": things.later(), **reason(side),
        },
    ),
    ("api-delegation-end", "post"): Door(CHANGE, lambda side: [things.delegation(side).uid], reason),
    # --- credentials -----------------------------------------------------------------------------------------------
    ("api-keys", "get"): Door(LIST, lambda side: [side.agent.code]),
    ("api-keys", "post"): Door(CREATE, lambda side: [side.agent.code], lambda side: {"name": "laptop"}),
    ("api-key-rotate", "post"): Door(CREATE, lambda side: [things.key(side).prefix], lambda side: {"overlap_hours": 1}),
    ("api-key-revoke", "post"): Door(END, lambda side: [things.key(side).prefix], why),
    ("api-own-key-rotate", "post"): Door(CREATE, body=lambda side: {"overlap_hours": 1}),
    ("api-client-keys", "get"): Door(LIST, lambda side: [side.agent.code]),
    ("api-client-keys", "post"): Door(CREATE, lambda side: [side.agent.code], lambda side: {"jwk": things.JWK}),
    ("api-client-key-revoke", "post"): Door(END, lambda side: [things.client_key(side).uid], why),
    ("api-consents", "get"): Door(LIST),
    ("api-consents", "post"): Door(CREATE, body=lambda side: {"agent": side.agent.code, "minutes": 5}),
    ("api-consent-withdraw", "post"): Door(END, lambda side: [things.consent(side).uid]),
    ("api-foreign-cards", "get"): Door(LIST),
    ("api-foreign-cards", "post"): Door(CREATE, body=lambda side: {"unit": side.unit.code, "card": things.CARD}),
    ("api-foreign-card", "get"): Door(ONE, lambda side: [things.card(side).uid]),
    ("api-foreign-card-accept", "post"): Door(
        LEASE, lambda side: [things.card(side).uid], lambda side: {"sha256": things.card(side).seen_sha256}
    ),
    ("api-foreign-card-withdraw", "post"): Door(END, lambda side: [things.card(side).uid], why),
    # --- the decision point ----------------------------------------------------------------------------------------
    ("authzen-evaluation", "post"): Door(STANDARD, body=evaluation),
    ("authzen-evaluations", "post"): Door(STANDARD, body=lambda side: {**evaluation(side), "evaluations": [{}]}),
    **{(f"authzen-{each}", "post"): Door(STANDARD, body=evaluation) for each in ("subjects", "resources", "actions")},
    ("authzen-requests", "post"): Door(
        STANDARD, body=lambda side: {**evaluation(side), "denial": {"evaluation_id": str(side.decision.uid)}}
    ),
    ("authzen-request", "get"): Door(ONE, lambda side: [things.access_request(side).uid]),
    ("authzen-cancel", "post"): Door(STANDARD, lambda side: [things.access_request(side).uid]),
}  # fmt: skip
OPEN_API = {("api-schema", "get"), ("api-browse", "get")}  # the description itself, for everybody


JWK = '{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'


def _why(side: Side) -> dict[str, Any]:
    return {"why": "A drill.", "reason": "A drill."}


def _agent(side: Side, status: str = "") -> list[Any]:
    """The code of the side's agent, or of its one with this status."""
    return [Agent.objects.get(unit=side.unit, status=status, name="New").code if status else side.agent.code]


def _draft(side: Side) -> list[Any]:
    return _agent(side, "draft")


def _in_review(side: Side) -> list[Any]:
    return _agent(side, "in_review")


def _blueprint(side: Side) -> list[Any]:
    return [side.agent.blueprint.code]


def _draft_blueprint(side: Side) -> list[Any]:
    return [Blueprint.objects.get(unit=side.unit, status=Blueprint.Status.DRAFT).code]


def _owner(side: Side) -> Principal:
    return Principal.objects.get(username={"finance": "maria"}.get(side.unit.code, "tomasz"))


def _person(side: Side) -> list[Any]:
    return [_owner(side).username]


def _card(side: Side) -> ForeignCard:
    return ForeignCard.objects.get(unit=side.unit)


def _new_card(side: Side) -> dict[str, Any]:
    card = {"name": "Drill", "version": "1", "url": "https://b.example", "skills": [{"id": "x"}]}
    return {"unit": side.unit.pk, "card": ContentFile(json.dumps(card).encode(), name="agent-card.json")}


def _promotion(side: Side) -> list[Any]:
    return [PromotionRequest.objects.get(agent__unit=side.unit).uid]


def _right(side: Side) -> list[Any]:
    """The owner's right on the space."""
    return [Grant.objects.get(user=_owner(side), object_pk=str(side.space.pk), content_type__model="space").uid]


def _delegation(side: Side) -> list[Any]:
    return [Delegation.objects.get(person=_owner(side)).uid]


def _review(side: Side) -> Review:
    return Review.objects.get(units=side.unit)


def _item(side: Side) -> int:
    """The key of one right in the review of the side."""
    return int(_review(side).items.order_by("pk").first().pk)


def _client_key(side: Side) -> list[Any]:
    return [side.agent.code, side.agent.client_keys.get().uid]


def _job(side: Side) -> dict[str, Any]:
    """A blueprint as its form sends it."""
    named = {"role": side.agent.role.code, "unit": side.unit.code, "owner": _owner(side).username}
    return {
        **named, "name": "Drill", "purpose": "A drill.", "autonomy_ceiling": "1", "risk_class": "1", "currency": "EUR",
        "code": "drill", "why": "A drill.",
    }  # fmt: skip


def _hired(side: Side) -> dict[str, Any]:
    """An agent as its form sends it."""
    named = {"blueprint": side.agent.blueprint.code, "unit": side.unit.code, "accountable": _owner(side).username}
    return {
        **named, "code": "ZZ-01", "name": "Drill", "purpose": "A drill.", "autonomy_level": "0",
        "environment": "production", "icon": "bot", "ends_on": "2999-01-01", "why": "A drill.",
    }  # fmt: skip


def _roles(side: Side) -> dict[str, Any]:
    return {"roles": ["member"], "unit": side.unit.pk, "why": "A drill."}


def _delegated(side: Side) -> dict[str, Any]:
    last = timezone.localdate() + timedelta(days=9)
    first = last - timedelta(days=3)
    days = {"first": first.isoformat(), "last": last.isoformat()}
    to = {"finance": "priya"}.get(side.unit.code, "daniel")
    return {"person": _owner(side).username, "to": to, **days, "risk_at_most": "3", "reason": "A drill."}


def _new_budget(side: Side) -> dict[str, Any]:
    """A budget as its form sends it."""
    return {
        "name": "Drill", "scope": "agent", "about": side.agent.code, "metric": "money", "currency": "EUR",
        "period": "day", "hard_limit": "10", "why": "A drill.",
    }  # fmt: skip


LOOKS = ("claim", "release", "assign", "watch", "unwatch", "snooze", "wake")


def _look(side: Side) -> dict[str, Any]:
    """What the forms of the card's menu send."""
    return {"person": things.asked_person(side).username, "for": "1h"}


def _resolved(side: Side) -> dict[str, Any]:
    return {"tag": incident_tag(things.incident(side)), **_why(side)}


def _limits(side: Side) -> dict[str, Any]:
    """The limits of everybody as their form sends them."""
    return {"tag": safeguard_tag("", None), "window_minutes": "10", "repeats": "9", **_why(side)}


def _circuit(side: Side) -> dict[str, Any]:
    """The circuit breaker of the unit's system as its form sends it."""
    tag = circuit_tag(SystemGuard(system=things.system(side)))
    return {"tag": tag, **{name: str(getattr(USUAL_FUSE, name)) for name in FUSE}, **_why(side)}


def _new_review(side: Side) -> dict[str, Any]:
    last = (timezone.localdate() + timedelta(days=9)).isoformat()
    return {"name": "Drill", "last": last, "units": [side.unit.code], "answered_by": "accountable"}


def _wish(side: Side) -> dict[str, Any]:
    return {"happenings": ["arrived"], "rhythm": "hourly", "daily_at": "08:00", "zone": "Europe/Berlin"}


PAGES: dict[tuple[str, str], Door] = {
    **{(name, "get"): Door(READ) for name in (
        "overview", "control", "control-posture", "control-drills", "escalations", "escalations-new", "runs",
        "runs-failed", "runs-queue", "runs-views",
        "escalations-together", "escalations-views",
        "agents", "workflows",
        "memory", "memory-reuse", "memory-purge",
        "policies", "policy-new", "sign-in", "signed-out", "password-change", "password-changed", "settings",
        "performance", "prices", "event-logs",
        "audit", "audit-export", "live-counts", "live-events", "search", "health", "api-schema", "api-browse",
        "account_login", "mfa_login_webauthn", "mfa_authenticate", "account_reauthenticate", "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn", "sign-in-again", "usersessions_list", "mfa_index", "mfa_activate_totp",
        "mfa_deactivate_totp", "mfa_list_webauthn", "mfa_add_webauthn", "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "settings-agents", "agent-cards", "people",
        "people-admit", "people-emergencies", "agent-new", "agents-chart", "agents-blueprints", "agent-blueprint-new",
        "access", "access-principals", "access-delegations", "access-reviews", "access-review-new", "agent-autonomy",
        "oauth-jwks", "oauth-server", "oauth-resource", "policies-analysis", "policy-lists", "policy-list-new",
        "policy-bench", "policy-new-form", "settings-notifications", "manifest", "service-worker", "offline",
        "authzen-metadata",
    )},
    ("policy-list-new", "post"): Door(
        CREATE,
        body=lambda side: {"name": "drill", "title": "Drill", "items": "a", "reason": "A drill.", "unit": side.unit.pk},
    ),
    ("policy-list", "get"): Door(ONE, lambda side: [things.value_list(side).name]),
    ("policy-list", "post"): Door(
        CHANGE, lambda side: [things.value_list(side).name],
        lambda side: {"items": "b", "reason": "A drill.", "edition": 1},
    ),
    ("policy-list-drop", "post"): Door(
        CHANGE, lambda side: [things.value_list(side).name], lambda side: {"reason": "A drill."}
    ),
    ("policy-analysis", "get"): Door(READ, lambda side: [side.policy.key, 1]),
    ("authzen-metadata-path", "get"): Door(READ, lambda side: ["autonomy"]),  # where PUBLIC_URL has this path
    ("policy-new-form", "post"): Door(CHECK, body=lambda side: written(side, "check")),
    ("policy-form", "get"): Door(READ, lambda side: [side.policy.key, 1]),
    ("policy-form", "post"): Door(
        CREATE, lambda side: [side.policy.key, 1], lambda side: written(side, "save")
    ),
    ("policy-bench", "post"): Door(CHECK, body=lambda side: {"agent": side.agent.code, "action": "invoice.pay"}),
    ("control-practise", "post"): Door(CREATE, body=lambda side: {"drill-why": "Quarterly."}),
    ("control", "post"): Door(CHANGE, body=lambda side: {"state": "paused", "why": "A drill."}),
    ("escalation", "get"): Door(ONE, lambda side: [side.escalation.uid]),
    **{(f"escalation-{act}", "get"): Door(READ, lambda side: [side.escalation.uid]) for act in (
        "amend", "ask", "hand-over",
    )},
    ("escalation-amend", "post"): Door(
        BOUND, lambda side: [things.amendable(side).uid],
        lambda side: {"value-amount": "100.00", "request_sha256": things.amendable(side).request_sha256},
    ),
    ("escalation-ask", "post"): Door(CREATE, lambda side: [things.questioned(side).uid], lambda side: {"text": "Why?"}),
    ("escalation-hand-over", "post"): Door(
        CREATE, lambda side: [things.questioned(side).uid], lambda side: {"to": f"person:{things.colleague(side)}"}
    ),
    ("policy-paths", "get"): Door(READ),
    ("policy-paths", "post"): Door(
        CREATE, body=lambda side: {"person": f"{side.unit.code}-clerk", "training": "drill", "last": "2030-01-01"}
    ),
    ("policy-path-new", "get"): Door(READ),
    ("policy-path-new", "post"): Door(
        CREATE, body=lambda side: {"key": "drill", "unit": side.unit.code, **path_form(side)}
    ),
    ("policy-path", "get"): Door(ONE, lambda side: [side.workflow.incident_path.key]),
    ("policy-path", "post"): Door(
        CHANGE, lambda side: [side.workflow.incident_path.key], lambda side: {"edition": 1, **path_form(side)}
    ),
    ("policy-calendar-new", "get"): Door(READ),
    ("policy-calendar-new", "post"): Door(
        CREATE, body=lambda side: {"key": "drill", "unit": side.unit.code, **calendar_form(side)}
    ),
    ("policy-calendar", "get"): Door(ONE, lambda side: [things.office(side).key]),
    ("policy-calendar", "post"): Door(
        CHANGE, lambda side: [things.office(side).key], lambda side: {"edition": 1, **calendar_form(side)}
    ),
    ("escalation-undo", "get"): Door(READ, lambda side: [side.escalation.uid]),
    ("escalation-undo", "post"): Door(CHANGE, lambda side: [things.held_escalation(side).uid]),
    ("escalation-answer", "get"): Door(READ, lambda side: [side.escalation.uid]),
    ("escalation-answer", "post"): Door(
        BOUND, lambda side: [side.escalation.uid], lambda side: {**answer(side), "answer": "approved"}
    ),
    ("escalation-looks", "get"): Door(READ, lambda side: [side.escalation.uid]),
    **{(f"escalation-{act}", "get"): Door(READ, lambda side: [side.escalation.uid]) for act in LOOKS},
    **{(f"escalation-{act}", "post"): Door(CREATE, lambda side: [side.escalation.uid], _look) for act in LOOKS},
    ("escalations-together", "post"): Door(
        LEASE, body=lambda side: {"answer": "approved",
                                  "item": f"{side.escalation.uid}:{side.escalation.request_sha256}"}
    ),
    ("escalations-views", "post"): Door(CREATE, body=lambda side: {"name": "Another"}),
    ("escalations-views-begin", "post"): Door(CHANGE),
    ("escalations-view", "get"): Door(ONE, lambda side: [things.saved_view(side).uid]),
    ("escalations-view", "post"): Door(
        CHANGE, lambda side: [things.saved_view(side).uid], lambda side: {"name": "Another", "edition": "1"}
    ),
    ("escalations-view-begin", "post"): Door(CHANGE, lambda side: [things.saved_view(side).uid]),
    ("escalations-view-drop", "post"): Door(CHANGE, lambda side: [things.saved_view(side).uid]),
    ("runs-views", "post"): Door(CREATE, body=lambda side: {"name": "Another"}),
    ("runs-view", "get"): Door(ONE, lambda side: [things.saved_view(side, "runs").uid]),
    ("runs-view", "post"): Door(
        CHANGE, lambda side: [things.saved_view(side, "runs").uid], lambda side: {"name": "Another", "edition": "1"}
    ),
    ("runs-view-drop", "post"): Door(CHANGE, lambda side: [things.saved_view(side, "runs").uid]),
    ("memory-purge", "post"): Door(CHANGE, body=lambda side: {"agent": side.agent.code, "why": "A drill."}),
    ("memory-fact", "get"): Door(ONE, lambda side: [things.fact(side).uid]),
    ("memory-fact-file", "get"): Door(READ, lambda side: [things.fact(side, "file").uid]),
    ("memory-fact-confirm", "post"): Door(CHANGE, lambda side: [things.fact(side, "low").uid], _why),
    ("memory-fact-invalidate", "post"): Door(CHANGE, lambda side: [things.fact(side).uid], _why),
    ("run", "get"): Door(ONE, lambda side: [side.run.uid]),
    ("run-cancel", "post"): Door(CHANGE, lambda side: [side.run.uid], lambda side: {"why": "A drill."}),
    **{(f"run-{act}", "post"): Door(CHANGE, lambda side: [side.run.uid], why) for act in (
        "pause", "resume", "retry", "skip", "reassign", "assign", "choose", "move", "variable",
    )},
    ("run-restart", "post"): Door(CREATE, lambda side: [things.ended_run(side).uid], why),
    ("runs-together", "get"): Door(
        READ, query=lambda side: {"act": "pause", "workflow": side.workflow.code}
    ),
    ("runs-together", "post"): Door(
        CHANGE, body=lambda side: {**why(side), "act": "pause", "run": str(side.run.uid)}
    ),
    ("run-states", "get"): Door(READ, lambda side: [side.run.uid]),
    ("agent", "get"): Door(ONE, lambda side: [side.agent.code]),
    ("agent-pause", "post"): Door(CHANGE, lambda side: [side.agent.code], lambda side: {"why": "A drill."}),
    ("agent-resume", "post"): Door(CHANGE, lambda side: [side.agent.code], lambda side: {"why": "A drill."}),
    ("agent-key", "post"): Door(CREATE, lambda side: [side.agent.code]),
    ("agent-key-revoke", "post"): Door(
        CHANGE, lambda side: [side.agent.code, side.key], lambda side: {"why": "A drill."}
    ),
    ("workflow", "get"): Door(ONE, lambda side: [side.workflow.code]),
    ("run-new", "get"): Door(READ, lambda side: [side.workflow.code]),
    ("run-new", "post"): Door(
        CREATE, lambda side: [side.workflow.code], lambda side: {"key": "another", "in-document": "a.xml"}
    ),
    ("workflow-beginnings", "get"): Door(READ, lambda side: [side.workflow.code]),
    ("schedule-new", "post"): Door(
        CREATE, lambda side: [side.workflow.code],
        lambda side: {"name": "Another", "rule": "0 7 * * *", "zone": "UTC", "missed": "once",
                      "variables": '{"document": "a.xml"}'},
    ),
    ("hook-new", "post"): Door(CREATE, lambda side: [side.workflow.code], lambda side: {"name": "Drill"}),
    ("schedule-pause", "post"): Door(CHANGE, lambda side: [things.schedule(side).uid], why),
    ("schedule-resume", "post"): Door(CHANGE, lambda side: [things.schedule(side, "paused").uid]),
    ("schedule-end", "post"): Door(CHANGE, lambda side: [things.schedule(side).uid]),
    ("hook-revoke", "post"): Door(CHANGE, lambda side: [things.hook(side).uid], why),
    ("follow-new", "post"): Door(
        CREATE, lambda side: [side.workflow.code],
        lambda side: {"after": things.draft(side).workflow.code, "status": "done"},
    ),
    ("follow-drop", "post"): Door(CHANGE, lambda side: [things.follow(side).uid]),
    ("hook-call", "post"): Door(CREATE, lambda side: [things.hook(side).uid], lambda side: {"drill": "yes"}),
    ("workflow-move", "get"): Door(READ, lambda side: [side.workflow.code]),
    ("workflow-move", "post"): Door(
        CHANGE, lambda side: [side.workflow.code], lambda side: {**why(side), "to": "1", "run": str(side.run.uid)}
    ),
    ("event-log-new", "get"): Door(READ),
    ("event-log-new", "post"): Door(CREATE, body=things.new_event_log),
    **{(name, "get"): Door(ONE, lambda side: [things.event_log(side).uid]) for name in (
        "event-log", "event-log-columns", "event-log-baseline", "event-log-draft",
    )},
    ("event-log-columns", "post"): Door(
        CHANGE, lambda side: [things.event_log(side).uid], lambda side: things.columns_of_log()
    ),
    ("event-log-remove", "post"): Door(
        CHANGE, lambda side: [things.event_log(side).uid], lambda side: {"why": "A drill."}
    ),
    ("event-log-chart", "get"): Door(READ, lambda side: [things.event_log(side).uid, "week"]),
    ("event-log-table", "get"): Door(READ, lambda side: [things.event_log(side).uid, "activities"]),
    ("event-log-baseline", "post"): Door(CHANGE, lambda side: [things.event_log(side).uid], things.baseline_of_log),
    ("event-log-draft", "post"): Door(
        CREATE, lambda side: [things.event_log(side).uid], lambda side: {**things.terms_of_workflow(side), "share": 80}
    ),
    ("workflow-new", "get"): Door(READ),
    ("workflow-new", "post"): Door(CREATE, body=things.terms_of_workflow),
    ("workflow-draft-file", "get"): Door(READ, lambda side: [things.draft(side).workflow.code]),
    ("workflow-draft-save", "post"): Door(
        CHANGE, lambda side: [things.draft(side).workflow.code],
        lambda side: {"bpmn": f"{things.draft(side).bpmn}\n", "revision": "1"},
    ),
    ("workflow-draft-check", "post"): Door(
        CHECK, lambda side: [side.workflow.code], lambda side: {"bpmn": things.draft(side).bpmn}
    ),
    ("workflow-draft-begin", "post"): Door(CREATE, lambda side: [side.workflow.code]),
    ("workflow-draft-discard", "post"): Door(CHANGE, lambda side: [things.draft(side).workflow.code]),
    ("workflow-outline", "get"): Door(ONE, lambda side: [things.draft(side).workflow.code]),
    ("workflow-outline", "post"): Door(
        CHANGE, lambda side: [things.draft(side).workflow.code],
        lambda side: {"step": "start", "revision": "1", "act": "insert", "kind": "agent"},
    ),
    ("workflow-review", "get"): Door(ONE, lambda side: [things.in_review(side).workflow.code]),
    ("workflow-review-ask", "post"): Door(CHANGE, lambda side: [things.draft(side).workflow.code]),
    ("workflow-review-compared", "post"): Door(CHANGE, lambda side: [things.draft(side).workflow.code]),
    **{(f"workflow-review-{act}", "post"): Door(
        CHANGE, lambda side: [things.in_review(side).workflow.code], lambda side: {"revision": "1", **reason(side)}
    ) for act in ("withdraw", "publish", "send-back")},
    ("workflow-restore", "post"): Door(CREATE, lambda side: [things.restorable(side).workflow.code, 1], reason),
    ("workflow-drawing", "get"): Door(READ, lambda side: [side.workflow.code, 1]),
    ("workflow-states", "get"): Door(READ, lambda side: [side.workflow.code, 1]),
    ("workflow-design", "get"): Door(ONE, lambda side: [side.workflow.code]),
    ("workflow-design-step", "post"): Door(
        CHECK, lambda side: [side.workflow.code],
        lambda side: {"values": json.dumps({"kind": "bpmn:ServiceTask", "id": "read", "name": "Read it"})},
    ),
    ("workflow-live", "get"): Door(ONE, lambda side: [side.workflow.code]),
    ("workflow-heat", "get"): Door(ONE, lambda side: [side.workflow.code]),
    ("workflow-try", "get"): Door(ONE, lambda side: [side.workflow.code]),
    ("workflow-try", "post"): Door(CHECK, lambda side: [side.workflow.code]),
    ("workflow-compare", "get"): Door(ONE, lambda side: [side.workflow.code]),
    ("workflow-heat-states", "get"): Door(READ, lambda side: [side.workflow.code, 1]),
    ("workflow-tables", "get"): Door(READ, lambda side: [side.workflow.code]),
    ("workflow-tables", "post"): Door(CREATE, lambda side: [side.workflow.code], lambda side: things.dmn_file()),
    ("workflow-table", "get"): Door(READ, lambda side: [side.workflow.code, things.decision_table(side).uid]),
    ("workflow-table-file", "get"): Door(READ, lambda side: [side.workflow.code, things.decision_table(side).uid]),
    ("policy", "get"): Door(ONE, lambda side: [side.policy.key]),
    ("policy-new", "post"): Door(CREATE, body=lambda side: {"text": policy_text(side)}),
    ("policy-check", "post"): Door(CHECK, body=lambda side: {"text": policy_text(side)}),
    ("policy-diff", "get"): Door(READ, lambda side: [side.policy.key]),
    ("policy-edit", "get"): Door(READ, lambda side: [side.policy.key]),
    ("policy-edit", "post"): Door(
        CHANGE, lambda side: [side.policy.key],
        lambda side: {"text": policy_text(side), "seen": side.policy.versions.all()[0].sha256},
    ),
    ("policy-document.yaml", "get"): Door(READ, lambda side: things.version(side, "draft")),
    ("policy-document.json", "get"): Door(READ, lambda side: things.version(side, "draft")),
    ("policy-comment", "post"): Door(
        CREATE, lambda side: things.version(side, "draft"), lambda side: {"text": "A drill."}
    ),
    ("policy-restore", "post"): Door(CREATE, lambda side: things.version(side, "retired")),
    ("policy-ask-review", "post"): Door(CHANGE, lambda side: things.version(side, "draft"), _why),
    **{(f"policy-{act}", "post"): Door(CHANGE, lambda side: things.version(side, "in_review"), _why) for act in (
        "approve", "send-back", "withdraw",
    )},
    **{(f"policy-{act}", "post"): Door(CHANGE, lambda side: things.version(side, "approved"), _why) for act in (
        "activate", "shadow", "retire",
    )},
    ("policy-replay", "get"): Door(ONE, lambda side: [side.policy.key, 1]),
    ("policy-replay", "post"): Door(CREATE, lambda side: [side.policy.key, 2], lambda side: {"days": "7"}),
    ("policy-replay-cancel", "post"): Door(CHANGE, lambda side: [side.policy.key, 1]),
    ("policy-in-shadow", "get"): Door(ONE, lambda side: [side.policy.key, 1]),
    **{(name, "get"): Door(ONE, lambda side: [side.policy.key, 1, things.tried_decision(side).uid]) for name in (
        "policy-replayed", "policy-in-shadow-decision",
    )},
    ("sign-in", "post"): Door(READ, body=lambda side: {"username": "nobody", "password": "wrong"}),
    ("sign-out", "post"): Door(CHANGE),
    ("password-change", "post"): Door(CHANGE, body=lambda side: {"old_password": "wrong"}),
    ("settings", "post"): Door(CHANGE),
    ("performance-chart", "get"): Door(READ, lambda side: ["cycle-time"]),
    # signing in, and one's own account
    ("account_login", "post"): Door(READ, body=lambda side: {"username": "nobody", "password": "wrong"}),
    **{(name, "post"): Door(CHANGE) for name in (
        "account_logout", "mfa_login_webauthn", "mfa_authenticate", "account_reauthenticate", "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn", "sign-in-service", "usersessions_list", "mfa_activate_totp",
        "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes", "oauth-token",
    )},
    ("openid_connect_callback", "get"): Door(READ, lambda side: ["company"]),
    ("invitation", "get"): Door(READ, lambda side: ["Mw", "wrong"]),
    ("invitation", "post"): Door(CHANGE, lambda side: ["Mw", "wrong"]),
    **{(name, method): Door(CHANGE, lambda side: [1]) for name, method in (
        ("mfa_edit_webauthn", "get"), ("mfa_edit_webauthn", "post"), ("mfa_remove_webauthn", "get"),
        ("mfa_remove_webauthn", "post"), ("mfa_remove_webauthn", "delete"),
    )},
    ("settings-notifications", "post"): Door(CHANGE, body=_wish),
    ("settings-notifications-add", "post"): Door(
        CREATE, body=lambda side: {"kind": "webhook", "address": "https://10.0.0.1/"}  # refused
    ),
    **{(f"settings-notifications-{act}", "post"): Door(CHANGE, lambda side: [side.run.uid]) for act in (
        "test", "remove",
    )},
    ("escalation-open", "get"): Door(READ, lambda side: ["forged"]),
    ("settings-agents", "post"): Door(
        CREATE, body=lambda side: {"agent": side.agent.code, "scopes": ["work"], "minutes": "5"}
    ),
    ("settings-agents-withdraw", "post"): Door(CHANGE, lambda side: [side.run.uid]),
    # people
    ("people-admit", "post"): Door(
        CREATE, body=lambda side: {**_roles(side), "name": "Drill", "username": "drill", "title": "", "email": ""}
    ),
    ("people-emergencies", "post"): Door(CHANGE, body=lambda side: {"use": str(side.run.uid), "review": "A drill."}),
    ("people-person", "get"): Door(ONE, _person),
    ("people-roles", "post"): Door(CHANGE, _person, _roles),
    **{(f"people-{act}", "post"): Door(CHANGE, _person, _why) for act in ("disable", "enable", "factors", "invite")},
    # agents: hired, changed, retired, their credentials
    ("agent-new", "post"): Door(CREATE, body=_hired),
    ("agent-edit", "get"): Door(READ, _agent),
    ("agent-edit", "post"): Door(CHANGE, _agent, _hired),
    ("agent-review", "get"): Door(READ, _agent),
    ("agent-assessment", "get"): Door(READ, _agent),
    ("agent-assessment", "post"): Door(
        CHANGE, _agent, lambda side: dict.fromkeys(("does", "touches", "risks", "measures"), "A drill.")
    ),
    ("agent-submit", "post"): Door(CHANGE, _draft),
    ("agent-activate", "post"): Door(CHANGE, _in_review),
    ("agent-send-back", "post"): Door(CHANGE, _in_review, _why),
    ("agent-retire", "get"): Door(READ, _agent),
    ("agent-retire", "post"): Door(CHANGE, _agent, _why),
    ("agent-history", "get"): Door(READ, _agent),
    ("agent-traces", "get"): Door(READ, _agent),
    ("trace", "get"): Door(READ, lambda side: [things.span(side).trace_id]),
    ("prices", "post"): Door(CREATE, body=lambda side: {
        "model": "drill-1", "kind": "input", "per_million": "2", "currency": "EUR", "valid_from": "2026-01-01",
        "why": "A drill.",
    }),
    # programs send these with a body of their own type: here a form, which none of them takes
    **{(f"otlp-{signal}", "post"): Door(STANDARD) for signal in ("traces", "metrics", "logs")},
    ("agent-history", "post"): Door(CHANGE, _agent, lambda side: {"number": "1", "why": "A drill."}),
    ("agent-card", "get"): Door(READ, _agent),
    ("agent-card-publish", "post"): Door(CHANGE, _agent, lambda side: {"published": "yes"}),
    ("agent-key-rotate", "post"): Door(
        CREATE, lambda side: [side.agent.code, side.key], lambda side: {"overlap_hours": "1"}
    ),
    ("agent-client-key", "post"): Door(CREATE, _agent, lambda side: {"jwk": JWK, "scopes": ["work"], "days": "9"}),
    ("agent-client-key-revoke", "post"): Door(CHANGE, _client_key, _why),
    ("agent-endpoint", "post"): Door(
        CREATE, _agent, lambda side: {"url": f"https://{things.ALLOWED_HOST}/work"}
    ),
    ("agent-endpoint-disable", "post"): Door(CHANGE, lambda side: [things.endpoint(side).agent.code], _why),
    ("agent-blueprint", "get"): Door(ONE, _blueprint),
    ("agent-blueprint-new", "post"): Door(CREATE, body=_job),
    ("agent-blueprint-edit", "get"): Door(READ, _blueprint),
    ("agent-blueprint-edit", "post"): Door(CHANGE, _blueprint, _job),
    ("agent-blueprint-activate", "post"): Door(CHANGE, _draft_blueprint),
    ("agent-blueprint-disable", "post"): Door(CHANGE, _blueprint, _why),
    ("agent-blueprint-history", "get"): Door(READ, _blueprint),
    ("agent-blueprint-history", "post"): Door(CHANGE, _blueprint, lambda side: {"number": "1", "why": "A drill."}),
    ("agent-cards", "post"): Door(CREATE, body=_new_card),
    ("agent-cards-one", "get"): Door(ONE, lambda side: [_card(side).uid]),
    ("agent-cards-accept", "post"): Door(
        BOUND, lambda side: [_card(side).uid], lambda side: {"sha256": _card(side).seen_sha256, "why": "A drill."}
    ),
    ("agent-cards-withdraw", "post"): Door(CHANGE, lambda side: [_card(side).uid], _why),
    # what is learnt from answers
    ("insights", "get"): Door(READ),
    ("insights-rows", "get"): Door(
        READ, query=lambda side: {"show": "alone", "policy": side.policy.key, "rule": "drill", "days": "7"}
    ),
    ("insights-pairs", "get"): Door(READ, query=lambda side: {"one": "priya", "other": "maria"}),
    ("insights-draft", "post"): Door(CREATE, lambda side: ["ab" * 32]),
    ("insights-turn-down", "post"): Door(CHANGE, lambda side: ["ab" * 32], _why),
    ("insights-revoke", "post"): Door(CHANGE, lambda side: [things.learnt(side).uid], _why),
    ("insights-planted", "get"): Door(READ),
    ("insights-planted-new", "get"): Door(READ, lambda side: [things.decided(side).uid]),
    ("insights-planted-new", "post"): Door(
        CREATE, lambda side: [things.decided(side).uid],
        lambda side: {**_planted(side), "request": json.dumps(_planted(side)["request"]), "shown": ""},
    ),
    ("insights-planted-withdraw", "post"): Door(CHANGE, lambda side: [things.planted(side).uid]),
    ("insights-planted-seen", "post"): Door(CHANGE, lambda side: [things.planted(side).uid]),
    # earned autonomy
    ("agent-autonomy", "post"): Door(
        CHANGE, body=lambda side: {"role": "", "error_percent": "5", "at_least": "20", "days": "30", **_why(side)}
    ),
    ("agent-demotion-rule-drop", "post"): Door(CHANGE, lambda side: [DemotionRule.objects.get().pk], _why),
    ("agent-promotion", "get"): Door(READ, _agent),
    ("agent-promotion", "post"): Door(CHANGE, lambda side: [side.agent.code], _why),
    ("agent-demotion", "get"): Door(READ, _agent),
    ("agent-demotion", "post"): Door(CHANGE, _agent, _why),
    **{(f"promotion-{act}", "post"): Door(CHANGE, _promotion, _why) for act in ("approve", "reject", "withdraw")},
    # budgets
    ("budgets", "get"): Door(READ),
    ("budget-new", "get"): Door(READ),
    ("budget-new", "post"): Door(CREATE, body=_new_budget),
    ("budget", "get"): Door(ONE, lambda side: [things.budget(side).uid]),
    ("budget-edit", "get"): Door(READ, lambda side: [things.budget(side).uid]),
    ("budget-edit", "post"): Door(
        CHANGE, lambda side: [things.budget(side).uid],
        lambda side: {"name": "Drill", "hard_limit": "5", "edition": "1", **_why(side)},
    ),
    ("budget-close", "post"): Door(CHANGE, lambda side: [things.budget(side).uid], _why),
    # incidents and safeguards
    ("incidents", "get"): Door(READ),
    ("incident", "get"): Door(ONE, lambda side: [things.incident(side).uid]),
    **{(f"incident-{act}", "post"): Door(CHANGE, lambda side: [things.incident(side).uid], _resolved) for act in (
        "release", "keep",
    )},
    ("incidents-safeguards", "get"): Door(READ),
    ("incidents-limits", "get"): Door(READ, lambda side: ["everybody"]),
    ("incidents-limits", "post"): Door(CHANGE, lambda side: ["everybody"], _limits),
    ("incidents-limits-drop", "post"): Door(
        CHANGE, lambda side: [things.safeguard(side).role],
        lambda side: {"tag": safeguard_tag(things.safeguard(side).role, things.safeguard(side)), **_why(side)},
    ),
    ("incidents-circuit", "get"): Door(ONE, lambda side: [things.system(side).code]),
    ("incidents-circuit", "post"): Door(CHANGE, lambda side: [things.system(side).code], _circuit),
    # access
    ("access-object", "get"): Door(ONE, lambda side: ["agent", side.agent.code]),
    ("access-object", "post"): Door(
        CHANGE, lambda side: ["agent", side.agent.code],
        lambda side: {"to": "role:auditor", "permission": "agents.pause_agent", **_why(side)},
    ),
    ("access-principal", "get"): Door(ONE, lambda side: [f"agent:{side.agent.code}"]),
    ("access-principal", "post"): Door(
        CHANGE, lambda side: [f"agent:{side.agent.code}"],
        lambda side: {"right": "space:workflows.view_space", "object": side.space.code, **_why(side)},
    ),
    ("access-take", "post"): Door(CHANGE, _right, _why),
    ("access-prolong", "post"): Door(CHANGE, _right, lambda side: {**_why(side), "until": "2999-01-01"}),
    ("access-delegations", "post"): Door(CREATE, body=_delegated),
    ("access-delegation-end", "post"): Door(CHANGE, _delegation, _why),
    ("access-review-new", "post"): Door(CREATE, body=_new_review),
    ("access-review", "get"): Door(ONE, lambda side: [_review(side).uid]),
    ("access-review-answer", "post"): Door(
        CHANGE, lambda side: [_review(side).uid], lambda side: {"item": [str(_item(side))]}
    ),
    ("access-review-revoke", "post"): Door(CHANGE, lambda side: [_review(side).uid, _item(side)], _why),
    ("access-review-json", "get"): Door(READ, lambda side: [_review(side).uid]),
    ("access-review-csv", "get"): Door(READ, lambda side: [_review(side).uid]),
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
    """(name, method) of what stands below /api/v1/, and of the decision point."""
    below = ("api/v1/", "access/v1/")
    return sorted(
        (name, method) for name, path, pattern in routes() if path.startswith(below) for method in methods(pattern)
    )


def idempotency_key() -> str:
    return str(uuid.uuid4())
