"""The door to what is learnt from answers: how we decide, suggested and learnt rules, planted cases."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from governance.api.shapes.learning import (
    InsightsOutput,
    InsightsQuery,
    LearntRuleOutput,
    PlantedInput,
    PlantedOutput,
    RevokeLearntInput,
    agreement_data,
    reviewer_data,
    rule_data,
    suggestion_data,
)
from governance.models import Escalation, LearntRule, PlantedCase, ReviewerAlert
from governance.operations import learning
from observability import ledger
from observability.ledger import database_now
from observability.serializers import NoQuery, PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class InsightsView(Door):
    """How rules ask, how people decide, and how far they agree."""

    permission_classes = [PeopleOnly]
    query = InsightsQuery

    @extend_schema(
        parameters=[InsightsQuery], responses=InsightsOutput, summary="Show how rules ask and how people decide"
    )
    def get(self, request: Request) -> Response:
        user, at = self.principal, database_now()
        period = learning.Period.of(int(self.asked["days"]), at)
        people, seen = learning.people_seen(user), Escalation.objects.visible_to(user)
        figures = learning.reviewer_figures(people, seen, period, at=at)
        names = {person.pk: person.username for person in people}
        alerts = ReviewerAlert.objects.filter(person__in=people, ended_at=None).order_by("pk")
        words = [(alert.person_id, alert.words) for alert in alerts]
        body = {
            "days": period.days, "since": period.since, "until": period.until,
            "rules": [rule_data(each) for each in learning.rule_figures(user, period)],
            "reviewers": [
                reviewer_data(names[pk], each, [told for whose, told in words if whose == pk])
                for pk, each in figures.items()
            ],
            "agreement": [agreement_data(each, names) for each in learning.agreement(people, seen, period)],
            "suggestions": [suggestion_data(each) for each in learning.offers(user, at=at)],
        }  # fmt: skip
        return Response(InsightsOutput(body).data)


class LearntRulesView(Door):
    """Rules that came from answers."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(LearntRuleOutput), summary="List learnt rules, newest first"
    )
    def get(self, request: Request) -> Response:
        rows = LearntRule.objects.visible_to(self.principal).with_names()
        return self.page(rows, LearntRuleOutput, by="-pk")


class RevokeLearntView(ActingDoor):
    """A learnt rule is revoked: people are asked again."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=RevokeLearntInput, responses=LearntRuleOutput, parameters=[IDEMPOTENCY], summary="Revoke a learnt rule"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(RevokeLearntInput, request.data)

        def act(key: str) -> Answer:
            found = LearntRule.objects.visible_to(self.principal).with_names().filter(uid=uid).first()
            if found is None:
                raise ledger.NotFound("There is no such learnt rule, or you may not see it.")
            revoked = learning.revoke(found, by=self.principal, at=database_now(), why=given["why"])
            return 200, LearntRuleOutput(revoked).data

        return self.answer_once(request, act)


class PlantedCasesView(ActingDoor):
    """Planted cases, for those who may plant them."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(PlantedOutput), summary="List planted cases, newest first")
    def get(self, request: Request) -> Response:
        if not learning.may_plant(self.principal):
            raise ledger.NotAllowed
        rows = PlantedCase.objects.visible_to(self.principal)
        related = ("policy", "path", "planted_by", "escalation__settled_by")
        return self.page(rows.select_related(*related), PlantedOutput, by="-pk")

    @extend_schema(
        request=PlantedInput, responses={201: PlantedOutput}, parameters=[IDEMPOTENCY], summary="Plant a case"
    )
    def post(self, request: Request) -> Response:
        given = self.read(PlantedInput, request.data)
        if not learning.may_plant(self.principal):
            raise ledger.NotAllowed

        def act(key: str) -> Answer:
            like = learning.pattern(self.principal, given["like"])
            case = learning.Planted(**{**given, "like": like})
            return 201, PlantedOutput(learning.plant(case, by=self.principal, at=database_now())).data

        return self.answer_once(request, act)


class WithdrawPlantedView(ActingDoor):
    """A planted case that nobody was asked is taken back."""

    permission_classes = [PeopleOnly]

    @extend_schema(request=None, responses=PlantedOutput, parameters=[IDEMPOTENCY], summary="Take a planted case back")
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NoQuery, request.data)

        def act(key: str) -> Answer:
            rows = PlantedCase.objects.visible_to(self.principal).filter(uid=uid)
            case = rows.first() if learning.may_plant(self.principal) else None
            if case is None:
                raise ledger.NotFound("There is no such case, or you may not see it.")
            return 200, PlantedOutput(learning.withdraw_case(case, by=self.principal, at=database_now())).data

        return self.answer_once(request, act)
