"""The pages about earned autonomy: asking for a level and deciding it, taking one away, the rules that do so."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.models import Agent, Principal, Role, System
from agents.operations import DEMOTED, PROMOTED, ceiling_of
from agents.rules import AUTONOMY
from agents.views import person, require_recent
from governance import operations
from governance.charts import EvidenceTable, compare, evidence_table
from governance.forms import DemotionRuleForm, ReasonForm
from governance.models import DemotionRule, PromotionRequest
from governance.rules.evidence import Evidence
from observability import ledger
from observability.charts import period_query
from observability.ledger import database_now
from observability.models import Event

LATEST = 20
ANSWERS: dict[str, Callable[..., None]] = {
    "approve": operations.approve_promotion,
    "reject": operations.reject_promotion,
    "withdraw": operations.withdraw_promotion,
}
DONE = {
    "approve": "{agent} acts at level {level} from its next question on.",
    "reject": "{agent} stays at its level. {asked_by} reads your reason.",
    "withdraw": "The request is withdrawn.",
}


class AutonomyPage(LoginRequiredMixin, View):
    """What waits for the council, the rules by which agents lose a level, and what changed last."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, DemotionRuleForm(roles=_roles(), initial=self.initial(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = DemotionRuleForm(request.POST, roles=_roles())
        if not form.is_valid():
            return self.shown(request, form, status=400)
        try:
            rule = operations.set_demotion_rule(
                form.change, by=person(request), at=database_now(), why=form.cleaned_data["reason"]
            )
        except ledger.Invalid as wrong:
            _tell(form, wrong)
            return self.shown(request, form, status=400)
        messages.success(request, f"The rule for {_role_words(rule.role)} holds from now on.")
        return redirect("agent-autonomy")

    def initial(self, request: HttpRequest) -> dict[str, Any]:
        """The rule that the address wants to change, or the usual figures of a new one."""
        rule = DemotionRule.objects.filter(role=request.GET.get("rule", "")).first() if "rule" in request.GET else None
        names = ("role", "overruled_percent", "error_percent", "at_least", "days")
        return {name: getattr(rule, name) for name in names} if rule else {}

    def shown(self, request: HttpRequest, form: DemotionRuleForm, status: int = 200) -> HttpResponse:
        """The page as it stands now."""
        user = person(request)
        changed = Event.objects.visible_to(user).filter(verb__in=(PROMOTED, DEMOTED)).newest_first()
        page = {
            "open": PromotionRequest.objects.open().visible_to(user).with_people().order_by("id"), "form": form,
            "rules": [(rule, _role_words(rule.role)) for rule in DemotionRule.objects.select_related("changed_by")],
            "may_set": user.may("governance.promote_agent"), "changed": changed[:LATEST], "here": "autonomy",
        }  # fmt: skip
        return render(request, "governance/autonomy.html", page, status=status)


class DropRule(LoginRequiredMixin, View):
    """Let a rule hold no more."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        rule = DemotionRule.objects.filter(pk=pk).first()
        if rule is None:
            raise ledger.NotFound
        why = request.POST.get("reason", "")
        operations.drop_demotion_rule(rule, by=person(request), at=database_now(), why=why)
        messages.success(request, f"The rule for {_role_words(rule.role)} holds no more.")
        return redirect("agent-autonomy")


class PromotionPage(LoginRequiredMixin, View):
    """One agent's way up: the evidence, asking for the next level, and the council's decision; `?request=` shows an
    earlier request."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        asked = _chosen(agent, request.GET.get("request", ""))
        return _promotion(request, agent, asked)

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        try:
            operations.ask_promotion(agent, by=user, at=database_now(), why=request.POST.get("reason", ""))
        except ledger.Invalid as wrong:
            return _promotion(
                request, agent, _chosen(agent, ""), asking=_wrong(asking_form, request, wrong), status=400
            )
        messages.success(request, "You asked. The governance council decides; nothing has changed yet.")
        return redirect("agent-promotion", agent.code)


class AnswerPromotion(LoginRequiredMixin, View):
    """The council's answer, or a request taken back."""

    answer = "approve"

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        asked = PromotionRequest.objects.visible_to(user).with_people().filter(uid=uid).first()
        if asked is None:
            raise ledger.NotFound
        if self.answer == "approve":
            require_recent(request)
        try:
            ANSWERS[self.answer](asked, by=user, at=database_now(), why=request.POST.get("reason", ""))
        except ledger.Invalid as wrong:
            form = _wrong(deciding_form, request, wrong)
            return _promotion(request, asked.agent, asked, deciding=form, status=400)
        except ledger.Refused as refused:
            ledger.record_refusal(refused, by=user)
            raise
        told = {"agent": asked.agent.code, "level": asked.to_level, "asked_by": asked.asked_by}
        messages.success(request, DONE[self.answer].format(**told))
        return redirect("agent-promotion", asked.agent.code)


