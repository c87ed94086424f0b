"""Every verb once: what is sent for it and how its answer is read; `Autonomy` and `AsyncAutonomy` only carry it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from autonomy_client.answers import Answer, understood
from autonomy_client.errors import AutonomyError, NotUnderstood
from autonomy_client.questions import AccessRequest, Evaluation, Found, question
from autonomy_client.shapes import (
    Agent,
    Boundaries,
    Change,
    Claim,
    Decision,
    Document,
    Escalation,
    Evidence,
    Fact,
    File,
    Inquiry,
    Me,
    Message,
    Outcome,
    Page,
    Run,
    Work,
)

# Stands in a path for the code of the agent itself, which the client asks for once.
OWN = "{me}"
BELOW = "/api/v1/"
# Where the decision point is; a path that begins with a slash is not below the API.
DECISIONS = "/access/v1/"

Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Call(Generic[Result]):
    """One request, and how its answer becomes a result; the server may take `wait_seconds` longer than usual."""

    method: str
    path: str
    read: Callable[[Answer], Result]
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    match: str = ""
    wait_seconds: float = 0


# --- who am I -------------------------------------------------------------------------------------------------
def me() -> Call[Me]:
    """Who the server takes this client for."""
    return _get("me", Me.from_wire)


def boundaries(agent: str = "") -> Call[Boundaries]:
    """What this agent, or another one, may do alone, where it must ask, and what it may never do."""
    return _get(f"agents/{_part(agent) or OWN}/boundaries", Boundaries.from_wire)


def evidence(agent: str = "", days: int | None = None) -> Call[Document]:
    """The evidence of so many days on which the autonomy level of this agent, or of another one, rests."""
    return _shown(f"agents/{_part(agent) or OWN}/evidence", {} if days is None else {"days": str(days)})


def rotate_key(overlap_hours: int | None = None) -> Call[str]:
    """A new key for this agent; the one in use stays good for so many hours, or for as long as the server likes."""

    def shown(answer: Answer) -> str:
        key = answer.body.get("key")
        if not isinstance(key, str) or not key:
            # What is shown once is not shown to a repeat.
            raise AutonomyError(answer.status, "key_not_shown", "A key was made and its answer got lost. Rotate again.")
        return key

    asked = {} if overlap_hours is None else {"overlap_hours": overlap_hours}
    return Call("POST", "me/key/rotate", shown, body=asked)


# --- work -----------------------------------------------------------------------------------------------------
def claim(wait_seconds: int = 20) -> Call[Work | None]:
    """The next step for this agent's role, or None when none came within the wait."""
    return _post("work/claim", {"wait_seconds": wait_seconds}, _work_in, wait_seconds)


def finish(
    work: Work,
    output: Mapping[str, Any],
    cost: Decimal | str = "0",
    claim_next: bool = False,
    wait_seconds: int = 0,
    note: str = "",
    tokens: int | None = None,
    confidence: Decimal | str | None = None,
    evidence: Sequence[Evidence] = (),
) -> Call[Work | None]:
    """Report the step's output, what it took, how sure you are and what shows it; with `claim_next` the answer carries
    the next step, if any; budgets of tokens count `tokens`."""
    report = {"output": output, "cost": str(cost), "note": note, "claim_next": claim_next, "wait_seconds": wait_seconds}
    report |= {} if tokens is None else {"tokens": tokens}
    report |= {} if confidence is None else {"confidence": str(confidence)}
    report |= {"evidence": [_stated(item) for item in evidence]} if evidence else {}
    return _post(f"steps/{work.step}/finish", _lease(work) | report, _work_in, wait_seconds)


def fail(work: Work, reason: str, retryable: bool = True, error_code: str = "") -> Call[None]:
    """Give the step back as failed; a retryable one is offered again later. With the code of an error of the drawing
    the run goes on where the drawing says what to do about it."""
    told: dict[str, Any] = {"reason": reason, "retryable": retryable}
    told |= {"error_code": error_code} if error_code else {}
    return _post(f"steps/{work.step}/fail", _lease(work) | told, lambda body: None)


