"""The programs' door to budgets: people set them, agents read those that bind them and report what they used."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, AgentsOnly, Door, PeopleOnly
from agents.api.shapes.reasons import WhyInput
from agents.api.versions import IF_MATCH, require_match, tag_over
from agents.models import Unit
from governance import operations
from governance.api.autonomy import AgentDoor
from governance.api.shapes.budgets import (
    BudgetChangeInput,
    BudgetInput,
    BudgetOutput,
    BudgetsQuery,
    OutcomeInput,
    OutcomeOutput,
    budget_of,
    budget_tag,
    outcome_of,
)
from governance.models import Budget, Decision, EscalationPath
from governance.operations import BudgetTerms, Limits, Outcome
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]
BUDGETS = page_of(BudgetOutput)


class BudgetDoor(Door):
    """What all doors to budgets share."""

    def budget(self, uid: UUID) -> Budget:
        """The budget, if this person may see it; not found otherwise."""
        found = Budget.objects.visible_to(self.principal).with_names().filter(uid=uid).first()
        if found is None:
            raise ledger.NotFound
        return found

    def path(self, key: str | None) -> EscalationPath | None:
        """The escalation path of this key. Raises Invalid for one that this person may not see."""
        path = EscalationPath.objects.visible_to(self.principal).filter(key=key).first() if key else None
        if key and path is None:
            raise ledger.Invalid(fields={"path": "Name the key of an escalation path that you may see."})
        return path


class BudgetsView(BudgetDoor, ActingDoor):
    """Budgets: those one may see, and a new one."""

    permission_classes = [PeopleOnly]
    query = BudgetsQuery

    @extend_schema(parameters=[BudgetsQuery], responses=BUDGETS, summary="List budgets and how far they are used")
    def get(self, request: Request) -> Response:
        found = Budget.objects.visible_to(self.principal).with_names()
        found = found.filter(**{name: self.asked[name] for name in ("scope", "status") if self.asked[name]})
        return self.page_under({}, found, _told, by="-pk")

    @extend_schema(request=BudgetInput, responses={201: BudgetOutput}, parameters=[IDEMPOTENCY], summary="Set a budget")
    def post(self, request: Request) -> Response:
        given = self.read(BudgetInput, request.data)

        def act(key: str) -> Answer:
            unit = Unit.objects.visible_to(self.principal).filter(code=given["unit"]).first()
            if given["unit"] and unit is None:
                raise ledger.Invalid(fields={"unit": "Name the code of a unit that you may see."})
            terms = BudgetTerms(**{**given, "unit": unit, "path": self.path(given["path"])})
            return 201, _told([operations.open_budget(terms, by=self.principal, at=database_now())])[0]

        return self.answer_once(request, act)


class BudgetView(BudgetDoor):
    """One budget."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=BudgetOutput, summary="Show a budget and how far it is used")
    def get(self, request: Request, uid: UUID) -> Response:
        budget = self.budget(uid)
        body = _told([budget])[0]
        return self.tagged(body, tag_over(budget_tag(budget), body))

    @extend_schema(
        request=BudgetChangeInput, responses=BudgetOutput, parameters=[IF_MATCH], summary="Change a budget's limits"
    )
    def patch(self, request: Request, uid: UUID) -> Response:
        given, budget = self.read(BudgetChangeInput, request.data), self.budget(uid)
        with transaction.atomic():
            operations.lock_budget(budget)
            require_match(request, budget_tag(budget))
            limits = self.limits(budget, given)
            if operations.raises(budget, limits):
                self.require_recent()
            operations.change_budget(budget, limits, by=self.principal, at=database_now(), why=given["why"])
        body = _told([budget])[0]
        return Response(body, headers={"ETag": tag_over(budget_tag(budget), body)})

    def limits(self, budget: Budget, given: Mapping[str, Any]) -> Limits:
        """What the budget shall say after the change."""
        kept = {name: given.get(name, getattr(budget, name)) for name in ("name", "hard_limit", "soft_limit")}
        return Limits(**kept, path=self.path(given["path"]) if "path" in given else budget.path)


class CloseBudgetView(BudgetDoor, ActingDoor):
    """Let a budget bind nothing any more."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=WhyInput, responses=BudgetOutput, parameters=[IDEMPOTENCY, IF_MATCH], summary="Close a budget"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(WhyInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            budget = self.budget(uid)
            operations.lock_budget(budget)
            require_match(request, budget_tag(budget))
            operations.close_budget(budget, by=self.principal, at=database_now(), why=given["why"])
            return 200, _told([budget])[0]

        return self.answer_once(request, act)


class AgentBudgetsView(AgentDoor):
    """The budgets that bind one agent wherever it works."""

    scope = "read"
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=BUDGETS, summary="List the budgets that bind an agent")
    def get(self, request: Request, code: str) -> Response:
        agent = self.agent_of(code)
        return self.page_under({}, operations.budgets_of(agent), _told, by="-pk")


class OutcomeView(ActingDoor):
    """Report what became of an allowed action."""

    permission_classes = [AgentsOnly]
    scope = "ask"

    @extend_schema(
        request=OutcomeInput, responses=OutcomeOutput, parameters=[IDEMPOTENCY],
        summary="Report what became of a decision",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        outcome = Outcome(**self.read(OutcomeInput, request.data))

        def act(key: str) -> Answer:
            decision = Decision.objects.filter(agent=self.agent, uid=uid).first()
            if decision is None:
                raise ledger.NotFound
            return 200, outcome_of(operations.report_outcome(decision, outcome, agent=self.agent, at=database_now()))

        return self.answer_once(request, act)


def _told(budgets: list[Budget]) -> list[dict[str, Any]]:
    at = database_now()
    rows = operations.standing(budgets, at=at)
    return [budget_of(each, rows.get(each.pk), operations.renews_at(each, at=at)) for each in budgets]
