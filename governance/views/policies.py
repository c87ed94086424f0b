"""The pages about policies: which there are, and what one of them says."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.charts import Outcomes, rule_rows
from governance.models import Decision, EscalationPath, Policy, PolicyVersion
from governance.operations import decision_schema, may_write
from governance.operations.policies import said
from governance.rules import PolicyInvalid, PolicyRules, parse_policy
from governance.rules.texts import write_text
from observability import ledger
from observability.ledger import database_now

LATELY = timedelta(days=7)


class PoliciesPage(LoginRequiredMixin, View):
    """The policies that a person may see, with what they decided lately."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        versions = PolicyVersion.objects.defer("document").select_related("author")
        policies = Policy.objects.visible_to(user).select_related("unit", "owner")
        found = policies.prefetch_related(Prefetch("versions", versions))
        outcomes = _outcomes_by_policy(user, database_now())
        rows = [_row(policy, outcomes.get(policy.key, Outcomes())) for policy in found]
        return render(request, "governance/policies.html", {"rows": rows, "days": LATELY.days})


class PolicyPage(LoginRequiredMixin, View):
    """One policy: its rules in words, the document itself, its versions, whom it asks and what it decided."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        user = person(request)
        policy = Policy.objects.visible_to(user).select_related("unit", "owner").filter(key=key).first()
        if policy is None:
            raise ledger.NotFound
        versions = list(policy.versions.select_related("author", "policy"))
        version = _chosen(versions, request.GET.get("version", ""))
        shown = {"policy": policy, "version": version, "versions": versions, "days": LATELY.days}
        shown["may_write"] = may_write(user, policy)
        return render(request, "governance/policy.html", shown | _told(version, user, database_now()))


def _lately(user: Principal, at: datetime) -> QuerySet[Decision]:
    return Decision.objects.visible_to(user).filter(at__gte=at - LATELY).order_by()


def _outcomes_by_policy(user: Principal, at: datetime) -> dict[str, Outcomes]:
    counted: dict[str, list[tuple[str, int]]] = {}
    for key, effect, count in _lately(user, at).values_list("policy", "effect").annotate(Count("pk")):
        counted.setdefault(key, []).append((effect, count))
    return {key: Outcomes.of(pairs) for key, pairs in counted.items()}


def _row(policy: Policy, outcomes: Outcomes) -> dict[str, Any]:
    versions = list(policy.versions.all())
    in_force = next((version for version in versions if version.status == PolicyVersion.Status.ACTIVE), None)
    return {"policy": policy, "version": in_force or versions[0] if versions else None, "outcomes": outcomes}


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
