"""The token endpoint and what tells about it: RFC 6749, 7523 and 8693; the metadata of RFC 8414 and 9728; the keys.

Django's own views: requests are forms and errors are those of RFC 6749, unlike everything under /api/."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from agents import operations
from agents.api.authentication import caller_of, server_of, version_of
from agents.api.limits import answers_too_many, by_address
from agents.models import ClientKey
from agents.rules import ALL_SCOPES
from agents.rules.tokens import ALGORITHMS, TOKEN_AT_MOST
from observability import ledger
from observability.ledger import Caller, database_now

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS = ("client_credentials", EXCHANGE)
ANSWER_FROM_CACHE_SECONDS = 300
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class InvalidRequest(ledger.Refused):
    """The request is not as it should be."""

    status = 400
    code = "invalid_request"


class UnsupportedGrantType(ledger.Refused):
    """This grant_type is not offered here."""

    status = 400
    code = "unsupported_grant_type"


class UnsupportedTokenType(InvalidRequest):
    """Only access tokens are had here."""


def _refused(refused: ledger.Refused) -> JsonResponse:
    told = {"error": refused.code, "error_description": refused.detail.replace('"', "'")}
    return JsonResponse(told, status=refused.status, headers=NOT_KEPT)


@method_decorator([csrf_exempt, answers_too_many(_refused), by_address("token", field="client_id")], name="dispatch")
class TokenView(View):
    """An agent's program gets an access token; too many requests of one address or one client are refused."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            return JsonResponse(_answered(request), headers=NOT_KEPT)
        except ledger.Refused as refused:
            return _refused(refused)


def _answered(request: HttpRequest) -> dict[str, Any]:
    given = _form(request)
    grant = given.get("grant_type", "")
    if grant not in GRANTS:
        raise UnsupportedGrantType(f"grant_type must be one of {', '.join(GRANTS)}.")
    server, at = server_of(request), database_now()
    key = _client(request, given, server, at)
    # The credential of the request is the key that signed; its token will have a jti of its own.
    caller = caller_of(request, Caller(credential=f"client_key:{key.kid}", version=version_of(key.agent)))
    target: dict[str, Any] = {
        "server": server,
        "resource": given.get("resource", ""),
        "asked": given.get("scope", "").strip(),
    }
    if grant == EXCHANGE:
        return _exchanged(key, given, target, caller, at)
    issued = operations.issue_token(key, caller=caller, at=at, **target)
    return _token(issued)


def _form(request: HttpRequest) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise InvalidRequest("Send a form: application/x-www-form-urlencoded.")
    for name, values in request.POST.lists():
        if len(values) > 1:
            raise InvalidRequest(f"The parameter {name[:40]} stands twice.")
        if "\0" in values[0]:
            raise InvalidRequest(f"The parameter {name[:40]} has a character that cannot be read.")
    return {name: value for name, value in request.POST.items() if isinstance(value, str)}


def _client(request: HttpRequest, given: dict[str, str], server: operations.Server, at: Any) -> ClientKey:
    assertion = given.get("client_assertion", "")
    if given.get("client_assertion_type") != JWT_BEARER or not assertion:
        raise operations.InvalidClient("Prove who the agent is with client_assertion and client_assertion_type.")
    if "client_secret" in given or "Authorization" in request.headers:
        raise InvalidRequest("Prove who the agent is in one way only, with client_assertion.")
    key = operations.prove_client(assertion, server=server, caller=caller_of(request), at=at)
    if given.get("client_id", key.agent.code) not in (key.agent.code, str(key.agent.uid)):
        raise operations.InvalidClient("client_id and client_assertion name two agents.")
    return key


def _exchanged(
    key: ClientKey, given: dict[str, str], target: dict[str, Any], caller: Caller, at: Any
) -> dict[str, Any]:
    if "actor_token" in given:
        raise InvalidRequest("The agent that acts is the one that proved who it is; send no actor_token.")
    if given.get("requested_token_type", operations.ACCESS_TOKEN) != operations.ACCESS_TOKEN:
        raise UnsupportedTokenType
    if not given.get("subject_token") or len(given["subject_token"]) > TOKEN_AT_MOST:
        raise InvalidRequest("Send the subject_token that is exchanged, and its subject_token_type.")
    issued = operations.exchange_token(
        key, subject=given["subject_token"], kind=given.get("subject_token_type", ""),
        audience=given.get("audience", ""), caller=caller, at=at, **target,
    )  # fmt: skip
    return _token(issued) | {"issued_token_type": operations.ACCESS_TOKEN}


def _token(issued: operations.Issued) -> dict[str, Any]:
    kind = "N_A" if issued.addressed else "Bearer"
    scope = " ".join(issued.scopes)
    return {"access_token": issued.text, "token_type": kind, "expires_in": issued.seconds, "scope": scope}


def _told(body: dict[str, Any]) -> JsonResponse:
    cache = {"Cache-Control": f"public, max-age={ANSWER_FROM_CACHE_SECONDS}", "Access-Control-Allow-Origin": "*"}
    return JsonResponse(body, headers=cache)


class ServerMetadata(View):
    """How tokens are had here (RFC 8414)."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        server = server_of(request)
        return _told(
            {
                "issuer": server.issuer,
                "token_endpoint": server.token_endpoint,
                "jwks_uri": f"{server.issuer}/oauth/jwks",
                "scopes_supported": list(ALL_SCOPES),
                "response_types_supported": [],
                "grant_types_supported": list(GRANTS),
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
                "protected_resources": [server.resource],
            }
        )


class ResourceMetadata(View):
    """Where a token for the API is had, and which scopes it may have (RFC 9728)."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        server = server_of(request)
        return _told(
            {
                "resource": server.resource,
                "authorization_servers": [server.issuer],
                "jwks_uri": f"{server.issuer}/oauth/jwks",
                "scopes_supported": list(ALL_SCOPES),
                "bearer_methods_supported": ["header"],
                "resource_name": "Autonomy OS API",
            }
        )


class KeySet(View):
    """The public keys by which tokens and agent cards of this server are checked (RFC 7517)."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return _told(operations.public_keys())
