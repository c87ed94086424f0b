"""The pages about policies: which there are, and what one of them says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.charts import Outcomes, rule_rows
from governance.models import Decision, EscalationPath, Policy, PolicyVersion
from governance.operations import decision_schema, policies
from governance.operations.policies import said
from governance.rules import PolicyInvalid, PolicyRules, parse_policy
from governance.rules.documents import effective_of
from governance.rules.texts import write_text
from observability import ledger
from observability.ledger import database_now

LATELY = timedelta(days=7)
UNDER_WAY = tuple(PolicyVersion.Status(name) for name in ("draft", "in_review", "approved", "shadow"))
TABS = {"": "Rules", "gate": "Gate", "versions": "Versions", "comments": "Comments"}


class PoliciesPage(LoginRequiredMixin, View):
    """The policies that a person may see, with what they decided lately."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        versions = PolicyVersion.objects.defer("document").select_related("author")
        visible = Policy.objects.visible_to(user).select_related("unit", "owner")
        found = visible.prefetch_related(Prefetch("versions", versions))
        outcomes = _outcomes_by_policy(user, database_now())
        rows = [_row(policy, outcomes.get(policy.key, Outcomes())) for policy in found]
        page = {
            "rows": rows, "days": LATELY.days, "may_write": user.may("governance.add_policy"),
            "waiting": PolicyVersion.objects.for_person(user).with_people().defer("document").order_by("asked_at"),
        }  # fmt: skip
        return render(request, "governance/policies.html", page)


class PolicyPage(LoginRequiredMixin, View):
    """One policy, one version of it: its rules in words and the document, the gate, the versions, what people said."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        user, at = person(request), database_now()
        policy = visible_policy(user, key)
        versions = list(policy.versions.with_people())
        version = _chosen(versions, request.GET.get("version", ""))
        tab = request.GET.get("tab", "")
        tab = tab if tab in TABS else ""
        gate = policies.gate_of(version, at=at)
        shown = {
            "policy": policy, "version": version, "versions": versions, "days": LATELY.days, "tab": tab, "gate": gate,
            "missing": sum(not check.is_met for check in gate), "tabs": _tabs(version, gate, len(versions)),
            "comments": version.comments.select_related("author"), "next": next_acts(user, version, gate),
            "may_edit": policies.may_write(user, policy), "effective": effective_of(version.document), "now": at,
            "older": next((each for each in versions if each.number < version.number), None),
        }  # fmt: skip
        return render(request, "governance/policy.html", shown | _told(version, user, at))


@dataclass(frozen=True)
class NextAct:
    """Something that this person can do with the version now: where it is done, the button's words and its look."""

    url: str
    words: str
    look: str = ""


def next_acts(user: Principal, version: PolicyVersion, gate: list[policies.GateCheck]) -> list[NextAct]:
    """What this person can do with the version now, the usual step first."""
    may_write, status = policies.may_write(user, version.policy), PolicyVersion.Status
    found: list[NextAct] = []

    def act(name: str, words: str, look: str = "") -> NextAct:
        return NextAct(reverse(f"policy-{name}", args=[version.policy.key, version.number]), words, look)

    if version.status == status.IN_REVIEW and policies.may_approve(user, version):
        found += [act("approve", "Approve", "pri"), act("send-back", "Send it back", "dng")]
    if not may_write:
        return found
    if version.status == status.IN_REVIEW and user.pk in (version.author_id, version.asked_by_id):
        found.append(act("withdraw", "Take it back"))
    if version.status == status.DRAFT:
        found += [act("ask-review", "Ask for review", "pri"), act("retire", "Throw it away", "dng")]
    if version.status in (status.APPROVED, status.SHADOW) and all(check.is_met for check in gate):
        found.append(act("activate", "Put in force", "pri"))
    if version.status == status.APPROVED:
        found.append(act("shadow", "Put in shadow"))
    if version.status in (status.APPROVED, status.SHADOW, status.ACTIVE):
        found.append(act("retire", "Take it out", "dng"))
    if version.status == status.RETIRED:
        found.append(act("restore", "Go back to this version", "pri"))
    return found


