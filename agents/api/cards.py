"""The programs' door to agent cards (A2A) that were pinned."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.shapes.credentials import AcceptCardInput, CardInput, CardOutput, CardsOutput
from agents.api.shapes.reasons import WhyInput
from agents.models import Unit
from agents.views.cards import visible_card, visible_cards
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class ForeignCardsView(ActingDoor):
    """The cards of agents elsewhere that were pinned."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(CardsOutput), summary="List foreign agent cards, newest first"
    )
    def get(self, request: Request) -> Response:
        return self.page(visible_cards(self.principal), CardsOutput, by="-pk")

    @extend_schema(
        request=CardInput, responses={201: CardOutput}, parameters=[IDEMPOTENCY], summary="Pin a foreign agent card"
    )
    def post(self, request: Request) -> Response:
        given = self.read(CardInput, request.data)

        def act(key: str) -> Answer:
            unit = Unit.objects.visible_to(self.principal).filter(code=given["unit"]).first()
            if unit is None:
                raise ledger.NotFound(f"There is no unit {given['unit']}, or you may not see it.")
            file = json.dumps(given["card"], default=float).encode()
            card = operations.import_card(file, unit=unit, by=self.principal, at=database_now())
            return 201, CardOutput(card).data

        return self.answer_once(request, act)


class ForeignCardView(Door):
    """One card, with what changed since it was pinned."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=CardOutput, summary="Show a foreign agent card")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.tagged(CardOutput(visible_card(self.principal, uid)).data)


class AcceptCardView(ActingDoor):
    """Pin the card as it is now."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=AcceptCardInput, responses=CardOutput, parameters=[IDEMPOTENCY], summary="Accept a changed card"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(AcceptCardInput, request.data)

        def act(key: str) -> Answer:
            operations.accept_card(visible_card(self.principal, uid), by=self.principal, at=database_now(), **given)
            return 200, CardOutput(visible_card(self.principal, uid)).data

        return self.answer_once(request, act)


class WithdrawCardView(ActingDoor):
    """Trust the card no longer."""

    permission_classes = [PeopleOnly]

    @extend_schema(request=WhyInput, responses=CardOutput, parameters=[IDEMPOTENCY], summary="Withdraw a foreign card")
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(WhyInput, request.data)

        def act(key: str) -> Answer:
            card = visible_card(self.principal, uid)
            operations.withdraw_card(card, by=self.principal, at=database_now(), **given)
            return 200, CardOutput(card).data

        return self.answer_once(request, act)
