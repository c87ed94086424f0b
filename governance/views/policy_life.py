"""The pages on which a version goes its way: each step of its life, a comment, a comparison, a download."""

from collections.abc import Callable
from typing import Any

import rfc8785
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.views import person, require_recent
from governance.models import Policy, PolicyVersion
from governance.operations import policies
from governance.rules.texts import write_text
from governance.views.policies import visible_policy
from observability import ledger
from observability.ledger import database_now

ACTS: dict[str, Callable[..., None]] = {
    "ask-review": policies.ask_review, "withdraw": policies.withdraw_review, "approve": policies.approve,
    "send-back": policies.send_back, "activate": policies.activate, "shadow": policies.shadow,
    "retire": policies.retire,
}  # fmt: skip
LOOSENING = frozenset({"approve", "activate", "retire"})
DONE = {
    "ask-review": "You asked. Somebody else approves it; nothing has changed yet.",
    "withdraw": "It is a draft again.",
    "approve": "You approved it. It decides when it is put in force.",
    "send-back": "It is a draft again, and its author reads your reason.",
    "activate": "It decides from the next question on.",
    "shadow": "It is evaluated beside what decides, from the next question on.",
    "retire": "It is retired and decides nothing.",
}


class PolicyAct(LoginRequiredMixin, View):
    """One step in the life of a version."""

    act = ""

    def post(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        user = person(request)
        version = version_numbered(visible_policy(user, key), number)
        if self.act in LOOSENING:
            require_recent(request)
        seen = {"seen": request.POST.get("seen", "")} if self.act == "approve" else {}
        try:
            ACTS[self.act](version, by=user, at=database_now(), why=request.POST.get("reason", ""), **seen)
        except ledger.Refused as refused:
            ledger.record_refusal(refused, by=user)
            raise
        messages.success(request, f"Version {number}: {DONE[self.act]}")
        return redirect(page_of(version))


class RestorePolicy(LoginRequiredMixin, View):
    """Go back to an older version."""

    def post(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        user = person(request)
        version = version_numbered(visible_policy(user, key), number)
        draft = policies.go_back(version, by=user, at=database_now())
        messages.success(request, f"Version {draft.number} is a draft that says what version {number} said.")
        return redirect(page_of(draft))


class CommentPolicy(LoginRequiredMixin, View):
    """Say something about a version."""

    def post(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        user = person(request)
        version = version_numbered(visible_policy(user, key), number)
        policies.add_comment(version, request.POST.get("text", ""), by=user, at=database_now())
        return redirect(f"{page_of(version)}&tab=comments")


class PolicyDiff(LoginRequiredMixin, View):
    """Two versions side by side, in words and as text."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        policy = visible_policy(person(request), key)
        versions = list(policy.versions.with_people())
        if not versions:
            raise ledger.NotFound
        before, after = _pair(versions, request.GET.get("before", ""), request.GET.get("after", ""))
        page = {
            "policy": policy, "versions": versions, "before": before, "after": after,
            "found": policies.compared(before, after),
        }  # fmt: skip
        return render(request, "governance/policy_diff.html", page)


class PolicyDownload(LoginRequiredMixin, View):
    """The document of a version as a file: YAML, or JSON in canonical form (RFC 8785), of which the digest is."""

    kind = "yaml"

    def get(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        version = version_numbered(visible_policy(person(request), key), number)
        is_json = self.kind == "json"
        body: Any = rfc8785.dumps(version.document) if is_json else write_text(version.document)
        answer = HttpResponse(body, content_type="application/json" if is_json else "application/yaml; charset=utf-8")
        name = f"{version.policy.key}.v{version.number}.{self.kind}"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


def version_numbered(policy: Policy, number: int) -> PolicyVersion:
    """The version with this number; not found without one."""
    version = policy.versions.with_people().filter(number=number).first()
    if version is None:
        raise ledger.NotFound
    return version


def page_of(version: PolicyVersion) -> str:
    """The address of the version's page."""
    return f"{reverse('policy', args=[version.policy.key])}?version={version.number}"


def _pair(versions: list[PolicyVersion], before: str, after: str) -> tuple[PolicyVersion, PolicyVersion]:
    """The two that are asked for; by default the newest, beside the one in force or the one before it."""
    by_number = {str(each.number): each for each in versions}
    if any(wanted and wanted not in by_number for wanted in (before, after)):
        raise ledger.NotFound
    newest = by_number[after] if after else versions[0]
    in_force = next((each for each in versions if each.status == PolicyVersion.Status.ACTIVE), None)
    earlier = next((each for each in versions if each.number < newest.number), newest)
    usual = in_force if in_force is not None and in_force != newest else earlier
    return by_number[before] if before else usual, newest
