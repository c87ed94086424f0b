"""The page of the test bench: one question by hand or from the past, and why the rules answer as they do."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Agent, Principal
from agents.views import person
from governance import operations
from governance.forms.bench import answer_cards, as_typed, inputs, nested, typed_values
from governance.language import find, show
from governance.models import Decision, Policy, PolicyVersion
from governance.operations.bench import alone, stored_facts
from governance.operations.drafting import OBLIGATIONS
from governance.operations.policies import may_rewrite, tests_of
from governance.rules.coverage import not_hit
from observability import ledger
from observability.ledger import database_now

DRAFTS_AT_MOST = 200


class BenchPage(LoginRequiredMixin, View):
    """Try a question; nothing is stored but a test that one keeps."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _Bench(request, request.GET).page()

    def post(self, request: HttpRequest) -> HttpResponse:
        bench = _Bench(request, request.POST)
        return bench.kept() if request.POST.get("do") == "keep" else bench.page()


class _Bench:
    """One visit to the bench: what was chosen and typed, and what comes of it."""

    def __init__(self, request: HttpRequest, data: QueryDict) -> None:
        self.request, self.data, self.user = request, data, person(request)
        self.wrong: Mapping[str, str] = {}
        self.decision = _decision(data.get("decision", ""), self.user)
        self.draft = _draft(data.get("draft", ""), self.user)
        self.actions = operations.vocabulary(self.user).actions
        self.agents = list(Agent.objects.visible_to(self.user).order_by("code"))
        usual = self.decision.agent.code if self.decision else ""
        self.agent = next((each for each in self.agents if each.code == data.get("agent", usual)), None)
        usual = self.decision.action if self.decision else _usual_action(self.draft)
        self.action = (data.get("action") or usual).strip()[:80]
        self.inputs = operations.inputs_for(self.action, self.draft, by=self.user) if self.action else None
        self.values = self._values()
        self.resource = {
            "type": data.get("resource.type") or self._past("resource_kind") or self._usual_kind(),
            "id": data.get("resource.id") or self._past("resource_id") or "",
        }

    def _usual_kind(self) -> str:
        return self.inputs.resource if self.inputs is not None else ""

    def _past(self, name: str) -> str:
        return str(getattr(self.decision, name)) if self.decision is not None else ""

    def _values(self) -> dict[str, str]:
        if self.request.method == "POST" or self.inputs is None or self.decision is None:
            return typed_values(self.data)
        return as_typed(stored_facts(self.decision, operations.decision_schema()), self.inputs)

    @property
    def trial(self) -> operations.Trial | None:
        """The question, when enough is chosen to ask it."""
        if self.agent is None or self.inputs is None or not self.resource["id"] or not self.resource["type"]:
            return None
        said = nested(self.values, "asked", self.inputs.asked)
        properties = said.get("resource", {})
        others = {group: part for group, part in said.items() if group not in ("resource", "context")}
        facts = nested(self.values, "known", self.inputs.known)
        return operations.Trial(
            agent=self.agent, action=self.action, resource={**self.resource, "properties": properties},
            context=said.get("context", {}), facts={**others, **facts}, draft=self.draft,
        )  # fmt: skip

    def tried(self) -> operations.Tried | None:
        """The answer, None while something is missing or wrong."""
        trial = self.trial
        if trial is None:
            return None
        try:
            return operations.try_out(trial, by=self.user, at=database_now())
        except ledger.Invalid as invalid:
            self.wrong = invalid.fields
            return None

    def page(self, status: int = 200) -> HttpResponse:
        """The page as it stands."""
        is_asked = self.request.method == "POST" or self.decision is not None
        tried = self.tried() if is_asked else None
        now = tried.facts if tried is not None else {}
        cards = inputs(self.inputs, self.values, self.wrong, now) if self.inputs else None
        named = {each.field.path for each in (*cards.asked, *cards.known)} if cards else set()
        shown = {
            "bench": self, "cards": cards, "tried": tried, "rules": answer_cards(tried) if tried else [],
            "reads": _reads(tried), "duties": [_duty(duty) for duty in tried.ruling.obligations] if tried else [],
            "drafts": _drafts(self.user), "chosen_draft": self.data.get("draft", ""),
            "rest": {path: words for path, words in self.wrong.items() if path not in named},
            "may_keep": self.draft is not None and operations.may_write(self.user, self.draft.policy),
            "is_asked": is_asked, "alone": alone(self.draft, tried) if self.draft and tried is not None else None,
            "keeps_here": self.draft is not None and may_rewrite(self.user, self.draft),
        }  # fmt: skip
        return render(self.request, "governance/bench.html", shown, status=status)

    def kept(self) -> HttpResponse:
        """Keep the question as a test of the draft, and go to the form of the new draft."""
        trial, tried = self.trial, self.tried()
        if trial is None or tried is None:
            return self.page(400)
        try:
            name = self.data.get("name", "")
            version = operations.keep_as_test(trial, tried, name, by=self.user, at=database_now())
        except ledger.Invalid as invalid:
            self.wrong = invalid.fields
            return self.page(400)
        messages.success(
            self.request, f"The test is kept in version {version.number}, a draft. {_not_hit_yet(version)}".strip()
        )
        return redirect(f"{reverse('policy', args=[version.policy.key])}?version={version.number}")