def heartbeat(work: Work) -> Call[float]:
    """Renew the lease and return its length in seconds; raises StaleLease when it is lost."""
    return _post(f"steps/{work.step}/heartbeat", _lease(work), lambda body: float(body["lease_seconds"]))


def ask(
    work: Work,
    action: str,
    resource: Mapping[str, Any],
    context: Mapping[str, Any],
    *,
    title: str,
    statement: str,
    confidence: Decimal | str,
    changes: Sequence[Change] = (),
    evidence: Sequence[Evidence] = (),
    approval: str | None = None,
) -> Call[Decision]:
    """May I do this? After `escalate` the step waits for a person by itself and the lease is over."""
    question = {
        "step": work.step,
        "lease_token": work.lease_token,
        "action": action,
        "resource": resource,
        "context": context,
        "title": title,
        "statement": statement,
        "confidence": str(confidence),
        "changes": [asdict(change) for change in changes],
        "evidence": [_stated(item) for item in evidence],
        "approval": approval,
    }
    return _post("actions", question, Decision.from_wire)


def decision(id: str) -> Call[Decision]:
    """An earlier decision."""
    return _get(f"decisions/{_part(id)}", Decision.from_wire)


def outcome(
    decision: str,
    done: bool = True,
    *,
    failed: bool = False,
    amount: Decimal | str | None = None,
    tokens: int | None = None,
    seconds: Decimal | str | None = None,
) -> Call[Outcome]:
    """Report what became of an allowed action: whether it was done, and what it used; `failed` when the system did not
    do it. What budgets held for it is spent or free again; what nobody reports stays reserved until it expires."""
    used = {
        "failed": failed or None,
        "amount": amount and str(amount),
        "tokens": tokens,
        "seconds": seconds and str(seconds),
    }
    told = {name: value for name, value in used.items() if value is not None}
    return _post(
        f"decisions/{_part(decision)}/outcome",
        {"done": done, **told},
        Outcome.from_wire,
    )


# --- the decision point ---------------------------------------------------------------------------------------
def evaluate(
    action: str,
    resource: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
    *,
    agent: str = "",
    can: Collection[str] = (),
    approval: Mapping[str, Any] | None = None,
) -> Call[Evaluation]:
    """May I do this, outside a step? `can` are the types of obligations that you fulfil; without one of them the answer
    is no. Nobody is asked: see `request_access`."""
    asked = question(agent or OWN, action, resource, context)
    more = {"approval": approval} if approval else {}
    body = {**asked, "context": {**asked["context"], "supported_obligations": sorted(can), **more}}
    return _post(f"{DECISIONS}evaluation", body, lambda told: Evaluation.from_wire(told, asked, can))


def evaluations(
    questions: Sequence[Mapping[str, Any]], *, agent: str = "", can: Collection[str] = (), semantic: str = "execute_all"
) -> Call[tuple[Evaluation, ...]]:
    """The same for several, each with action, resource and context; `semantic` may end the list at the first no
    (`deny_on_first_deny`) or yes (`permit_on_first_permit`)."""
    asked = [question(agent or OWN, each["action"], each["resource"], each.get("context")) for each in questions]
    sent = [{**each, "context": {**each["context"], "supported_obligations": sorted(can)}} for each in asked]

    def read(told: Mapping[str, Any]) -> tuple[Evaluation, ...]:
        answers = zip(told["evaluations"], asked, strict=False)
        return tuple(Evaluation.from_wire(answer, each, can) for answer, each in answers)

    body = {"evaluations": sent, "options": {"evaluations_semantic": semantic}}
    return _post(f"{DECISIONS}evaluations", body, read)


def search_subjects(
    action: str, resource: Mapping[str, Any], context: Mapping[str, Any] | None = None, *, token: str = ""
) -> Call[Found]:
    """Which agents may do this, of those that you may ask about."""
    return _search("subject", question("", action, resource, context), token)


def search_resources(
    action: str, kind: str, context: Mapping[str, Any] | None = None, *, agent: str = "", token: str = ""
) -> Call[Found]:
    """On which things of a kind you may do this."""
    return _search("resource", question(agent or OWN, action, {"type": kind}, context), token)


