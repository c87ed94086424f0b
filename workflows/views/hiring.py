"""The pages of an agent's life: hire, edit, assess, review with its checklist, let begin, send back, retire.

They stand in this app because the checklist shows policies, and retiring shows work."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents import operations
from agents.forms import AgentForm, AssessmentForm, RetireForm, WhyForm
from agents.models import Agent, Principal
from agents.views import person, require_recent
from governance import operations as governance
from governance.operations import Check
from observability import ledger
from observability.ledger import database_now
from workflows.operations import leaves, possible_successors, retire_agent
from workflows.views.profile import visible_agent

MENDED_AT = {"agent": "agent-edit", "blueprint": "agent-blueprint", "assessment": "agent-assessment"}


class HirePage(LoginRequiredMixin, View):
    """Hire an agent from a blueprint."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        operations.require(user, "agents.add_agent")
        return _form(request, AgentForm(user=user, initial=_from_blueprint(request, user)), None)

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        operations.require(user, "agents.add_agent")
        form = AgentForm(request.POST, user=user)
        if form.is_valid():
            try:
                agent = operations.hire(form.job(), by=user, at=database_now())
            except ledger.Invalid as refused:
                form.refuse(refused)
            else:
                messages.success(request, f"{agent} is hired as a draft. The checklist says what it needs to begin.")
                return redirect("agent-review", agent.code)
        return _form(request, form, None, status=400)


def _from_blueprint(request: HttpRequest, user: Principal) -> dict[str, Any]:
    wanted = request.GET.get("blueprint", "")
    rows = AgentForm(user=user).fields["blueprint"].queryset  # type: ignore[attr-defined]
    blueprint = rows.select_related("unit").filter(code=wanted).first() if wanted else None
    if blueprint is None:
        return {}
    return {
        "blueprint": blueprint.code, "name": blueprint.name, "purpose": blueprint.purpose, "unit": blueprint.unit.code
    }  # fmt: skip


class EditAgent(LoginRequiredMixin, View):
    """Change what is written about an agent, with a reason."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        operations.require(user, "agents.change_agent", agent)
        return _form(request, AgentForm(user=user, agent=agent), agent)

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        operations.require(user, "agents.change_agent", agent)
        form = AgentForm(request.POST, user=user, agent=agent)
        if form.is_valid():
            try:
                why = form.cleaned_data["why"]
                operations.change_agent(agent, form.document(), by=user, at=database_now(), why=why)
            except (ledger.Invalid, operations.NothingChanged) as refused:
                form.refuse(refused)
            else:
                messages.success(request, f"{agent} is changed.")
                return redirect("agent", agent.code)
        return _form(request, form, agent, status=400)


class ReviewPage(LoginRequiredMixin, View):
    """What an agent needs to begin, as a checklist, and what this person can do next."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        return _review(request, visible_agent(user, code), user, {"ask": request.GET.get("ask", "")})


class SubmitAgent(LoginRequiredMixin, View):
    """Put a draft before a second person."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        operations.submit(agent, by=user, at=database_now())
        messages.success(request, f"{agent} is in review. A second person lets it begin or sends it back.")
        return redirect("agent-review", agent.code)


class ActivateAgent(LoginRequiredMixin, View):
    """Let an agent in review begin."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        require_recent(request)
        try:
            governance.activate_agent(agent, by=user, at=database_now())
        except (governance.NotReady, operations.SecondPersonNeeded) as refused:
            return _review(request, agent, user, {"wrong": refused.detail}, status=refused.status)
        messages.success(request, f"{agent} begins to work.")
        return redirect("agent", agent.code)


class SendBack(LoginRequiredMixin, View):
    """Return an agent from review to draft, with the reason."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, form = person(request), WhyForm(request.POST)
        agent = visible_agent(user, code)
        if not form.is_valid():
            return _review(request, agent, user, {"ask": "back", "form": form}, status=400)
        operations.send_back(agent, by=user, at=database_now(), why=form.cleaned_data["why"])
        messages.success(request, f"{agent} is a draft again.")
        return redirect("agent-review", agent.code)


class AssessmentPage(LoginRequiredMixin, View):
    """The assessments of an agent; those with the right write a new one."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        return self.shown(request, visible_agent(user, code), user, AssessmentForm())

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user, form = person(request), AssessmentForm(request.POST)
        agent = visible_agent(user, code)
        operations.require(user, "agents.add_assessment", agent)
        if form.is_valid():
            operations.assess(agent, form.assessed(), by=user, at=database_now())
            messages.success(request, f"{agent} is assessed. The assessment is valid for a year.")
            return redirect("agent-review", agent.code)
        return self.shown(request, agent, user, form, status=400)

    def shown(
        self, request: HttpRequest, agent: Agent, user: Principal, form: AssessmentForm, *, status: int = 200
    ) -> HttpResponse:
        """The page with the form, as far as it was filled in."""
        may = user.may("agents.add_assessment", agent) and agent.status != Agent.Status.RETIRED
        past = agent.assessments.select_related("by")
        shown = {"agent": agent, "form": form, "past": past, "may_assess": may, "at": database_now()}
        return render(request, "workflows/agent_assessment.html", shown, status=status)


class RetirePage(LoginRequiredMixin, View):
    """What an agent would leave behind, and the form that ends its work for good."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        operations.require(user, "agents.change_agent", agent)
        return self.shown(request, agent, RetireForm(successors=_successors(agent, user)))

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        operations.require(user, "agents.change_agent", agent)
        form = RetireForm(request.POST, successors=_successors(agent, user))
        if not form.is_valid():
            return self.shown(request, agent, form, status=400)
        given = form.cleaned_data
        left = retire_agent(agent, by=user, at=database_now(), why=given["why"], successor=given["successor"])
        steps = "1 step" if left.steps == 1 else f"{left.steps} steps"
        questions = "1 question was" if left.questions == 1 else f"{left.questions} questions were"
        told = f"{steps} went back to the queue, {questions} withdrawn."
        messages.success(request, f"{agent} is retired. {told}")
        return redirect("agent", agent.code)

    def shown(self, request: HttpRequest, agent: Agent, form: RetireForm, *, status: int = 200) -> HttpResponse:
        """The page with what the agent leaves now."""
        return render(
            request, "workflows/agent_retire.html", {"agent": agent, "form": form, "left": leaves(agent)}, status=status
        )


def _successors(agent: Agent, user: Principal) -> Any:
    return possible_successors(agent).filter(pk__in=Agent.objects.visible_to(user).values("pk"))


def _form(request: HttpRequest, form: AgentForm, agent: Agent | None, *, status: int = 200) -> HttpResponse:
    return render(request, "workflows/agent_form.html", {"form": form, "agent": agent}, status=status)


def _review(
    request: HttpRequest, agent: Agent, user: Principal, more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    checks = governance.readiness(agent, at=database_now())
    may_change = user.may("agents.change_agent", agent)
    shown = {
        "agent": agent, "checks": [{"check": check, "url": _mended_at(check)} for check in checks],
        "missing": sum(not check.is_met for check in checks), "form": WhyForm(),
        "may_submit": agent.status == Agent.Status.DRAFT and (may_change or agent.acting_sponsor == user),
        "may_decide": agent.status == Agent.Status.IN_REVIEW and may_change,
        "is_second": user.pk not in (agent.submitted_by_id, agent.created_by_id), "may_change": may_change,
        **more,
    }  # fmt: skip
    return render(request, "workflows/agent_review.html", shown, status=status)


def _mended_at(check: Check) -> str:
    if check.about == "policies":
        return reverse("policies")
    return reverse(MENDED_AT[check.about], args=[check.key])