def _decision(text: str, user: Principal) -> Decision | None:
    if not text:
        return None
    try:
        uid = UUID(text)
    except ValueError as wrong:
        raise ledger.NotFound from wrong
    decision = Decision.objects.visible_to(user).select_related("agent").filter(uid=uid).first()
    if decision is None:
        raise ledger.NotFound
    return decision


def _draft(text: str, user: Principal) -> PolicyVersion | None:
    key, _, number = text.rpartition("@")
    if not text:
        return None
    policy = Policy.objects.visible_to(user).filter(key=key).first()
    is_number = number.isascii() and number.isdecimal() and len(number) < 9
    found = policy.versions.select_related("policy__unit") if policy and is_number else PolicyVersion.objects.none()
    version = found.filter(number=number if is_number else 0).first()
    if version is None:
        raise ledger.NotFound
    return version


def _not_hit_yet(version: PolicyVersion) -> str:
    """Which rules of the version still have no test."""
    rules = operations.check_document(version.document)
    missed = not_hit(rules, tests_of(version.document))
    return f"No test makes {', '.join(missed)} apply yet." if missed else "Every rule has a test."


def _usual_action(draft: PolicyVersion | None) -> str:
    """What a question about a draft is about, unless somebody chooses: the first action that it names."""
    if draft is None:
        return ""
    named = draft.document.get("scope", {}).get("actions", [])
    return next((action for action in named if not action.endswith("*")), "")


def _drafts(user: Principal) -> list[PolicyVersion]:
    """The versions that may stand in for the one in force, newest first."""
    visible = PolicyVersion.objects.filter(policy__in=Policy.objects.visible_to(user)).select_related("policy")
    others = visible.exclude(status__in=(PolicyVersion.Status.ACTIVE, PolicyVersion.Status.RETIRED))
    return list(others.defer("document").order_by("policy__key", "-number")[:DRAFTS_AT_MOST])


def _duty(duty: Mapping[str, Any]) -> str:
    label = OBLIGATIONS.get(duty["type"], duty["type"])
    return f"{label}: {', '.join(show(value) for name, value in duty.items() if name not in ('id', 'type'))}"


def _reads(tried: operations.Tried | None) -> list[tuple[str, str]]:
    """The fields that rules of visible policies look at, with what was found."""
    if tried is None:
        return []
    seen = [reading.rule for reading in tried.explanation.rules if reading.policy.key in tried.visible]
    paths = sorted({path for rule in seen for path in rule.fields})
    return [(path, show(find(tried.facts, path))) for path in paths]
