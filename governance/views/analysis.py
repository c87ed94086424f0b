"""The page that says what is wrong with rules: with those in force, or with one version."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Principal
from agents.views import person
from governance import operations
from governance.language import show
from governance.models import Policy, PolicyVersion, ValueList
from governance.operations.policies import PolicyRefused
from governance.rules.analysis import Finding
from observability import ledger

LEVELS = (
    ("wrong", "Wrong", "A version cannot be put in force with one of these unless the version before has it too."),
    ("look", "Worth a look", "Nothing is refused for these, but somebody should have meant them."),
    ("note", "For your information", "The order of the effects settles these: any denial wins."),
)


class AnalysisPage(LoginRequiredMixin, View):
    """The findings about all rules in force that the reader may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        keys = set(Policy.objects.visible_to(user).values_list("key", flat=True))
        lists = {each.path for each in ValueList.objects.visible_to(user)}
        found = [each for each in operations.analyse_all() if each.policy in keys or each.path in lists]
        unreadable = [words for key, words in operations.unreadable().items() if key in keys]
        page = {"groups": _groups(found, frozenset(), user), "unreadable": unreadable}
        return render(request, "governance/analysis.html", page)


class VersionAnalysisPage(LoginRequiredMixin, View):
    """The findings about one version beside all other policies in force."""

    def get(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        user = person(request)
        policies = Policy.objects.visible_to(user)
        version = PolicyVersion.objects.select_related("policy").filter(
            policy__in=policies, policy__key=key, number=number
        )  # fmt: skip
        chosen = version.first()
        if chosen is None:
            raise ledger.NotFound
        page: dict[str, Any] = {"version": chosen, "policy": chosen.policy}
        try:
            analysis = operations.analyse_version(chosen)
        except PolicyRefused as refused:
            return render(request, "governance/analysis.html", {**page, "problem": refused.detail})
        page |= {"groups": _groups(analysis.findings, analysis.new, user), "stopping": len(analysis.stopping)}
        return render(request, "governance/analysis.html", page)


def _groups(found: Any, new: frozenset[Any], user: Principal) -> list[dict[str, Any]]:
    titles = dict(Policy.objects.visible_to(user).values_list("key", "title"))
    rows = [_row(finding, titles, finding.identity in new) for finding in found]
    groups = [
        {"level": level, "title": title, "means": means, "rows": [row for row in rows if row["level"] == level]}
        for level, title, means in LEVELS
    ]
    return [group for group in groups if group["rows"]]


def _row(finding: Finding, titles: dict[str, str], is_new: bool) -> dict[str, Any]:
    others = [_named(ref, titles) for ref in finding.others]
    return {
        "finding": finding, "level": finding.level, "title": titles.get(finding.policy, ""), "is_new": is_new,
        "others": others, "example": list(_flat(finding.example)),
    }  # fmt: skip


def _named(ref: str, titles: dict[str, str]) -> dict[str, str]:
    key, _, rest = ref.partition("@")
    rule = rest.partition("#")[2]
    # What belongs to another unit keeps its name; that it is there the reader must know.
    return {"key": key if key in titles else "", "rule": rule, "title": titles.get(key, "a policy of another unit")}


def _flat(facts: Any, prefix: str = "") -> Any:
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif f"{prefix}{name}" != "subject.status":
            yield f"{prefix}{name}", show(value)
