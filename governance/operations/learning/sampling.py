"""Sampled checks: a small share of what was allowed without a person comes back to be looked at again."""

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import rfc8785
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from agents.models import Unit
from governance.models import Decision, Escalation, EscalationPath, PolicyVersion, Risk, SampledCheck, Sampler
from governance.operations.decisions import OWN_ACTIONS
from governance.operations.opening import Asked, Place, open_escalation
from governance.operations.policies import rules_now, systems_now
from governance.rules.sampling import is_sampled
from observability import ledger
from observability.kpis import midnight
from observability.models import Event

SETTLES_IN = timedelta(minutes=15)  # by then a decision has committed and, mostly, its outcome is known
LOOKS_BACK = timedelta(hours=24)  # at the first look, and after a long stop
TIME_TO_ANSWER = timedelta(days=7)
CHUNK = 2_000
OUTCOMES = {"step.finished": "Reported as done", "step.failed": "Reported as failed"}


def sample(*, at: datetime) -> int:
    """Open a check for every sampled decision that became old enough since the last look, as many as a day may have;
    how many. Doubled or repeated, it opens each once."""
    until = at - SETTLES_IN
    since = _begin(until)
    left = settings.SAMPLED_PER_DAY - SampledCheck.objects.filter(opened_at__gte=_today(at)).count()
    opened = 0
    for pk in _sampled(since, until):
        if opened >= left:
            break
        opened += _open(pk, at)
    Sampler.objects.filter(pk=1).update(looked_until=until)
    return opened


def _begin(until: datetime) -> datetime:
    row, _ = Sampler.objects.get_or_create(pk=1, defaults={"looked_until": until - LOOKS_BACK})
    return max(row.looked_until, until - LOOKS_BACK)


def _today(at: datetime) -> datetime:
    return midnight(timezone.localtime(at).date())


def _sampled(since: datetime, until: datetime) -> list[int]:
    share = Decimal(str(settings.SAMPLED_SHARE))
    lately = Decision.objects.alone().filter(at__gt=since, at__lte=until, sampled=None).exclude(action__in=OWN_ACTIONS)
    rows = lately.order_by("at", "pk").values_list("pk", "uid").iterator(chunk_size=CHUNK)
    return [pk for pk, uid in rows if is_sampled(uid, share)]


def _open(pk: int, at: datetime) -> bool:
    decision = Decision.objects.select_related("agent__unit", "agent__accountable").get(pk=pk)
    path = _path_for(decision)
    if path is None:
        return False
    try:
        with transaction.atomic():
            asked = open_escalation(_asked(decision, path), by=ledger.SYSTEM, at=at)
            asked.due_at = at + TIME_TO_ANSWER
            asked.save(update_fields=["due_at"])
            SampledCheck.objects.create(decision=decision, escalation=asked, opened_at=at)
    except IntegrityError:
        return False  # somebody else was faster
    return True


def _path_for(decision: Decision) -> EscalationPath | None:
    """Whom the policy that allowed it asks otherwise; else whom the agent's unit asks, or the one above it."""
    active = PolicyVersion.objects.active().filter(policy__key=decision.policy).first()
    rules = active.document.get("rules", ()) if active is not None else ()
    keys = [rule["escalate"]["path"] for rule in rules if rule.get("escalate")]
    paths = EscalationPath.objects.filter(steps__isnull=False).distinct()
    named = {path.key: path for path in paths.filter(key__in=keys)}
    found = next((named[key] for key in reversed(keys) if key in named), None)
    return found or _of_units(decision.agent.unit)


def _of_units(unit: Unit | None) -> EscalationPath | None:
    while unit is not None:
        found = EscalationPath.objects.filter(unit=unit, steps__isnull=False).order_by("key").first()
        if found is not None:
            return found
        unit = unit.parent
    return None


