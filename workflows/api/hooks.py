"""The door for other systems: a signed call begins a run or becomes a message. No session, no key but the signature."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.http.request import RawPostDataException
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from agents.api.limits import answers_too_many, by_address
from observability import ledger
from observability.ledger import database_now
from workflows import operations

SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


def _refused(refused: ledger.Refused) -> JsonResponse:
    told = {"code": refused.code, "detail": refused.detail, "fields": refused.fields}
    return JsonResponse(told, status=refused.status)


@method_decorator(
    [csrf_exempt, answers_too_many(_refused), by_address("hook", quota="RATE_LIMIT_PER_MINUTE")], name="dispatch"
)
class HookCallView(View):
    """Take one call as Standard Webhooks describes it; 202 also for one that was taken before. Too many calls of one
    address are refused."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        headers = {name: request.headers.get(name, "") for name in SIGNED}
        try:
            message = operations.take_call(uid, _body(request), headers, at=database_now())
        except ledger.Refused as refused:
            ledger.record_refusal(refused, by=ledger.SYSTEM)
            return _refused(refused)
        told = {"id": str(message.uid), "run": str(message.receiver.uid) if message.receiver else None}
        return JsonResponse(told, status=202)


def _body(request: HttpRequest) -> bytes:
    """What was signed. Raises Invalid for a form, which was read on the way here."""
    try:
        return request.body
    except RawPostDataException as wrong:
        raise ledger.Invalid(fields={"body": "Send a JSON object."}) from wrong
