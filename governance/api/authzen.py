"""The decision point as AuthZEN 1.0 describes it: questions, searches, access requests (draft), and what tells of them.

A deny is an answer like any other (200). Whatever goes wrong while a question is answered is a deny as well."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import View
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.authentication import server_of
from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, KeyReused
from agents.models import Agent, Principal
from governance import operations
from governance.api.shapes.authzen import (
    REQUESTS,
    AccessRequestInput,
    ActionSearchInput,
    ActionSearchOutput,
    EvaluationInput,
    EvaluationOutput,
    EvaluationsInput,
    EvaluationsOutput,
    ResourceSearchInput,
    SearchOutput,
    SubjectSearchInput,
    TaskOutput,
    answered,
    denied,
    task_of,
)
from governance.models import Decision
from governance.operations import Circumstances, NotEvaluated, Question, Requested
from governance.operations.callbacks import read_callback
from governance.rules.authzen import AuthZenInvalid, Batch, Evaluation, read_evaluation, read_evaluations, read_search
from governance.rules.obligations import TYPES
from observability import ledger
from observability.ledger import Refused, database_now, record_refusal

log = logging.getLogger(__name__)

Answer = tuple[int, Mapping[str, Any]]
KEY_AT_MOST = 190  # a number goes behind it for each question of a batch
OPTIONAL_KEY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "maxLength": KEY_AT_MOST}, OpenApiParameter.HEADER,
    description="The same key and question get the same decision again; without it every question is a new one.",
)  # fmt: skip
PAGE, PAGE_AT_MOST = 50, 200
TOLD_FOR_SECONDS = 300


class UnknownPage(ledger.Invalid):
    """This page token belongs to another search. Begin without one."""

    code = "page_token_invalid"


class AuthZenDoor(Door):
    """What all doors of the decision point share."""

    scope = "ask"

    @property
    def by(self) -> Agent | Principal:
        """Who asks: the agent, or the person."""
        return self.request.auth if isinstance(self.request.auth, Agent) else self.principal

    @property
    def base(self) -> str:
        """The address of this decision point."""
        return server_of(self.request).issuer

    @property
    def key(self) -> str:
        """The key of the request, nothing when none was sent."""
        key = self.request.headers.get("Idempotency-Key", "")
        if len(key) > KEY_AT_MOST:
            raise ledger.Invalid(fields={"Idempotency-Key": f"Send at most {KEY_AT_MOST} characters."})
        return key

    def known(self, asked: Evaluation) -> Circumstances:
        """What is known about the agent of a question. Raises UnknownSubject."""
        agent = operations.agent_asked_about(asked.subject.type, asked.subject.id, by=self.by)
        return Circumstances(agent, self.at)

    @property
    def at(self) -> datetime:
        """When it is asked: when the agent showed who it is, on the database's clock."""
        asks = self.request.auth
        return (asks.came_at if isinstance(asks, Agent) else None) or database_now()

    def answered(self, decision: Decision, asked: Evaluation) -> dict[str, Any]:
        """The decision as it is told to who asks."""
        sees = "governance.view_policy" in self.principal.rights.everywhere
        told = answered(decision, base=self.base, sees_policies=sees)
        if asked.approval and not told["decision"]:
            told["context"] |= operations.why_not_approved(asked.approval, decision)
        return told

    def refused(self, refused: Refused) -> dict[str, Any]:
        """No to a question that is none, or that could not be answered; recorded where the attempt itself counts."""
        if isinstance(refused, operations.SameKeyOtherQuestion):
            raise refused
        about = self.by if refused.status >= 500 else refused.about
        if about is not None:
            try:
                record_refusal(Refused(refused.detail, about=about), by=self.by)
            except Exception as lost:  # the answer is no whether or not it can be written down
                log.error("a refused question could not be recorded", exc_info=lost)
        return denied(refused)


def body_of(request: Request) -> dict[str, Any]:
    """The body, which is an object: the parser sees to it, and an empty body is an empty one."""
    return dict(request.data)


