"""Access tokens: an agent proves who it is (RFC 7523), gets a token, exchanges what a person gave it (RFC 8693), and
comes in with it. Whether it may still do so is looked up at every request."""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from joserfc.jwk import JWKRegistry, Key
from uuid_utils.compat import uuid7

from agents.models import CLIENT_KEY_BY_NAME, Agent, ClientKey, Consent, Principal, UsedToken
from agents.operations.agents import AgentNotActive, require_working
from agents.operations.signing import KIND, SIGNS_WITH, server_keys, sign
from agents.rules.keys import CONSENT_START, same_digest, secret_digest, split_key
from agents.rules.scopes import NothingLeft, UnknownScope, narrowed
from agents.rules.tokens import (
    ALGORITHMS,
    BadToken,
    Token,
    check_assertion,
    check_times,
    read_token,
    unverified_issuer,
)
from observability import ledger
from observability.models import Event

TOKEN_SECONDS = 15 * 60
LONGEST_CHAIN = 3
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
CONSENT = "urn:autonomy-os:token-type:consent"
USE_IS_NOTED_EVERY = timedelta(seconds=60)
TOLD_AGAIN_AFTER = timedelta(minutes=1)


class UnknownToken(ledger.Refused):
    """This token is not valid, or not any more. Get a new one from the token endpoint."""

    status = 401
    code = "unknown_token"


class InvalidClient(ledger.Refused):
    """The agent did not prove who it is."""

    status = 401
    code = "invalid_client"


class InvalidGrant(ledger.Refused):
    """What was given for exchange is not valid, not any more, or not for this agent."""

    status = 400
    code = "invalid_grant"


class InvalidScope(ledger.Refused):
    """None of these scopes can be had."""

    status = 400
    code = "invalid_scope"


class InvalidTarget(ledger.Refused):
    """There is no such resource or agent that a token could be for."""

    status = 400
    code = "invalid_target"


@dataclass(frozen=True)
class Server:
    """By which names tokens know this server: who issues them, and where they are had."""

    issuer: str
    token_endpoint: str

    @property
    def resource(self) -> str:
        """Whom access tokens are for: the API of the same server."""
        return self.issuer


@dataclass(frozen=True)
class Issued:
    """A new token: its text, the scopes that it has, how long it lasts. One that is `addressed` to another agent opens
    no door, that agent exchanges it."""

    text: str
    scopes: list[str]
    seconds: int
    addressed: bool = False


@dataclass(frozen=True)
class Mandate:
    """For whom an agent acts: the person's consent, the agents that act, nearest first, the scopes, the end."""

    consent: Consent
    chain: tuple[str, ...]
    scopes: Sequence[str]
    ends_at: datetime


# --- an agent proves who it is --------------------------------------------------------------------------------
def prove_client(assertion: str, *, server: Server, caller: ledger.Caller, at: datetime) -> ClientKey:
    """The registered key with which the agent signed this assertion, which works this once (RFC 7523). Raises
    InvalidClient; what is tried in the name of an agent, or of none that there is, is recorded once a minute."""
    try:
        name = unverified_issuer(assertion)
    except BadToken as wrong:
        raise InvalidClient(str(wrong)) from wrong
    agent = _named(name)
    if agent is None:
        _flag_unknown(name, caller=caller, at=at)
        raise InvalidClient("There is no agent of this name.")
    try:
        key = _proved(assertion, agent, server, at)
    except (BadToken, AgentNotActive) as wrong:
        _flag_refused(agent, str(wrong), caller=caller, at=at)
        raise InvalidClient(str(wrong)) from wrong
    _note_use(key, at)
    return key


def _named(name: str) -> Agent | None:
    known = Q(code=name)
    with contextlib.suppress(ValueError):
        known |= Q(uid=UUID(name))
    return Agent.objects.select_related("principal", "role", "unit").filter(known).first()


def _proved(assertion: str, agent: Agent, server: Server, at: datetime) -> ClientKey:
    found: list[ClientKey] = []

    def find(kid: str) -> Key | None:
        key = ClientKey.objects.filter(agent=agent, kid=kid).first()
        if key is None or not key.opens(at):
            return None
        found.append(key)
        return JWKRegistry.import_key(key.jwk)

    token = read_token(assertion, find, algorithms=ALGORITHMS, kind="")
    jti, ends = check_assertion(
        token, at.timestamp(), client=(agent.code, str(agent.uid)), audiences=(server.issuer, server.token_endpoint)
    )
    _use_once(f"{agent.uid}\n{jti}", ends)
    require_working(agent, at)
    found[0].agent = agent
    return found[0]