def _tabs(version: PolicyVersion, gate: list[policies.GateCheck], versions: int) -> list[tuple[str, str, int]]:
    is_on_its_way = version.status in UNDER_WAY  # one that decides, or did, needs nothing any more
    missing = sum(not check.is_met for check in gate) if is_on_its_way else 0
    counts = {"gate": missing, "versions": versions, "comments": version.comments.count()}
    return [(name, words, counts.get(name, 0)) for name, words in TABS.items()]


def visible_policy(user: Principal, key: str) -> Policy:
    """The policy, if this person may see it; not found otherwise."""
    policy: Policy | None = Policy.objects.visible_to(user).select_related("unit", "owner").filter(key=key).first()
    if policy is None:
        raise ledger.NotFound
    return policy


def _lately(user: Principal, at: datetime) -> QuerySet[Decision]:
    return Decision.objects.visible_to(user).filter(at__gte=at - LATELY).order_by()


def _outcomes_by_policy(user: Principal, at: datetime) -> dict[str, Outcomes]:
    counted: dict[str, list[tuple[str, int]]] = {}
    for key, effect, count in _lately(user, at).values_list("policy", "effect").annotate(Count("pk")):
        counted.setdefault(key, []).append((effect, count))
    return {key: Outcomes.of(pairs) for key, pairs in counted.items()}


def _row(policy: Policy, outcomes: Outcomes) -> dict[str, Any]:
    versions = list(policy.versions.all())
    by_status: dict[str, PolicyVersion] = {}
    for each in versions:
        by_status.setdefault(each.status, each)
    in_force = by_status.get(PolicyVersion.Status.ACTIVE)
    others = [by_status[status] for status in UNDER_WAY if status in by_status and by_status[status] != versions[0]]
    return {
        "policy": policy, "version": in_force or versions[0] if versions else None, "outcomes": outcomes,
        "others": [each for each in (*versions[:1], *others) if each.status in UNDER_WAY and each != in_force],
    }  # fmt: skip


def _chosen(versions: list[PolicyVersion], wanted: str) -> PolicyVersion:
    if wanted:
        chosen = next((version for version in versions if str(version.number) == wanted), None)
    else:
        chosen = next((version for version in versions if version.status == PolicyVersion.Status.ACTIVE), None)
        chosen = chosen or next(iter(versions), None)
    if chosen is None:
        raise ledger.NotFound
    return chosen


def _told(version: PolicyVersion, user: Principal, at: datetime) -> dict[str, Any]:
    of_policy = _lately(user, at).filter(policy=version.policy.key)
    counts = list(of_policy.values_list("rule", "effect").annotate(Count("pk")))
    told = {
        "document": write_text(version.document),
        "outcomes": Outcomes.of((effect, count) for _, effect, count in counts),
    }
    rules, problem = _read(version)
    if rules is None:
        return {**told, "problem": problem}
    paths = _paths(rules)
    rows = rule_rows(rules, paths, {rule: count for rule, _, count in counts})
    return {**told, "rules": rules, "rows": rows, "paths": list(paths.values())}


def _read(version: PolicyVersion) -> tuple[PolicyRules | None, str]:
    # A system that lost a field makes an old document unreadable; the page still shows its text, and why.
    try:
        return parse_policy(version.document, decision_schema()), ""
    except PolicyInvalid as invalid:
        return None, said(invalid.problems[0])


def _paths(rules: PolicyRules) -> dict[str, EscalationPath]:
    wanted = {rule.escalate.path for rule in rules.rules if rule.escalate}
    found = EscalationPath.objects.filter(key__in=wanted).prefetch_related("steps__people", "steps__group")
    return {path.key: path for path in found}