def read_or_refuse(read: Callable[..., Any], *given: Any) -> Any:
    """What was read of the body. Raises Invalid that names each wrong member."""
    try:
        return read(*given)
    except AuthZenInvalid as invalid:
        raise ledger.Invalid(fields=invalid.errors) from invalid


def question_of(asked: Evaluation, key: str, **words: Any) -> Question:
    """The question as every door puts it."""
    resource = {"type": asked.resource.type, "id": asked.resource.id, "properties": asked.resource.properties}
    return Question(
        action=asked.action, resource=resource, context=asked.context, request_key=key,
        subject=asked.subject.properties, action_properties=asked.action_properties, supported=asked.supported, **words,
    )  # fmt: skip


# --- questions ------------------------------------------------------------------------------------------------
class EvaluationView(AuthZenDoor):
    """May this agent do this?"""

    @extend_schema(
        request=EvaluationInput, responses=EvaluationOutput, parameters=[OPTIONAL_KEY], summary="Evaluate one question"
    )
    def post(self, request: Request) -> Response:
        return Response(self.one(read_or_refuse(read_evaluation, body_of(request))))

    def one(self, asked: Evaluation) -> dict[str, Any]:
        """The answer to one question; whatever goes wrong, it is no."""
        question = question_of(asked, self.key)
        try:
            known = self.known(asked)
            return self.answered(operations.evaluate(question, known=known, by=self.by), asked)
        except Refused as refused:
            return self.refused(refused)
        except Exception as broken:
            log.error("a question could not be answered", exc_info=broken)
            return self.refused(NotEvaluated())