def _use_once(what: str, ends: float) -> None:
    digest = hashlib.sha256(what.encode()).hexdigest()
    try:
        with transaction.atomic():
            UsedToken.objects.create(digest=digest, expires_at=datetime.fromtimestamp(ends, UTC))
    except IntegrityError as used:
        raise BadToken("This token was used before (jti); make a new one for each request.") from used


def _note_use(key: ClientKey, at: datetime) -> None:
    if key.last_used_at is None or at - key.last_used_at > USE_IS_NOTED_EVERY:
        ClientKey.objects.filter(pk=key.pk).update(last_used_at=at)
        Agent.objects.filter(pk=key.agent_id).update(last_seen_at=at)


def _flag_refused(agent: Agent, why: str, *, caller: ledger.Caller, at: datetime) -> None:
    told = Event.objects.filter(subject_kind="agent", subject_id=agent.code, verb="token.refused")
    if not told.filter(at__gt=at - TOLD_AGAIN_AFTER).exists():
        ledger.record("token.refused", agent, by=_somebody(caller), at=at, why=why)


@dataclass(frozen=True)
class _Nobody:
    name: str

    def as_subject(self) -> ledger.Subject:
        return ledger.Subject(kind="agent", id=self.name[:80], name=f"“{self.name}”")


def _flag_unknown(name: str, *, caller: ledger.Caller, at: datetime) -> None:
    if not Event.objects.filter(verb="agent.unknown", at__gt=at - TOLD_AGAIN_AFTER).exists():
        name = "".join(character if character.isprintable() else "?" for character in name)
        ledger.record("agent.unknown", _Nobody(name), by=_somebody(caller), at=at)


def _somebody(caller: ledger.Caller) -> ledger.Actor:
    # Nobody proved to be anybody: the system itself tells, and from where it was tried.
    return ledger.Actor(ledger.SYSTEM.kind, ledger.SYSTEM.id, ledger.SYSTEM.name, caller)


# --- tokens are given out -------------------------------------------------------------------------------------
@transaction.atomic
def issue_token(
    key: ClientKey, *, asked: str, server: Server, resource: str, caller: ledger.Caller, at: datetime
) -> Issued:
    """An access token for the agent itself, within the scopes of its key."""
    _check_resource(resource, server)
    scopes = _narrowed(asked, key.scopes)
    agent = _acting(key, caller)
    claims = _claims(key, server, scopes, at, at + timedelta(seconds=TOKEN_SECONDS))
    _record("token.issued", agent, key, claims, at)
    return Issued(sign({**claims, "sub": agent.principal.username}), scopes, TOKEN_SECONDS)


@transaction.atomic
def exchange_token(
    key: ClientKey, *, subject: str, kind: str, asked: str, server: Server, resource: str, audience: str,
    caller: ledger.Caller, at: datetime,
) -> Issued:  # fmt: skip
    """A token with which the agent acts for a person (RFC 8693), for a consent or for a token that another agent
    addressed to it; with `audience` one that is addressed to that agent. Its scopes are those that the person gave,
    the agent has and the request asks for."""
    _check_resource(resource, server)
    agent = _acting(key, caller)
    if kind == CONSENT:
        mandate = _from_consent(subject, agent, at)
    elif kind == ACCESS_TOKEN:
        mandate = _from_token(subject, agent, server, at, hands_on=bool(audience))
    else:
        raise InvalidGrant(f"subject_token_type must be {CONSENT} or {ACCESS_TOKEN}.")
    scopes = _narrowed(asked, mandate.scopes, key.scopes)
    ends_at = min(mandate.ends_at, at + timedelta(seconds=TOKEN_SECONDS))
    claims = _claims(key, server, scopes, at, ends_at)
    person = mandate.consent.person
    if audience:
        claims["aud"] = _addressee(audience, person, at).principal.username
    claims |= {"sub": person.username, "act": _nested(mandate.chain), "consent": str(mandate.consent.uid)}
    agent.caller = ledger.Caller(
        caller.credential, caller.address, _behalf(person, mandate.chain), caller.version, caller.trace
    )
    _record("token.exchanged", agent, key, claims, at)
    return Issued(sign(claims), scopes, int((ends_at - at).total_seconds()), addressed=bool(audience))