def search_actions(
    resource: Mapping[str, Any], context: Mapping[str, Any] | None = None, *, agent: str = "", token: str = ""
) -> Call[Found]:
    """What you may do with this."""
    return _search("action", question(agent or OWN, "", resource, context), token)


def request_access(evaluation: Evaluation, justification: str = "", title: str = "") -> Call[AccessRequest]:
    """Have a person asked about an evaluation that ended in `escalate`; then wait, and evaluate again."""
    words = {"justification": justification, "title": title}
    body = {**evaluation.asked, "denial": {"evaluation_id": evaluation.id}, "requested_access": words}
    return _post(f"{DECISIONS}requests", body, AccessRequest.from_wire)


def access_request(id: str) -> Call[AccessRequest]:
    """What became of it."""
    return _get(f"{DECISIONS}requests/{_part(id)}", AccessRequest.from_wire)


def cancel_access(id: str) -> Call[AccessRequest]:
    """The person need not answer any more."""
    return _post(f"{DECISIONS}requests/{_part(id)}/cancel", {}, AccessRequest.from_wire)


def _search(wanted: str, asked: dict[str, Any], token: str) -> Call[Found]:
    if wanted == "action":
        del asked["action"]
    body = {**asked, "page": {"token": token}} if token else asked
    return _post(f"{DECISIONS}search/{wanted}", body, Found.from_wire)


# --- runs -----------------------------------------------------------------------------------------------------
def start_run(workflow: str, key: str, input: Mapping[str, Any], *, anew: bool = False) -> Call[Run]:
    """Start a run; the same key again gives the same run. One that is to work `anew` takes nothing from the shared
    memory."""
    told = {"workflow": workflow, "key": key, "input": input} | ({"anew": True} if anew else {})
    return _post("runs", told, Run.from_wire)


def run(id: str) -> Call[Run]:
    """One run, with what came of it so far."""
    return _get(f"runs/{_part(id)}", Run.from_wire)


def send_message(
    name: str, key: str = "", payload: Mapping[str, Any] | None = None, id: str = "", workflow: str = ""
) -> Call[Message]:
    """Send a message to the run that waits for it under the key, or let it begin one. The same `id` again is the same
    message; with `workflow` only runs of that one get it. Raises NotFound for a name that no workflow knows."""
    body = {"name": name, "key": key, "payload": payload or {}, "id": id, "workflow": workflow}
    return _post("messages", body, Message.from_wire)


def signal(name: str, payload: Mapping[str, Any] | None = None, id: str = "", workflow: str = "") -> Call[Message]:
    """Send a signal to all runs that wait for it now."""
    body = {"name": name, "payload": payload or {}, "id": id, "workflow": workflow}
    return _post("signals", body, Message.from_wire)


def message(id: str) -> Call[Message]:
    """A message that was sent, with what became of it."""
    return _get(f"messages/{_part(id)}", Message.from_wire)


# --- shared memory --------------------------------------------------------------------------------------------
def remember(
    space: str,
    key: str,
    value: Mapping[str, Any] | str | File,
    *,
    evidence: Sequence[Evidence] = (),
    expires_seconds: int | None = 86_400,
    run: str | None = None,
    cost: Decimal | str = "0",
    seconds: Decimal | str = "0",
    sources: Sequence[Fact] = (),
    read_from: Sequence[str] = (),
    confidence: Decimal | str | None = None,
    sensitivity: str = "internal",
) -> Call[Fact | None]:
    """Put values, a text or a file into the shared memory, with what it took to find out, and the facts it was derived
    from: when one of these turns out to be wrong, so does this. `read_from` names the labels of what was read."""
    fact = {
        "space": space,
        "key": key,
        **_content(value),
        "evidence": [_stated(item) for item in evidence],
        "expires_seconds": expires_seconds,
        "run": run,
        "cost": str(cost),
        "seconds": str(seconds),
        **_where_from(sources, read_from, confidence, sensitivity),
    }
    return _post("memory/facts", fact, _fact_in)


