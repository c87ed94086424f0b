"""The pages on which policies are written as text: a new one from a template or a file, a change, the live check."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Principal, Unit
from agents.operations import require
from agents.views import person
from governance.forms import PolicyTextForm
from governance.language import Problem
from governance.models import EscalationPath, Policy, PolicyVersion
from governance.operations import policies
from governance.rules.texts import read_text, write_text
from governance.views.policies import visible_policy
from governance.views.policy_life import page_of, version_numbered
from observability import ledger
from observability.ledger import database_now


@dataclass(frozen=True)
class Underlined:
    """One problem under the line that it stands in: the line's number and text, the carets below, what to do."""

    line: int
    text: str
    carets: str
    problem: Problem


def underlined(text: str) -> list[Underlined]:
    """Everything that is wrong with a text, each under its line."""
    lines = text.split("\n")
    return [_under(lines, problem) for problem in policies.problems_of(text)]


def _under(lines: list[str], problem: Problem) -> Underlined:
    line = lines[problem.line - 1] if problem.line <= len(lines) else ""
    length = max(1, min(problem.length, len(line) - problem.column + 1))
    return Underlined(problem.line, line, " " * (problem.column - 1) + "^" * length, problem)


class CheckPolicy(LoginRequiredMixin, View):
    """What is wrong with a text, while it is written; nothing is saved."""

    def post(self, request: HttpRequest) -> HttpResponse:
        _require_writer(person(request))
        text = _text_of(request)
        return render(request, "governance/_policy_check.html", {"problems": underlined(text), "checked": True})


class NewPolicy(LoginRequiredMixin, View):
    """A new policy from a template, a file or nothing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        require(user, "governance.add_policy")
        name = request.GET.get("template", "")
        chosen = policies.template(name) if name else None
        if name and chosen is None:
            raise ledger.NotFound
        text = _begun(chosen, user) if chosen else ""
        return self.shown(request, PolicyTextForm(user=user, initial={"text": text}), chosen=chosen)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = person(request), PolicyTextForm(request.POST, request.FILES, user=person(request))
        require(user, "governance.add_policy")
        if not form.is_valid():
            return self.shown(request, form, status=400)
        text = form.cleaned_data["text"]
        problems = underlined(text)
        if problems:
            return self.shown(request, form, problems=problems, status=400)
        try:
            version = self.kept(text, form.cleaned_data["unit"], user)
        except ledger.Invalid as wrong:
            form.add_error(None, " ".join(wrong.fields.values()) or wrong.detail)
            return self.shown(request, form, status=400)
        messages.success(request, f"{version} is kept as a draft. It decides nothing yet.")
        return redirect(page_of(version))

    def kept(self, text: str, unit: Unit, user: Principal) -> PolicyVersion:
        """The text as the next version of the policy that it names; its unit and owner stay those it has."""
        document = read_text(text)
        before = Policy.objects.filter(key=document["key"]).first()
        if before is not None:
            before = visible_policy(user, before.key)
        home = (before.unit, before.owner) if before else (unit, user)
        return policies.add_policy(document, unit=home[0], owner=home[1], by=user, at=database_now())

    def shown(self, request: HttpRequest, form: PolicyTextForm, *, status: int = 200, **more: Any) -> HttpResponse:
        """The gallery and the editor."""
        chosen = more.pop("chosen", None)
        schema = policies.decision_schema()
        page = {
            "form": form, "gallery": policies.gallery(), "chosen": chosen, "problems": [], **more,
            "lacking": chosen.lacking(schema) if chosen else (),
        }  # fmt: skip
        return render(request, "governance/policy_new.html", page, status=status)


class EditPolicy(LoginRequiredMixin, View):
    """A change of a policy as text: its author rewrites a draft, everything else becomes the next version."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        user = person(request)
        version = self.version(request, key, request.GET.get("version", ""))
        form = PolicyTextForm(
            user=user, initial={"text": write_text(version.document), "seen": version.sha256, "base": version.number}
        )  # fmt: skip
        return self.shown(request, version, form)

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        user, form = person(request), PolicyTextForm(request.POST, request.FILES, user=person(request))
        version = self.version(request, key, request.POST.get("base", ""))
        if not form.is_valid():
            return self.shown(request, version, form, status=400)
        problems = underlined(form.cleaned_data["text"])
        if problems:
            return self.shown(request, version, form, problems=problems, status=400)
        try:
            kept = self.kept(version, form, user)
        except (ledger.Invalid, policies.ChangedMeanwhile) as wrong:
            form.add_error(None, " ".join(wrong.fields.values()) or wrong.detail)
            return self.shown(request, version, form, status=wrong.status)
        messages.success(request, f"{kept} is kept as a draft. It decides nothing yet.")
        return redirect(page_of(kept))

    def version(self, request: HttpRequest, key: str, number: str) -> PolicyVersion:
        """The version that the change starts from: the one asked for, or the newest; for those who may write it."""
        policy = visible_policy(person(request), key)
        policies.require_writer(person(request), policy)
        if number:
            return version_numbered(policy, int(number) if number.isdecimal() and len(number) < 10 else 0)
        newest = policy.versions.with_people().first()
        if newest is None:
            raise ledger.NotFound
        return newest

    def kept(self, version: PolicyVersion, form: PolicyTextForm, user: Principal) -> PolicyVersion:
        """The draft as it was rewritten, or the next version."""
        document, at = read_text(form.cleaned_data["text"]), database_now()
        policy = version.policy
        if policies.may_rewrite(user, version):
            return policies.rewrite_draft(version, document, seen=form.cleaned_data["seen"], by=user, at=at)
        if document["key"] != policy.key:
            raise ledger.Invalid("Nothing was saved.", fields={"key": "The key of a policy never changes."})
        return policies.add_policy(document, unit=policy.unit, owner=policy.owner, by=user, at=at)

    def shown(
        self, request: HttpRequest, version: PolicyVersion, form: PolicyTextForm, *, status: int = 200, **more: Any
    ) -> HttpResponse:
        """The editor."""
        page = {
            "policy": version.policy, "version": version, "form": form, "problems": [],
            "rewrites": policies.may_rewrite(person(request), version), **more,
        }  # fmt: skip
        return render(request, "governance/policy_edit.html", page, status=status)


def _require_writer(user: Principal) -> None:
    if not (user.may("governance.add_policy") or user.granted("governance.change_policy", Policy)):
        raise ledger.NotAllowed


def _text_of(request: HttpRequest) -> str:
    return request.POST.get("text", "").replace("\r\n", "\n")


def _begun(chosen: policies.PolicyTemplate, user: Principal) -> str:
    path = EscalationPath.objects.visible_to(user).values_list("key", flat=True).first() or ""
    unit = user.unit.code if user.unit else "company"
    document = policies.begun_from(chosen, key=f"{unit}.{chosen.name}", path=path)
    return write_text(document)