def _asked(decision: Decision, path: EscalationPath) -> Asked:
    agent, request = decision.agent, {"review": str(decision.uid), "request": decision.request}
    label = _label(decision.action)
    return Asked(
        kind=Escalation.Kind.REVIEW, title=f"Was this right? {agent.code}: {label}, {decision.resource_id}"[:300],
        path=path, unit=agent.unit, likeness=f"review:{decision.policy}:{decision.rule}"[:250], risk=Risk.LOW,
        effect="It is done already", request=request, request_sha256=_digest(request),
        place=Place(workflow_name="Work to look at again"),
        reason_asked=f"{agent} did this without a person: {decision.reason} It is one of a small sample that is "
        "looked at again.",
        policy=decision.policy, policy_version=decision.policy_version,
        shown=_shown(decision), changes=[], evidence=_evidence(decision), statement=decision.statement,
        confidence=decision.confidence, not_by=(),
        if_approved="It is noted that this was right. Nothing else changes.",
        if_rejected="It is noted that this was wrong, with your reason; who owns the policy reads it. What was done "
        "stays as it is, and the agent works on.",
        if_nobody="It is closed without an answer.",
    )  # fmt: skip


def _label(action: str) -> str:
    named = {item["name"]: item.get("label", "") for system in systems_now() for item in system.actions}
    return str(named.get(action) or action)


def _digest(request: dict[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(request)).hexdigest()


def _shown(decision: Decision) -> list[dict[str, str]]:
    schema = rules_now()[1]
    facts = [{"label": "Agent", "value": str(decision.agent)}]
    for name, value in dict(decision.request.get("context") or {}).items():
        known = schema.get(f"context.{name}")
        facts.append({"label": known.words if known is not None else name, "value": _short(value)})
    properties = decision.request.get("resource", {}).get("properties") or {}
    for name, value in properties.items():
        known = schema.get(f"resource.{name}")
        if known is not None and isinstance(value, str | int):
            facts.append({"label": known.words, "value": _short(value)})
    return facts


def _short(value: object) -> str:
    return str(value)[:200]


def _evidence(decision: Decision) -> list[dict[str, Any]]:
    """What became of it, as far as it is known when the check is opened."""
    told = [{"kind": "fact", "name": "Allowed", "proves": f"{decision.at:%Y-%m-%d %H:%M} UTC, rule {decision.rule}."}]
    if decision.step:
        later = Event.objects.filter(subject_kind="step", subject_id=decision.step, at__gte=decision.at)
        last = later.filter(Q(verb="step.finished") | Q(verb="step.failed")).order_by("-id").first()
        name = OUTCOMES[last.verb] if last is not None else "Nothing reported yet"
        told.append({"kind": "step", "name": name, "proves": (last.why if last is not None else "")[:500]})
    elif decision.reported_at is not None:
        done, failed = decision.report.get("done"), decision.report.get("failed")
        name = "Reported as done" if done else "Reported as failed" if failed else "Reported as not done"
        told.append({"kind": "step", "name": name, "proves": f"{decision.reported_at:%Y-%m-%d %H:%M} UTC."})
    return told


# --- what was answered ----------------------------------------------------------------------------------------
@transaction.atomic
def note_checks(*, at: datetime, at_most: int) -> int:
    """Put every answered check on record, once; how many."""
    rows = SampledCheck.objects.unread().select_for_update(skip_locked=True, of=("self",))
    found = list(rows.select_related("decision__agent", "escalation__settled_by").order_by("pk")[:at_most])
    for check in found:
        asked = check.escalation
        is_right = asked.status == Escalation.Status.APPROVED
        check.outcome = SampledCheck.Outcome.RIGHT if is_right else SampledCheck.Outcome.WRONG
        check.save(update_fields=["outcome"])
        told = {"policy": check.decision.policy, "rule": check.decision.rule, "reason_code": asked.reason_code}
        by = asked.settled_by or ledger.SYSTEM
        ledger.record(f"sample.{check.outcome}", check, by=by, at=at, why=asked.reason, data=told)
    return len(found)