def _content(value: Mapping[str, Any] | str | File) -> dict[str, Any]:
    if isinstance(value, File):
        content = base64.b64encode(value.content).decode()
        return {"file": {"name": value.name, "content_type": value.content_type, "content": content}}
    return {"text": value} if isinstance(value, str) else {"value": value}


def _where_from(
    sources: Sequence[Fact], read_from: Sequence[str], confidence: Decimal | str | None, sensitivity: str
) -> dict[str, Any]:
    told = {
        "sources": [fact.id for fact in sources],
        "read_from": list(read_from),
        "confidence": None if confidence is None else str(confidence),
        "sensitivity": "" if sensitivity == "internal" else sensitivity,
    }
    return {name: value for name, value in told.items() if value}


def recall(space: str, key: str, *, run: str | None = None) -> Call[Fact | None]:
    """What the shared memory holds under this key, or None; the saving is put down to the run."""
    return _get("memory/facts", _fact_in, {"space": space, "key": key} | ({"run": run} if run else {}))


def claim_fact(
    space: str, key: str, *, seconds: int = 300, wait_seconds: int = 0, run: str | None = None
) -> Call[Claim]:
    """Ask before you find something out: what is known, or that it is yours to find out and to `remember` within the
    seconds, or that somebody else is at it."""
    asked = {"space": space, "key": key, "seconds": seconds, "wait_seconds": wait_seconds, "run": run}
    return _post("memory/claims", asked, partial(Claim.from_wire, space, key), wait_seconds)


def release_claim(claim: Claim) -> Call[None]:
    """Leave to somebody else what you wanted to find out."""
    body = {"space": claim.space, "key": claim.key, "token": claim.token}
    return _post("memory/claims/release", body, lambda body: None)


def search_memory(
    words: str = "", *, space: str = "", author: str = "", state: str = "valid", limit: int = 50
) -> Call[Page[Fact]]:
    """Facts that say all of these words, of which the last may be the beginning of one, the newest first."""
    asked = {"q": words, "space": space, "author": author, "state": state, "limit": str(limit)}
    return _list("memory/search", Fact.from_wire, {name: value for name, value in asked.items() if value})


def fact(id: str) -> Call[Fact | None]:
    """One fact, also one that was replaced or found wrong."""
    return _get(f"memory/facts/{_part(id)}", _fact_in)


def confirm_fact(id: str, why: str) -> Call[Fact | None]:
    """A second opinion: serve to all what nobody but its author is served yet."""
    return _post(f"memory/facts/{_part(id)}/confirm", {"why": why}, _fact_in)


def invalidate_fact(id: str, why: str) -> Call[tuple[Fact, ...]]:
    """Say that your own fact is wrong; all that fell with it."""
    return _post(
        f"memory/facts/{_part(id)}/invalidate",
        {"why": why},
        lambda body: tuple(Fact.from_wire(each) for each in body["facts"]),
    )


# --- what there is --------------------------------------------------------------------------------------------
def agent(code: str) -> Call[Agent]:
    """One agent, as its colleagues see it."""

    def read(answer: Answer) -> Agent:
        return understood(partial(Agent.from_wire, etag=answer.etag), answer.body)

    return Call("GET", f"agents/{_part(code)}", read)


def escalation(id: str) -> Call[Escalation]:
    """One question to a person, and what became of it."""
    return _get(f"escalations/{_part(id)}", Escalation.from_wire)


def inquiries() -> Call[Page[Inquiry]]:
    """What people ask this agent about its questions and it has not answered, one after the other."""
    return _list("questions", Inquiry.from_wire, {})


def inquiries_about(escalation: str) -> Call[Page[Inquiry]]:
    """Everything that people asked about one of its questions, with the answers, oldest first."""
    return _list(f"escalations/{_part(escalation)}/questions", Inquiry.from_wire, {})


def answer(inquiry: Inquiry, text: str) -> Call[Inquiry]:
    """Answer what a person asked, once: they read it on the card, and decide."""
    path = f"escalations/{_part(inquiry.escalation)}/questions/{_part(inquiry.id)}/answer"
    return _post(path, {"answer": text}, Inquiry.from_wire)