class EvaluationsView(EvaluationView):
    """May these agents do these things?"""

    @extend_schema(
        request=EvaluationsInput, responses=EvaluationsOutput, parameters=[OPTIONAL_KEY],
        summary="Evaluate several questions",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = read_or_refuse(read_evaluations, body_of(request))
        if isinstance(given, Evaluation):
            return Response(self.one(given))
        try:
            return Response({"evaluations": self.all(given)})
        except Refused:
            raise
        except Exception as broken:
            log.error("questions could not be answered", exc_info=broken)
            no = self.refused(NotEvaluated())
            return Response({"evaluations": [no] * (1 if given.semantic.ends_with(False) else len(given.items))})

    def all(self, batch: Batch) -> list[dict[str, Any]]:
        """The answers, as far as the semantic of the batch goes."""
        told: list[dict[str, Any]] = []
        key = self.key  # one that is too long is wrong for all of them
        keys = [f"{key}/{place}" if key else "" for place in range(len(batch.items))]
        prepared = [self.prepared(item, own) for item, own in zip(batch.items, keys, strict=True)]
        for each, item in zip(self.asked_in_turn(prepared, batch), batch.items, strict=False):
            told.append(self.refused(each) if isinstance(each, Refused) else self.answered(each, _asked(item)))
        return told

    def prepared(self, item: Evaluation | AuthZenInvalid, key: str) -> operations.Prepared | Refused:
        """One question with what is known about its agent, or what is wrong with it."""
        if isinstance(item, AuthZenInvalid):
            return ledger.Invalid(fields=item.errors)
        try:
            return question_of(item, key), self.known_once(item)
        except Refused as refused:
            return refused

    def known_once(self, asked: Evaluation) -> Circumstances:
        """What is known about the agent, the same for all questions about it."""
        cache: dict[tuple[str, str], Circumstances] = self.__dict__.setdefault("_known", {})
        who = (asked.subject.type, asked.subject.id)
        if who not in cache:
            first = next(iter(cache.values()), None)
            agent = operations.agent_asked_about(*who, by=self.by)
            cache[who] = first.about(agent) if first is not None else Circumstances(agent, self.at)
        return cache[who]

    def asked_in_turn(self, prepared: list[Any], batch: Batch) -> list[Any]:
        """Decisions and refusals in the order of the questions, none after the one that ends the batch."""

        def enough(answer: Decision | Refused) -> bool:
            allowed = isinstance(answer, Decision) and answer.effect == Decision.Effect.ALLOW
            return batch.semantic.ends_with(allowed)

        return operations.evaluate_all(prepared, by=self.by, enough=enough)


def _asked(item: Evaluation | AuthZenInvalid) -> Evaluation:
    if isinstance(item, AuthZenInvalid):
        raise TypeError("what is no question is never decided")
    return item


# --- searches -------------------------------------------------------------------------------------------------
class SearchDoor(AuthZenDoor):
    """What the three searches share: pages that belong to one search of one caller."""

    wanted = ""

    def found(self, request: Request) -> Response:
        """A page of what was found."""
        asked = read_or_refuse(read_search, body_of(request), self.wanted)
        limit, after = self.part(body_of(request))
        try:
            results, last = self.search(asked, after, limit)
        except Refused as refused:
            told = self.refused(refused)["context"]
            return Response({"results": [], "page": {"next_token": "", "count": 0}, "context": told})
        token = signing.dumps([self.digest(body_of(request)), last], salt="authzen-page") if last else ""
        return Response({"results": results, "page": {"next_token": token, "count": len(results)}})

    def search(self, asked: Evaluation, after: str, limit: int) -> tuple[list[dict[str, Any]], str]:
        """What was found behind `after`, at most `limit`, and where it goes on."""
        raise NotImplementedError

    def part(self, body: Mapping[str, Any]) -> tuple[int, str]:
        """How many are asked for, and after which one. Raises Invalid."""
        page = body.get("page", {})
        if not isinstance(page, Mapping):
            raise ledger.Invalid(fields={"page": "Send an object."})
        limit, token = page.get("limit", PAGE), page.get("token", "")
        if type(limit) is not int or not 1 <= limit <= PAGE_AT_MOST:
            raise ledger.Invalid(fields={"page.limit": f"Send a whole number from 1 to {PAGE_AT_MOST}."})
        if not isinstance(token, str):
            raise ledger.Invalid(fields={"page.token": "Send text in quotation marks."})
        return limit, self.place(token, body) if token else ""

    def place(self, token: str, body: Mapping[str, Any]) -> str:
        """Where the page of this token begins. Raises UnknownPage for one of another search."""
        try:
            digest, last = signing.loads(token, salt="authzen-page")
        except (signing.BadSignature, ValueError) as forged:
            raise UnknownPage from forged
        if digest != self.digest(body):
            raise UnknownPage
        return str(last)

    def digest(self, body: Mapping[str, Any]) -> str:
        """What a page belongs to: the search, and who asks."""
        asked = {name: value for name, value in body.items() if name != "page"}
        text = json.dumps([self.wanted, self.principal.pk, asked], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


class SubjectSearchView(SearchDoor):
    """Which agents may do this?"""

    wanted = "subject"

    @extend_schema(request=SubjectSearchInput, responses=SearchOutput, summary="Search the agents that may do this")
    def post(self, request: Request) -> Response:
        return self.found(request)

    def search(self, asked: Evaluation, after: str, limit: int) -> tuple[list[dict[str, Any]], str]:
        found, last = operations.agents_that_may(
            question_of(asked, ""), asked.subject.type, by=self.by, at=database_now(), after=after, limit=limit
        )
        return [{"type": "agent", "id": code} for code in found], last


class ResourceSearchView(SearchDoor):
    """On which things may the agent do this?"""

    wanted = "resource"

    @extend_schema(request=ResourceSearchInput, responses=SearchOutput, summary="Search what the agent may act upon")
    def post(self, request: Request) -> Response:
        return self.found(request)

    def search(self, asked: Evaluation, after: str, limit: int) -> tuple[list[dict[str, Any]], str]:
        found, last = operations.resources_for(
            question_of(asked, ""), known=self.known(asked), by=self.by, after=after, limit=limit
        )  # fmt: skip
        kind = asked.resource.type
        return [
            {"type": kind, "id": each.id, **({"properties": each.properties} if each.properties else {})}
            for each in found
        ], last


class ActionSearchView(SearchDoor):
    """What may the agent do with this?"""

    wanted = "action"

    @extend_schema(request=ActionSearchInput, responses=ActionSearchOutput, summary="Search what the agent may do")
    def post(self, request: Request) -> Response:
        return self.found(request)

    def search(self, asked: Evaluation, after: str, limit: int) -> tuple[list[dict[str, Any]], str]:
        found, last = operations.actions_for(question_of(asked, ""), known=self.known(asked), after=after, limit=limit)
        return [{"name": name} for name in found], last


# --- access requests ------------------------------------------------------------------------------------------
class AccessRequestsView(AuthZenDoor, ActingDoor):
    """Have a person asked about what was evaluated (AuthZEN Access Request and Approval, draft)."""

    @extend_schema(
        request=AccessRequestInput, responses={201: TaskOutput}, parameters=[IDEMPOTENCY], summary="Have a person asked"
    )
    def post(self, request: Request) -> Response:
        asked = read_or_refuse(read_evaluation, body_of(request))
        requested = self.requested(asked, body_of(request))

        def act(key: str) -> Answer:
            task = operations.request_access(requested, known=self.known(asked), by=self.by)
            return 201, task_of(task, self.base)

        try:
            answer = self.answer_once(request, act)
        except KeyReused as reused:
            raise operations.DuplicateRequest from reused
        answer["Location"] = answer.data["task"]["status_endpoint"]
        return answer

    def requested(self, asked: Evaluation, body: Mapping[str, Any]) -> Requested:
        """What is asked for, with the agent's words. Raises Invalid."""
        if "items" in body:
            raise ledger.Invalid(fields={"items": "This is not offered here; send one request for each."})
        denial, wish = body.get("denial"), body.get("requested_access", {})
        if not isinstance(denial, Mapping) or not isinstance(denial.get("evaluation_id"), str):
            raise operations.InvalidDenialBinding(fields={"denial.evaluation_id": "Name the evaluation."})
        words = {name: wish.get(name, "") for name in ("title", "justification")} if isinstance(wish, Mapping) else {}
        if not words or not all(isinstance(each, str) and len(each) <= 4000 for each in words.values()):
            raise ledger.Invalid(fields={"requested_access": "Send an object; its title and justification are text."})
        question = question_of(asked, "", title=words["title"][:300], statement=words["justification"])
        callback = read_callback(body["callback"]) if "callback" in body else None
        return Requested(_uid(denial["evaluation_id"]), question, callback, self.base)


def _uid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise operations.InvalidDenialBinding(fields={"denial.evaluation_id": "There is no such id."}) from wrong


class AccessRequestView(AuthZenDoor):
    """What became of an access request."""

    shows_one = True

    @extend_schema(responses=TaskOutput, summary="Show an access request")
    def get(self, request: Request, uid: UUID) -> Response:
        return self.tagged(task_of(operations.task_asked_by(uid, by=self.by), self.base))


class CancelAccessRequestView(AuthZenDoor, ActingDoor):
    """The person need not answer any more."""

    @extend_schema(request=None, responses=TaskOutput, parameters=[IDEMPOTENCY], summary="Cancel an access request")
    def post(self, request: Request, uid: UUID) -> Response:
        def act(key: str) -> Answer:
            task = operations.task_asked_by(uid, by=self.by)
            operations.cancel_access(task, by=self.by, at=database_now())
            return 200, task_of(task, self.base)

        return self.answer_once(request, act)


# --- what tells of it -----------------------------------------------------------------------------------------
class Metadata(View):
    """What this decision point offers (AuthZEN 1.0); behind the path of PUBLIC_URL where the server has one."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, tenant: str = "") -> HttpResponse:
        base = server_of(request).issuer
        if tenant.strip("/") != urlsplit(base).path.strip("/"):
            raise Http404
        told = {
            "policy_decision_point": base,
            "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
            "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
            **{f"search_{each}_endpoint": f"{base}/access/v1/search/{each}" for each in _SEARCHES},
            "access_request_endpoint": f"{base}{REQUESTS}",
            "supported_obligations": list(TYPES),
        }
        return JsonResponse(told, headers={"Cache-Control": f"public, max-age={TOLD_FOR_SECONDS}"})


_SEARCHES = ("subject", "resource", "action")
