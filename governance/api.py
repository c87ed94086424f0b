"""The door to governance for programs: policies, what an agent may do, the evidence for its autonomy, promotions."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.models import Agent, Principal, Unit
from agents.operations import require
from governance import operations
from governance.models import Policy, PolicyVersion, PromotionRequest
from governance.rules import PolicyRules
from governance.rules.texts import TextInvalid, read_text
from governance.serializers import (
    ActivateInput,
    EvidenceQuery,
    PolicyInput,
    PolicyTextInput,
    PromotionAnswerInput,
    PromotionInput,
    boundaries_data,
    evidence_data,
    promotion_of,
)
from observability import ledger
from observability.ledger import database_now

Answer = tuple[int, Mapping[str, Any]]


class PolicyDoor(ActingDoor):
    """What all doors to policies share."""

    permission_classes = [PeopleOnly]

    def document(self, text: str) -> dict[str, Any]:
        """The document of a text. Raises Invalid that names line and column."""
        try:
            return read_text(text)
        except TextInvalid as invalid:
            raise ledger.Invalid("The policy cannot be read.", fields={"text": str(invalid)}) from invalid

    def policy(self, key: str) -> Policy:
        """The policy, if this person may see it; not found otherwise."""
        policy = Policy.objects.visible_to(self.principal).select_related("unit", "owner").filter(key=key).first()
        if policy is None:
            raise ledger.NotFound(f"There is no policy {key}, or you may not see it.")
        return policy


class CheckPolicyView(PolicyDoor):
    """Would this policy be accepted?"""

    @extend_schema(request=PolicyTextInput, responses=dict, summary="Check a policy, save nothing")
    def post(self, request: Request) -> Response:
        given = self.read(PolicyTextInput, request.data)
        require(self.principal, "governance.add_policy")
        rules = operations.check_document(self.document(given["text"]))
        return Response(_checked(rules))


class PoliciesView(PolicyDoor):
    """Policies: keep the next version of one as a draft."""

    @extend_schema(request=PolicyInput, responses=dict, parameters=[IDEMPOTENCY], summary="Keep a policy as a draft")
    def post(self, request: Request) -> Response:
        given = self.read(PolicyInput, request.data)

        def act(key: str) -> Answer:
            document = self.document(given["text"])
            unit, owner = self.home(str(document.get("key", "")), given["unit"])
            version = operations.add_policy(document, unit=unit, owner=owner, by=self.principal, at=database_now())
            return 201, version_of(version)

        return self.answer_once(request, act)

    def home(self, key: str, code: str) -> tuple[Unit, Principal]:
        """Unit and owner of the policy with this key: those it has, or for a new one the unit named and oneself."""
        if Policy.objects.filter(key=key).exists():
            policy = self.policy(key)
            return policy.unit, policy.owner
        own = Unit.objects.visible_to(self.principal)
        unit = own.filter(code=code).first() if code else self.principal.unit
        if unit is None:
            raise ledger.Invalid(
                "The policy needs a unit.", fields={"unit": "Name the code of a unit that you may see."}
            )
        return unit, self.principal


class ActivatePolicyView(PolicyDoor):
    """Put one version of a policy in force."""

    @extend_schema(request=ActivateInput, responses=dict, parameters=[IDEMPOTENCY], summary="Put a version in force")
    def post(self, request: Request, key: str) -> Response:
        given = self.read(ActivateInput, request.data)
        self.require_recent()

        def act(once: str) -> Answer:
            version = self.policy(key).versions.select_related("policy__unit").filter(number=given["version"]).first()
            if version is None:
                raise ledger.NotFound(f"The policy {key} has no version {given['version']}.")
            operations.activate(version, by=self.principal, at=database_now())
            return 200, version_of(version)

        return self.answer_once(request, act)


def _checked(rules: PolicyRules) -> dict[str, Any]:
    found = [{"id": rule.id, "effect": rule.effect.value, "actions": list(rule.actions)} for rule in rules.rules]
    return {"key": rules.key, "title": rules.title, "rules": found}


def version_of(version: PolicyVersion) -> dict[str, Any]:
    """A policy version as the API shows it."""
    return {
        "key": version.policy.key, "title": version.document["title"], "version": version.number,
        "status": version.status, "sha256": version.sha256,
    }  # fmt: skip


# --- agents: boundaries, evidence, promotions -------------------------------------------------------------------
class AgentDoor(Door):
    """What all doors to one agent share: people see the agents of their units, an agent sees itself."""

    def agent_of(self, code: str) -> Agent:
        """The agent, if the caller may see it; not found otherwise."""
        agents = Agent.objects.with_people().select_related("principal")
        if isinstance(self.request.auth, Agent):
            agents = agents.filter(pk=self.request.auth.pk)
        else:
            agents = agents.visible_to(self.principal)
        agent = agents.filter(code=code).first()
        if agent is None:
            raise ledger.NotFound(f"There is no agent {code}, or you may not see it.")
        return agent


class BoundariesView(AgentDoor):
    """What may this agent do alone, what must it ask about, what does it never do?"""

    @extend_schema(responses=dict, summary="Show an agent's boundaries and access")
    def get(self, request: Request, code: str) -> Response:
        agent = self.agent_of(code)
        return Response(boundaries_data(agent, operations.access_of(agent, self.principal, at=database_now())))


class EvidenceView(AgentDoor):
    """What does the agent's record say about its autonomy?"""

    @extend_schema(parameters=[EvidenceQuery], responses=dict, summary="Show the evidence for an agent's autonomy")
    def get(self, request: Request, code: str) -> Response:
        agent, days = self.agent_of(code), _days(request.query_params.dict())
        span = operations.span_of(agent, at=database_now(), days=self.read(EvidenceQuery, days)["days"])
        return Response(evidence_data(agent, span, operations.evidence_of(agent, self.principal, span=span)))