def agents(**filters: str) -> Call[Page[Agent]]:
    """The agents that this one may see, one after the other; more are fetched as they are needed."""
    return _list("agents", Agent.from_wire, filters)


def runs(**filters: str) -> Call[Page[Run]]:
    """The runs that this agent may see, newest first; more are fetched as they are needed."""
    return _list("runs", Run.from_wire, filters)


def escalations(**filters: str) -> Call[Page[Escalation]]:
    """The open questions that this agent may see, most urgent first; more are fetched as they are needed."""
    return _list("escalations", Escalation.from_wire, filters)


def page_after(call: Call[Page[Item]], page: Page[Item]) -> Call[Page[Item]] | None:
    """The call for the part of the list that follows `page`, or None behind the last one. Only the path of the address
    counts: a key goes to no other server than the one it is for."""
    if not page.next:
        return None
    _, found, path = page.next.partition(BELOW)
    if not found:
        raise NotUnderstood(200, "not_understood", f"{page.next!r} is not the address of a part of a list.")
    return Call("GET", path, call.read)


def for_agent(call: Call[Result], code: str) -> Call[Result]:
    """The call about the agent itself, with its code in the path or as the subject of its questions."""
    return replace(call, path=call.path.replace(OWN, _part(code)), body=_named(call.body, code))


def is_about_me(call: Call[Any]) -> bool:
    """Whether the code of the agent itself is needed for the call."""
    return OWN in call.path or call.body != _named(call.body, "")


def _named(body: Any, code: str) -> Any:
    if not isinstance(body, Mapping) or not ("subject" in body or "evaluations" in body):
        return body
    if "evaluations" in body:
        return {**body, "evaluations": [_named(each, code) for each in body["evaluations"]]}
    subject = body["subject"]
    return {**body, "subject": {**subject, "id": code}} if subject.get("id") == OWN else body


# --- anything else --------------------------------------------------------------------------------------------
def show(path: str, **params: str) -> Call[Document]:
    """Anything below /api/v1/ that has no verb here, with its entity tag."""
    return _shown(path, params)


def send(path: str, body: Mapping[str, Any], *, method: str = "POST", match: str | Document = "") -> Call[Document]:
    """Post, patch or delete anything below /api/v1/; `match` is what was read before, or its entity tag, so that
    nobody's change is overwritten: ChangedSince when it is another one by now."""
    tag = match.etag if isinstance(match, Document) else match
    return Call(method, path, Document.from_answer, body=body, match=tag)


def _get(
    path: str, shape: Callable[[Mapping[str, Any]], Result], params: Mapping[str, str] | None = None
) -> Call[Result]:
    return Call("GET", path, lambda answer: understood(shape, answer.body), params or {})


def _post(
    path: str, body: Mapping[str, Any], shape: Callable[[Mapping[str, Any]], Result], wait_seconds: float = 0
) -> Call[Result]:
    return Call("POST", path, lambda answer: understood(shape, answer.body), body=body, wait_seconds=wait_seconds)


def _shown(path: str, params: Mapping[str, str] | None = None) -> Call[Document]:
    return Call("GET", path, Document.from_answer, params or {})


def _list(path: str, shape: Callable[[Mapping[str, Any]], Item], params: Mapping[str, str]) -> Call[Page[Item]]:
    def page(body: Mapping[str, Any]) -> Page[Item]:
        return Page(tuple(shape(each) for each in body["results"]), str(body.get("next") or ""))

    return _get(path, page, params)


def _part(text: str) -> str:
    return quote(text, safe="")


def _stated(item: Evidence) -> dict[str, str]:
    return {name: value for name, value in asdict(item).items() if value}


def _lease(work: Work) -> dict[str, Any]:
    return {"lease_token": work.lease_token}


def _work_in(body: Mapping[str, Any]) -> Work | None:
    work = body.get("work")
    return Work.from_wire(work) if work else None


def _fact_in(body: Mapping[str, Any]) -> Fact | None:
    fact = body.get("fact")
    return Fact.from_wire(fact) if fact else None
