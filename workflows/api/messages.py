"""Messages and signals: send one to runs that wait, see what became of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door
from observability import ledger
from observability.ledger import database_now
from observability.serializers import page_of
from workflows import operations
from workflows.api.shapes.beginnings import MessageInput, MessageOutput, MessagesQuery, SignalInput
from workflows.models import Message, Workflow

Answer = tuple[int, Mapping[str, Any]]


class SendingDoor(ActingDoor):
    """What messages and signals share."""

    scope = "work"

    def sent(self, kind: str, given: Mapping[str, Any]) -> Answer:
        """Send it; 200 when it has reached a run, 202 while it is on its way."""
        letter = operations.Letter(
            kind=kind, name=given["name"], key=given.get("key", ""), payload=given["payload"], ref=given["id"],
            workflow=self.meant(given["workflow"]),
        )  # fmt: skip
        by = self.agent if self.request.auth else self.principal
        message = operations.send_message(letter, by=by, at=database_now())
        return (202 if message.status == Message.Status.SENT else 200), MessageOutput(message).data

    def meant(self, code: str) -> Workflow | None:
        """The only workflow that it is meant for, if one is named. Raises NotFound."""
        if not code:
            return None
        workflow = Workflow.objects.visible_to(self.principal).filter(code=code).first()
        if workflow is None:
            raise ledger.NotFound(f"There is no workflow {code}, or you may not see it.")
        return workflow


class MessagesView(SendingDoor):
    """Messages: what one sent or may see, and a new one."""

    query = MessagesQuery

    @extend_schema(parameters=[MessagesQuery], responses=page_of(MessageOutput), summary="List messages, newest first")
    def get(self, request: Request) -> Response:
        found = Message.objects.visible_to(self.principal).select_related("receiver")
        if status := self.asked["status"]:
            found = found.filter(status=status)
        return self.page(found, MessageOutput, by="-pk")

    @extend_schema(
        request=MessageInput, responses={200: MessageOutput, 202: MessageOutput}, parameters=[IDEMPOTENCY],
        summary="Send a message to the run that waits for it",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(MessageInput, request.data)
        return self.answer_once(request, lambda key: self.sent(Message.Kind.MESSAGE, given))


class SignalsView(SendingDoor):
    """Send a signal to all runs that wait for it."""

    @extend_schema(
        request=SignalInput, responses={202: MessageOutput}, parameters=[IDEMPOTENCY],
        summary="Send a signal to all runs that wait for it",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(SignalInput, request.data)
        return self.answer_once(request, lambda key: self.sent(Message.Kind.SIGNAL, given))


class MessageView(Door):
    """One message."""

    scope = "work"
    shows_one = True

    @extend_schema(responses=MessageOutput, summary="Show a message and what became of it")
    def get(self, request: Request, uid: UUID) -> Response:
        found = Message.objects.visible_to(self.principal).select_related("receiver").filter(uid=uid).first()
        if found is None:
            raise ledger.NotFound
        return self.tagged(MessageOutput(found).data)