def _days(query: Mapping[str, str]) -> dict[str, Any]:
    # An address holds text; what is not a whole number stays as it is and is refused by name.
    return {name: int(text) if name == "days" and _is_whole(text) else text for name, text in query.items()}


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


class PromotionsView(AgentDoor, ActingDoor):
    """Requests to let an agent act one level higher."""

    permission_classes = [PeopleOnly]

    @extend_schema(responses=dict, summary="List an agent's requests for promotion, newest first")
    def get(self, request: Request, code: str) -> Response:
        found = PromotionRequest.objects.with_people().filter(agent=self.agent_of(code))
        return Response({"results": [promotion_of(asked) for asked in found[:50]]})

    @extend_schema(
        request=PromotionInput, responses=dict, parameters=[IDEMPOTENCY], summary="Ask the council for a promotion"
    )
    def post(self, request: Request, code: str) -> Response:
        given = self.read(PromotionInput, request.data)

        def act(key: str) -> Answer:
            agent = self.agent_of(code)
            asked = operations.ask_promotion(agent, by=self.principal, at=database_now(), why=given["reason"])
            return 201, promotion_of(asked)

        return self.answer_once(request, act)


class PromotionAnswerView(ActingDoor):
    """The council approves or rejects a request; who asked may withdraw it."""

    permission_classes = [PeopleOnly]
    answer: Callable[..., None] = operations.approve_promotion

    @extend_schema(
        request=PromotionAnswerInput, responses=dict, parameters=[IDEMPOTENCY], summary="Settle a promotion request"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given, settle = self.read(PromotionAnswerInput, request.data), type(self).answer

        def act(key: str) -> Answer:
            asked = PromotionRequest.objects.visible_to(self.principal).with_people().filter(uid=uid).first()
            if asked is None:
                raise ledger.NotFound("There is no such request, or you may not see it.")
            settle(asked, by=self.principal, at=database_now(), why=given["reason"])
            return 200, promotion_of(asked)

        return self.answer_once(request, act)


class RejectPromotionView(PromotionAnswerView):
    """The council leaves the agent at its level."""

    answer = operations.reject_promotion


class WithdrawPromotionView(PromotionAnswerView):
    """The request is no longer wanted."""

    answer = operations.withdraw_promotion