class DemotionPage(LoginRequiredMixin, View):
    """Take one level from an agent, with a reason."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        agent = visible_agent(person(request), code)
        return self.shown(request, agent, demoting_form())

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        try:
            operations.demote(agent, by=user, at=database_now(), why=request.POST.get("reason", ""))
        except ledger.Invalid as wrong:
            return self.shown(request, agent, _wrong(demoting_form, request, wrong), status=400)
        messages.success(request, f"{agent} acts at level {agent.autonomy_level} from its next question on.")
        return redirect("agent-promotion", agent.code)

    def shown(self, request: HttpRequest, agent: Agent, form: ReasonForm, status: int = 200) -> HttpResponse:
        """The form, for those who may; not allowed for others."""
        if not operations.may_demote(person(request), agent):
            raise ledger.NotAllowed("The council, risk, or who answers for the agent may lower its level.")
        lower = agent.autonomy_level - 1
        page = {"agent": agent, "form": form, "lower": lower, "means": AUTONOMY.get(lower), "now": _means(agent)}
        return render(request, "governance/demotion.html", page, status=status)


def visible_agent(user: Principal, code: str) -> Agent:
    """The agent, if this person may see it; not found otherwise."""
    agent = Agent.objects.visible_to(user).with_people().filter(code=code).first()
    if agent is None:
        raise ledger.NotFound
    return agent


def asking_form(*given: Any) -> ReasonForm:
    """The reason for asking."""
    return ReasonForm(*given, label="Why has it earned this?", hint="The council reads it beside the evidence.")


def deciding_form(*given: Any) -> ReasonForm:
    """The reason for an answer."""
    return ReasonForm(*given, label="Your reason", hint="Needed to reject. The audit trail keeps it.")


def demoting_form(*given: Any) -> ReasonForm:
    """The reason for taking a level."""
    return ReasonForm(*given, label="Why does it lose a level?", hint="The audit trail keeps it.")


def _wrong(form_of: Callable[..., ReasonForm], request: HttpRequest, wrong: ledger.Invalid) -> ReasonForm:
    form = form_of(request.POST)
    _tell(form, wrong)
    return form


def _tell(form: Any, wrong: ledger.Invalid) -> None:
    form.is_valid()
    for name, said in (wrong.fields or {"reason": wrong.detail}).items():
        form.add_error(name if name in form.fields else None, said)


def told_evidence(agent: Agent, user: Principal) -> dict[str, Any]:
    """The evidence of the last 90 days as it is now, with the addresses of its rows."""
    span = operations.span_of(agent, at=database_now())
    evidence = operations.evidence_of(agent, user, span=span)
    period = period_query(span.since, span.until)
    return {"span": span, "evidence": evidence_table(evidence, agent, labels=action_labels(), period=period)}


def action_labels() -> dict[str, str]:
    """What people call each action."""
    actions = System.objects.order_by().values_list("actions", flat=True)
    return {item["name"]: item.get("label") or item["name"] for each in actions for item in each}


def _promotion(
    request: HttpRequest, agent: Agent, asked: PromotionRequest | None, *, asking: ReasonForm | None = None,
    deciding: ReasonForm | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    user = person(request)
    now = told_evidence(agent, user)
    open_one = asked is not None and asked.is_open
    page = {
        "agent": agent, "asked": asked, **now, "compared": _compared(agent, asked, now["evidence"]),
        "now": _means(agent), "next": operations.next_level(agent), "ceiling": ceiling_of(agent),
        "levels": AUTONOMY.items(), "asking": asking or asking_form(), "deciding": deciding or deciding_form(),
        "may_ask": operations.may_ask(user, agent) and not open_one,
        "may_decide": open_one and asked is not None and operations.may_decide(user, asked),
        "may_withdraw": open_one and asked is not None and (asked.asked_by == user or operations.may_ask(user, agent)),
        "may_demote": operations.may_demote(user, agent) and agent.autonomy_level > 0,
        "earlier": agent.promotion_requests.select_related("asked_by", "decided_by", "agent")[:LATEST],
    }  # fmt: skip
    return render(request, "governance/promotion.html", page, status=status)


def _compared(agent: Agent, asked: PromotionRequest | None, now: EvidenceTable) -> Any:
    if asked is None:
        return None
    then: Evidence = asked.evidence_then
    return compare(evidence_table(then, agent, labels=action_labels(), period=None), now)


def _chosen(agent: Agent, wanted: str) -> PromotionRequest | None:
    requests = agent.promotion_requests.with_people()
    if not wanted:
        return requests.open().first()
    try:
        found = requests.filter(uid=UUID(wanted)).first()
    except ValueError:
        found = None
    if found is None:
        raise ledger.NotFound
    return found


def _means(agent: Agent) -> str:
    return AUTONOMY[agent.autonomy_level]


def _roles() -> list[tuple[str, str]]:
    return list(Role.objects.values_list("code", "name"))


def _role_words(code: str) -> str:
    return dict(_roles()).get(code, code) if code else "all roles without a rule of their own"
