"""The programs' door to credentials: keys and public keys of agents, and a person's consents."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.doors import IDEMPOTENCY, ActingDoor, AgentsOnly, PeopleOnly
from agents.api.shapes.credentials import (
    ClientKeyInput,
    ClientKeyOutput,
    ConsentGivenOutput,
    ConsentInput,
    ConsentOutput,
    KeyInput,
    KeyOutput,
    RotateInput,
)
from agents.api.shapes.reasons import NothingInput, WhyInput
from agents.models import Agent, ClientKey, Consent, Key, Principal
from agents.rules import ANY
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class CredentialDoor(ActingDoor):
    """What the doors for people share: agents and credentials that the person may see."""

    permission_classes = [PeopleOnly]

    def of_agent(self, code: str) -> Agent:
        """The agent, or not found; its credentials are shown to those who may give them."""
        agent = (
            Agent.objects.visible_to(self.principal).with_people().select_related("principal").filter(code=code).first()
        )
        if agent is None:
            raise ledger.NotFound
        if not self.principal.may("agents.key_agent", agent):
            raise ledger.NotAllowed
        return agent


class KeysView(CredentialDoor):
    """The keys of an agent."""

    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(KeyOutput), summary="List the keys of an agent, newest first"
    )
    def get(self, request: Request, code: str) -> Response:
        return self.page(self.of_agent(code).keys.select_related("replaces"), KeyOutput, by="-pk")

    @extend_schema(
        request=KeyInput, responses={201: KeyOutput}, parameters=[IDEMPOTENCY], summary="Issue a key for an agent"
    )
    def post(self, request: Request, code: str) -> Response:
        given = self.read(KeyInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            text = operations.issue_key(self.of_agent(code), by=self.principal, at=database_now(), **given)
            return 201, shown_once(text)

        return self.answer_once(request, act, secret="key")


class KeyActDoor(CredentialDoor):
    """What is done with one key."""

    def key_of(self, prefix: str) -> Key:
        """The key of an agent that the person may see, or not found."""
        agents = Agent.objects.visible_to(self.principal)
        key = Key.objects.select_related("agent__unit").filter(prefix=prefix, agent__in=agents).first()
        if key is None:
            raise ledger.NotFound
        return key


class RotateKeyView(KeyActDoor):
    """Replace a key."""

    @extend_schema(request=RotateInput, responses={201: KeyOutput}, parameters=[IDEMPOTENCY], summary="Replace a key")
    def post(self, request: Request, prefix: str) -> Response:
        given = self.read(RotateInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            return 201, shown_once(
                operations.rotate_key(self.key_of(prefix), by=self.principal, at=database_now(), **given)
            )

        return self.answer_once(request, act, secret="key")


class RevokeKeyView(KeyActDoor):
    """Revoke a key."""

    @extend_schema(request=WhyInput, responses=KeyOutput, parameters=[IDEMPOTENCY], summary="Revoke a key")
    def post(self, request: Request, prefix: str) -> Response:
        given = self.read(WhyInput, request.data)

        def act(key: str) -> Answer:
            row = self.key_of(prefix)
            operations.revoke_key(row, by=self.principal, at=database_now(), **given)
            return 200, KeyOutput(row).data

        return self.answer_once(request, act)


class RotateOwnKeyView(ActingDoor):
    """An agent replaces the key that it came in with."""

    permission_classes = [AgentsOnly]
    scope = ANY

    @extend_schema(
        request=RotateInput, responses={201: KeyOutput}, parameters=[IDEMPOTENCY], summary="Replace my own key"
    )
    def post(self, request: Request) -> Response:
        given = self.read(RotateInput, request.data)

        def act(key: str) -> Answer:
            row = Key.objects.filter(agent=self.agent, prefix=prefix_of(self.agent)).first()
            if row is None:
                raise ledger.WrongStatus("This agent came in with a token; its public keys are replaced by people.")
            return 201, shown_once(operations.rotate_key(row, by=self.agent, at=database_now(), **given))

        return self.answer_once(request, act, secret="key")


def prefix_of(agent: Agent) -> str:
    """The prefix of the key with which the agent came in, "" for a token."""
    kind, _, prefix = (agent.caller.credential if agent.caller else "").partition(":")
    return prefix if kind == "key" else ""


def shown_once(text: str) -> dict[str, Any]:
    """A new key as an answer: its row, and its text in the field `key`."""
    row = Key.objects.select_related("replaces", "created_by").get(prefix=text.split("_")[2])
    return {**KeyOutput(row).data, "key": text}


class ClientKeysView(CredentialDoor):
    """The public keys with which an agent gets tokens."""

    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(ClientKeyOutput),
        summary="List the public keys of an agent, newest first",
    )  # fmt: skip
    def get(self, request: Request, code: str) -> Response:
        return self.page(self.of_agent(code).client_keys.all(), ClientKeyOutput, by="-pk")

    @extend_schema(
        request=ClientKeyInput,
        responses={201: ClientKeyOutput},
        parameters=[IDEMPOTENCY],
        summary="Register a public key",
    )
    def post(self, request: Request, code: str) -> Response:
        given = self.read(ClientKeyInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            row = operations.register_client_key(self.of_agent(code), by=self.principal, at=database_now(), **given)
            return 201, ClientKeyOutput(row).data

        return self.answer_once(request, act)


class RevokeClientKeyView(CredentialDoor):
    """Revoke a public key and every token that was had with it."""

    @extend_schema(request=WhyInput, responses=ClientKeyOutput, parameters=[IDEMPOTENCY], summary="Revoke a public key")
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(WhyInput, request.data)

        def act(key: str) -> Answer:
            agents = Agent.objects.visible_to(self.principal)
            row = ClientKey.objects.select_related("agent__unit").filter(uid=uid, agent__in=agents).first()
            if row is None:
                raise ledger.NotFound
            operations.revoke_client_key(row, by=self.principal, at=database_now(), **given)
            return 200, ClientKeyOutput(row).data

        return self.answer_once(request, act)


class ConsentsView(ActingDoor):
    """Agents that act for a person, for minutes."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(ConsentOutput), summary="List the consents that I gave, newest first"
    )
    def get(self, request: Request) -> Response:
        return self.page(consents_of(self.principal), ConsentOutput, by="-pk")

    @extend_schema(
        request=ConsentInput,
        responses={201: ConsentGivenOutput},
        parameters=[IDEMPOTENCY],
        summary="Let an agent act for me",
    )
    def post(self, request: Request) -> Response:
        given = self.read(ConsentInput, request.data)
        self.require_recent()
        code = given.pop("agent")

        def act(key: str) -> Answer:
            agent = Agent.objects.visible_to(self.principal).select_related("principal").filter(code=code).first()
            if agent is None:
                raise ledger.NotFound(f"There is no agent {code}, or you may not see it.")
            consent, text = operations.give_consent(agent, by=self.principal, at=database_now(), **given)
            return 201, {**ConsentOutput(consent).data, "subject_token": text, "subject_token_type": operations.CONSENT}

        return self.answer_once(request, act, secret="subject_token")


class WithdrawConsentView(ActingDoor):
    """Let an agent act for the person no longer."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=NothingInput, responses=ConsentOutput, parameters=[IDEMPOTENCY], summary="Withdraw a consent"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        self.read(NothingInput, request.data)

        def act(key: str) -> Answer:
            consent = consents_of(self.principal).filter(uid=uid).first()
            if consent is None:
                raise ledger.NotFound
            operations.withdraw_consent(consent, by=self.principal, at=database_now())
            return 200, ConsentOutput(consent).data

        return self.answer_once(request, act)


def consents_of(person: Principal) -> Any:
    """The consents that a person gave, newest first."""
    return Consent.objects.filter(person=person).select_related("agent__unit", "person")