def _check_resource(resource: str, server: Server) -> None:
    if resource and resource.rstrip("/") != server.resource:
        raise InvalidTarget(f"Tokens are had for {server.resource} only.")


def _narrowed(asked: str, *limits: Sequence[str]) -> list[str]:
    try:
        return narrowed(asked, *limits)
    except UnknownScope as wrong:
        raise InvalidScope(f"There is no scope {wrong}.") from wrong
    except NothingLeft as none:
        raise InvalidScope from none


def _acting(key: ClientKey, caller: ledger.Caller) -> Agent:
    agent = key.agent
    agent.caller = caller
    return agent


def _claims(key: ClientKey, server: Server, scopes: Sequence[str], at: datetime, ends_at: datetime) -> dict[str, Any]:
    return {
        "iss": server.issuer, "aud": server.resource, "client_id": key.agent.code, "client_kid": key.kid,
        "scope": " ".join(scopes), "iat": int(at.timestamp()), "exp": int(ends_at.timestamp()), "jti": uuid7().hex,
    }  # fmt: skip


def _record(verb: str, agent: Agent, key: ClientKey, claims: Mapping[str, Any], at: datetime) -> None:
    ends = datetime.fromtimestamp(claims["exp"], UTC).isoformat()
    told = {"kid": key.kid, "jti": claims["jti"], "scope": claims["scope"], "ends_at": ends, "aud": claims["aud"]}
    ledger.record(verb, agent, by=agent, at=at, data=told)


def _from_consent(text: str, agent: Agent, at: datetime) -> Mandate:
    parts = split_key(text, CONSENT_START)
    if parts is None:
        raise InvalidGrant
    consents = Consent.objects.select_related("person", "agent")
    consent = consents.filter(prefix=parts[0]).first()
    right = same_digest(consent.secret_sha256 if consent else "0" * 64, secret_digest(parts[1]))
    if consent is None or not right or consent.agent_id != agent.pk:
        raise InvalidGrant
    _check_consent(consent, at)
    if consent.status != Consent.Status.GIVEN:
        raise InvalidGrant("This consent was used before.")
    try:
        ledger.move(consent, Consent.Status.USED, by=agent, verb="consent.used", at=at)
    except ledger.TooLate as late:
        raise InvalidGrant("This consent was used before.") from late
    return Mandate(consent, (agent.principal.username,), consent.scopes, consent.expires_at)


def _from_token(text: str, agent: Agent, server: Server, at: datetime, *, hands_on: bool) -> Mandate:
    me = agent.principal.username
    try:
        token = _read_own(text, server, at)
        chain = _chain(token)
        if not chain:
            raise BadToken("Only a token with which an agent acts for a person can be exchanged.")
        if token.audiences == [me]:
            _use_once(f"exchanged\n{token.text('jti')}", token.time("exp") or 0)
            chain = (me, *chain)
        elif not (token.audiences == [server.resource] and chain[0] == me and hands_on):
            raise BadToken("This token is not addressed to this agent.")
        if len(chain) > LONGEST_CHAIN:
            raise BadToken(f"At most {LONGEST_CHAIN} agents act one for the other.")
        consent = _consent_of(token, at)
        _check_agents(chain[1:], at)
    except (BadToken, AgentNotActive) as wrong:
        raise InvalidGrant(str(wrong)) from wrong
    ends = datetime.fromtimestamp(token.time("exp") or 0, UTC)
    return Mandate(consent, chain, token.text("scope").split(" "), ends)


def _addressee(name: str, person: Principal, at: datetime) -> Agent:
    agent = _named(name.removeprefix("agent:"))
    if agent is None or not Agent.objects.visible_to(person).filter(pk=agent.pk).exists():
        raise InvalidTarget
    try:
        require_working(agent, at)
    except AgentNotActive as idle:
        raise InvalidTarget(str(idle)) from idle
    return agent


def _nested(chain: Sequence[str]) -> dict[str, Any]:
    act: dict[str, Any] = {}
    for name in reversed(chain):
        act = {"sub": name, **({"act": act} if act else {})}
    return act


def _behalf(person: Principal, chain: Sequence[str]) -> tuple[Mapping[str, str], ...]:
    agents = [
        {"kind": "agent", "id": name.removeprefix("agent:"), "name": name.removeprefix("agent:")} for name in chain[1:]
    ]
    return (*agents, {"kind": "person", "id": person.username, "name": str(person)})


# --- an agent comes in with a token ---------------------------------------------------------------------------
def sign_in_with_token(text: str, *, server: Server, at: datetime) -> Agent:
    """The active agent whose access token this is, with the token's scopes; its account acts for the person whom the
    token names, if it names one. Raises UnknownToken, or AgentNotActive for an agent that may not work now."""
    try:
        return _admitted(_read_own(text, server, at), server, at)
    except BadToken as wrong:
        raise UnknownToken(f"This token is not valid: {wrong}") from wrong


def _admitted(token: Token, server: Server, at: datetime) -> Agent:
    if token.audiences != [server.resource]:
        raise BadToken("The token is for somebody else.")
    key, chain = _client_key(token, at), _chain(token)
    agent = key.agent
    if (chain[0] if chain else token.text("sub")) != agent.principal.username:
        raise BadToken("The token names another agent.")
    require_working(agent, at)
    agent.scopes = frozenset(token.text("scope").split(" ")) & frozenset(key.scopes)
    behalf: tuple[Mapping[str, str], ...] = ()
    if chain:
        _check_agents(chain[1:], at)
        agent.principal.acts_for = person = _consent_of(token, at).person
        behalf = _behalf(person, chain)
    agent.caller = ledger.Caller(credential=f"token:{key.kid}:{token.text('jti')}"[:160], on_behalf_of=behalf)
    return agent


def _read_own(text: str, server: Server, at: datetime) -> Token:
    token = read_token(text, server_keys().get, algorithms=(SIGNS_WITH,), kind=KIND)
    if token.text("iss") != server.issuer:
        raise BadToken("Another server issued the token.")
    check_times(token, at.timestamp(), longest=TOKEN_SECONDS)
    return token


def _client_key(token: Token, at: datetime) -> ClientKey:
    key = CLIENT_KEY_BY_NAME.first(code=token.text("client_id"), kid=token.text("client_kid"))
    if key is None or not key.opens(at):
        raise BadToken("The key with which it was had is revoked or expired.")
    return key


def _chain(token: Token) -> tuple[str, ...]:
    chain: list[str] = []
    act = token.claims.get("act")
    while act is not None:
        if not isinstance(act, dict) or not isinstance(act.get("sub"), str) or len(chain) > LONGEST_CHAIN:
            raise BadToken("The claim act cannot be read.")
        chain.append(act["sub"])
        act = act.get("act")
    return tuple(chain)


def _consent_of(token: Token, at: datetime) -> Consent:
    try:
        uid = UUID(token.text("consent"))
    except ValueError as wrong:
        raise BadToken("The claim consent cannot be read.") from wrong
    consent = Consent.objects.select_related("person", "agent").filter(uid=uid).first()
    if consent is None or consent.person.username != token.text("sub"):
        raise BadToken("There is no such consent.")
    try:
        _check_consent(consent, at)
    except InvalidGrant as wrong:
        raise BadToken(str(wrong)) from wrong
    return consent


def _check_consent(consent: Consent, at: datetime) -> None:
    if not consent.open_at(at):
        raise InvalidGrant("The person's consent has ended or was withdrawn.")
    if not (consent.person.is_active and consent.person.is_person):
        raise InvalidGrant("The person is not active any more.")


def _check_agents(names: Sequence[str], at: datetime) -> None:
    if not names:
        return
    agents = list(Agent.objects.select_related("principal").filter(principal__username__in=names))
    if len(agents) != len(set(names)):
        raise BadToken("There is no such agent in the chain.")
    for agent in agents:
        require_working(agent, at)


def forget_tokens(*, at: datetime) -> int:
    """Remove what is kept about tokens that have expired; how many."""
    removed, _ = UsedToken.objects.filter(expires_at__lt=at).delete()
    return removed
